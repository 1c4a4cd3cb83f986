// Sends a newsletter with Nodemailer as its documentation says to: one pooled transport, a call of
// sendMail() for each reader. `node nodemailer.js JOB` prints what that cost, as JSON.
'use strict';

const fs = require('fs');
const nodemailer = require('nodemailer');

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const transport = nodemailer.createTransport({
	host: '127.0.0.1',
	port: job.port,
	ignoreTLS: true,
	pool: true,
	maxConnections: job.sessions,
	maxMessages: 1000,
});

function messageFor(reader) {
	const token = String(reader).padStart(job.token.length, '0');
	const own = (text) => text.replaceAll(job.token, token);
	const headers = Object.entries(job.headers).map(([name, value]) => [name, own(value)]);

	return {
		from: job.from,
		to: `reader${reader}@example.org`,
		subject: job.subject,
		text: own(job.text),
		html: own(job.html),
		headers: Object.fromEntries(headers),
	};
}

// As many at a time as there are connections: a queue in memory would be a cost of its own.
async function main() {
	let next = 0;
	const worker = async () => {
		while (next < job.messages) {
			await transport.sendMail(messageFor(next++));
		}
	};
	const before = process.cpuUsage();

	await Promise.all(Array.from({ length: job.sessions }, worker));
	const cpu = process.cpuUsage(before);
	transport.close();
	const peak = process.resourceUsage().maxRSS;
	console.log(JSON.stringify({ cpu_s: (cpu.user + cpu.system) / 1e6, peak_kb: peak }));
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
