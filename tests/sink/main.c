/* hubmail-sink: an SMTP server that takes every message, keeps it or throws it away, and does on
 * demand what servers do when they are ill. For tests and benches; it has no business on a network
 * that others can reach. `hubmail-sink --help` says how to start it. */
#include "sink.h"

#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define THREAD_STACK ((size_t)512 * 1024)

struct options {
	const char *listen, *port_file, *folder, *faults_file;
	const char *certificate, *key;
	long long port, receive_buffer;
	bool eml, starttls;
	int tls_max;
};

struct visitor {
	struct sink *sink;
	int fd;
	int64_t number;
};

static void usage(FILE *to)
{
	fputs("usage: hubmail-sink [OPTION]...\n"
	      "Takes mail on a port of the loopback interface and prints which.\n"
	      "  --listen ADDRESS      IPv4 address (default 127.0.0.1)\n"
	      "  --port N              default: a free one\n"
	      "  --port-file FILE      write the port there when it is open\n"
	      "  --dir FOLDER          keep what comes: log.jsonl, messages.raw, and counts.tsv at the end\n"
	      "  --eml                 besides, a file for each message there\n"
	      "  --discard             keep nothing, only count (the default without --dir)\n"
	      "  --fault RULE          go wrong: '[SKIP+] [TIMESx] PHASE ACTION [ARGUMENT]'\n"
	      "  --faults FILE         rules, one on a line; read again on SIGHUP\n"
	      "       phases:  greeting ehlo starttls tls auth mail rcpt data text dot kept answered quit\n"
	      "       actions: reply CODE TEXT, drop, reset, stall SECONDS, garbage, long, inject\n"
	      "       or:      greylist N\n"
	      "                an address can ask for itself: 550+x@, 451-2+x@, dot.drop-1+x@\n"
	      "  --starttls, --implicit-tls   with --cert FILE and --key FILE (PEM)\n"
	      "  --tls-max 1.0|1.1|1.2 speak nothing newer\n"
	      "  --auth USER:PASSWORD  ask for a login ("
	      "PLAIN, LOGIN, XOAUTH2)\n"
	      "  --chunking            offer CHUNKING\n"
	      "  --no-pipelining, --no-enhanced\n"
	      "  --strict              leave a client that does not wait where it must (RFC 2920, 3.1)\n"
	      "  --forgetful           forget what comes with the end of a text\n"
	      "  --one-by-one          offer PIPELINING, but leave a client that makes use of it\n"
	      "  --size BYTES          largest message (default 50000000)\n"
	      "  --delay MS            before each flight of answers\n"
	      "  --receive-buffer BYTES   of the sockets\n"
	      "  -v, --verbose         show the conversations\n"
	      "SIGUSR1 prints the totals, SIGTERM does and ends it.\n",
		to);
}

static int fail(const struct error *e)
{
	fprintf(stderr, "hubmail-sink: %s\n", e->text);
	return error_exit_code(e);
}

/* ---- Options ---- */

enum {
	OPT_LISTEN = 256,
	OPT_PORT,
	OPT_PORT_FILE,
	OPT_DIR,
	OPT_EML,
	OPT_DISCARD,
	OPT_FAULT,
	OPT_FAULTS,
	OPT_STARTTLS,
	OPT_IMPLICIT,
	OPT_CERT,
	OPT_KEY,
	OPT_TLS_MAX,
	OPT_AUTH,
	OPT_CHUNKING,
	OPT_NO_PIPELINING,
	OPT_NO_ENHANCED,
	OPT_STRICT,
	OPT_ONE_BY_ONE,
	OPT_FORGETFUL,
	OPT_SIZE,
	OPT_DELAY,
	OPT_BUFFER
};

static const struct option long_options[] = {
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"port", required_argument, NULL, OPT_PORT},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"dir", required_argument, NULL, OPT_DIR},
	{"eml", no_argument, NULL, OPT_EML},
	{"discard", no_argument, NULL, OPT_DISCARD},
	{"fault", required_argument, NULL, OPT_FAULT},
	{"faults", required_argument, NULL, OPT_FAULTS},
	{"starttls", no_argument, NULL, OPT_STARTTLS},
	{"implicit-tls", no_argument, NULL, OPT_IMPLICIT},
	{"cert", required_argument, NULL, OPT_CERT},
	{"key", required_argument, NULL, OPT_KEY},
	{"tls-max", required_argument, NULL, OPT_TLS_MAX},
	{"auth", required_argument, NULL, OPT_AUTH},
	{"chunking", no_argument, NULL, OPT_CHUNKING},
	{"no-pipelining", no_argument, NULL, OPT_NO_PIPELINING},
	{"no-enhanced", no_argument, NULL, OPT_NO_ENHANCED},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"one-by-one", no_argument, NULL, OPT_ONE_BY_ONE},
	{"forgetful", no_argument, NULL, OPT_FORGETFUL},
	{"size", required_argument, NULL, OPT_SIZE},
	{"delay", required_argument, NULL, OPT_DELAY},
	{"receive-buffer", required_argument, NULL, OPT_BUFFER},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static bool take_number(const char *name, long long max, long long *out, struct error *e)
{
	return text_to_int(optarg, 0, max, out) ||
	       error_set(e, ERROR_USAGE, "--%s: a number up to %lld is expected", name, max);
}

static bool take_tls_max(struct options *o, struct error *e)
{
	static const char *const names[] = {"1.0", "1.1", "1.2"};
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION};

	for (size_t i = 0; i < 3; i++)
		if (strcmp(optarg, names[i]) == 0)
			o->tls_max = versions[i];
	return o->tls_max != 0 || error_set(e, ERROR_USAGE, "--tls-max: 1.0, 1.1 or 1.2");
}

static bool take_text_option(int c, struct options *o, struct sink *k)
{
	const char **places[] = {[0] = &o->listen,
		[OPT_PORT_FILE - OPT_LISTEN] = &o->port_file,
		[OPT_DIR - OPT_LISTEN] = &o->folder,
		[OPT_FAULTS - OPT_LISTEN] = &o->faults_file,
		[OPT_CERT - OPT_LISTEN] = &o->certificate,
		[OPT_KEY - OPT_LISTEN] = &o->key,
		[OPT_AUTH - OPT_LISTEN] = &k->login};
	size_t i = (size_t)(c - OPT_LISTEN);

	if (c < OPT_LISTEN || i >= sizeof(places) / sizeof(places[0]) || places[i] == NULL)
		return false;
	*places[i] = optarg;
	return true;
}

static bool take_option(int c, struct options *o, struct sink *k, struct error *e)
{
	long long n = 0;

	switch (c) {
	case OPT_PORT:
		return take_number("port", 65535, &o->port, e);
	case OPT_BUFFER:
		return take_number("receive-buffer", 1 << 30, &o->receive_buffer, e);
	case OPT_SIZE:
		if (!take_number("size", 1 << 30, &n, e))
			return false;
		k->size_max = (size_t)n;
		return true;
	case OPT_DELAY:
		if (!take_number("delay", 60000, &n, e))
			return false;
		k->delay_ms = (int)n;
		return true;
	case OPT_TLS_MAX:
		return take_tls_max(o, e);
	case OPT_FAULT:
		return faults_add(k->faults, optarg, e);
	case OPT_EML:
		o->eml = true;
		break;
	case OPT_STARTTLS:
		o->starttls = true;
		break;
	case OPT_IMPLICIT:
		k->implicit = true;
		break;
	case OPT_CHUNKING:
		k->chunking = true;
		break;
	case OPT_STRICT:
		k->strict = true;
		break;
	case OPT_ONE_BY_ONE:
		k->one_by_one = true;
		break;
	case OPT_FORGETFUL:
		k->forgetful = true;
		break;
	case OPT_NO_PIPELINING:
		k->pipelining = false;
		break;
	case OPT_NO_ENHANCED:
		k->enhanced = false;
		break;
	case 'v':
		k->verbose = true;
		break;
	default:
		break;
	}
	return true;
}

static bool parse_options(int argc, char **argv, struct options *o, struct sink *k, struct error *e)
{
	int c;

	while ((c = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c == '?')
			return error_set(e, ERROR_USAGE, "try --help");
		if (c == OPT_DISCARD)
			o->folder = NULL;
		else if (!take_text_option(c, o, k) && !take_option(c, o, k, e))
			return false;
	}
	if ((o->starttls || k->implicit) && (o->certificate == NULL || o->key == NULL))
		return error_set(e, ERROR_USAGE, "TLS needs --cert and --key");
	return true;
}

/* ---- The listener ---- */

static int open_listener(const struct options *o, int *port, struct error *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int buffer = (int)o->receive_buffer;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (fd < 0 || inet_pton(AF_INET, o->listen, &at.sin_addr) != 1 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		error_set(e, ERROR_IO, "%s:%lld: %s", o->listen, o->port, strerror(errno));
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

static void *serve(void *arg)
{
	struct visitor v = *(struct visitor *)arg;

	free(arg);
	session_serve(v.sink, v.fd, v.number);
	return NULL;
}

static void welcome(struct sink *k, int listener, int64_t number)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pthread_attr_t attr;
	pthread_t thread;

	if (fd < 0)
		return;
	struct visitor *v = xmalloc(sizeof(*v));
	*v = (struct visitor){k, fd, number};
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, serve, v) != 0) {
		close(fd);
		free(v);
	}
	pthread_attr_destroy(&attr);
}

static void print_totals(const struct sink *k)
{
	json_t *totals = ledger_totals(k->ledger);
	char *text = json_dumps(totals, JSON_COMPACT);

	puts(text);
	fflush(stdout);
	free(text);
	json_decref(totals);
}

static void read_faults_again(struct sink *k, const struct options *o)
{
	struct error e = {0};

	if (o->faults_file == NULL)
		return;
	if (!faults_load(k->faults, o->faults_file, true, &e))
		fprintf(stderr, "hubmail-sink: %s\n", e.text);
	ledger_event(k->ledger, json_pack("{s:s, s:s}", "event", "faults", "error", e.text));
}

/* False: it is time to end. */
static bool heed_signal(struct sink *k, const struct options *o, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGHUP)
		read_faults_again(k, o);
	else
		print_totals(k);
	return info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1;
}

static void run(struct sink *k, const struct options *o, int listener, int signals)
{
	struct pollfd wait[2] = {{listener, POLLIN, 0}, {signals, POLLIN, 0}};
	int64_t number = 0;

	for (;;) {
		if (poll(wait, 2, -1) < 0)
			continue;
		if (wait[0].revents != 0)
			welcome(k, listener, ++number);
		if (wait[1].revents != 0 && !heed_signal(k, o, signals))
			return;
	}
}

/* Blocked before any thread starts, so that only the signalfd sees them. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool announce(const struct options *o, int port, struct error *e)
{
	char text[16];

	printf("hubmail-sink: listening on %s:%d\n", o->listen, port);
	fflush(stdout);
	if (o->port_file == NULL)
		return true;
	snprintf(text, sizeof(text), "%d\n", port);
	return file_write(o->port_file, text, strlen(text), 0644, e);
}

int main(int argc, char **argv)
{
	struct options o = {.listen = "127.0.0.1"};
	struct sink k = {.hello = "sink.example",
		.size_max = 50000000,
		.pipelining = true,
		.enhanced = true,
		.faults = faults_new()};
	struct error e = {0};
	int port = 0, signals = take_signals();

	if (!parse_options(argc, argv, &o, &k, &e))
		return fail(&e);
	if (o.faults_file != NULL && !faults_load(k.faults, o.faults_file, false, &e))
		return fail(&e);
	if (o.certificate != NULL &&
		(k.tls = tls_context(o.certificate, o.key, o.tls_max, &e)) == NULL)
		return fail(&e);
	k.discard = o.folder == NULL;
	k.ledger = ledger_open(o.folder, o.eml, &e);
	int listener = k.ledger != NULL ? open_listener(&o, &port, &e) : -1;
	if (listener < 0 || !announce(&o, port, &e))
		return fail(&e);
	run(&k, &o, listener, signals);
	ledger_write_counts(k.ledger);
	/* Sessions may still be open: their threads go with the process. */
	fflush(stdout);
	_exit(0);
}
