#!/usr/bin/python3
"""Messages a second, hubmail beside a reference: same size, same number of sessions, runs in turn,
medians, the ratio. The reference is Postfix's smtp-source on the same sink; with --tls and --dkim
ed25519 it is hubmail without that, with --discard hubmail with a sink, and with --dkim rsa what
`openssl speed` says can be signed. --dkim with --discard leaves out the wire on both sides."""

import os
import sys
import tempfile
from pathlib import Path

from contest import Contestant, Rehearsal
from measure import Goal, Table, in_turn, median, numbers, parser, save, title
from openssl import bulk_bytes, rsa_signatures
from senders import Hubmail, SmtpSource
from sinks import OurSink, PostfixSink

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from certificates import Authority  # noqa: E402

HOST = "localhost"


def arguments():
    p = parser(__doc__)
    p.add_argument("--postfix", type=Path, required=True, help="folder of smtp-source, smtp-sink")
    p.add_argument("--sizes", type=numbers, help="kB, separated by commas")
    p.add_argument("--sessions", type=numbers)
    p.add_argument("--messages", type=int, help="in each run")
    p.add_argument("--sink", choices=["hubmail-sink", "smtp-sink", "both"], default="both")
    variant = p.add_mutually_exclusive_group()
    variant.add_argument("--tls", action="store_true", help="STARTTLS")
    variant.add_argument("--dkim", choices=["rsa", "ed25519"], help="every message is signed")
    variant.add_argument("--delay", type=int, metavar="MS", help="a relay that far away")
    p.add_argument("--discard", action="store_true", help="all but the wire; also with --dkim")
    a = p.parse_args()
    if a.discard and (a.tls or a.delay is not None):
        p.error("--discard: without a wire there is neither --tls nor --delay")
    a.sizes = a.sizes or ([20] if a.quick else [2, 20, 100])
    a.sessions = a.sessions or ([1, 16] if a.quick else [1, 4, 16, 64])
    a.runs = a.runs or (3 if a.quick else 5)
    return a


def messages_for(a, sessions):
    if a.messages is not None:
        return a.messages
    if a.delay is not None:  # some four round trips each: three seconds and more
        return max(100, sessions * 3000 // (4 * max(a.delay, 1)))
    return 3000 if a.quick else 20000


class Signatures:
    """Not a sender: RSA signatures on all cores."""

    name = "openssl speed"

    def prepare(self, size):
        return size

    def run(self):
        return {"rate": rsa_signatures(os.cpu_count())}

    def close(self):
        pass


class Course:
    """Makes the two contestants for a number of sessions."""

    def __init__(self, a, sink_name):
        self.a = a
        self.sink_name = sink_name
        self.folder = tempfile.TemporaryDirectory(prefix="hubmail-bench-")

    def _sink(self, *options):
        if self.sink_name == PostfixSink.name:
            return PostfixSink(self.a.postfix)
        delay = ["--delay", str(self.a.delay)] if self.a.delay is not None else []
        return OurSink(self.a.build, *delay, *options)

    def _hubmail(self, sessions, sink=None, **options):
        sink = sink or self._sink()
        messages = messages_for(self.a, sessions)
        return Contestant(sink, Hubmail(self.a.build, sink.port, messages, sessions, **options))

    def _rehearsal(self, sessions, **options):
        messages = messages_for(self.a, sessions)
        relay = {"discard": True}
        return Rehearsal(Hubmail(self.a.build, 1, messages, sessions, relay=relay, **options))

    def subject(self, sessions):
        if self.a.tls:
            authority = Authority(Path(self.folder.name))
            certificate, key = authority.issue(HOST)
            sink = self._sink("--starttls", "--cert", str(certificate), "--key", str(key))
            relay = {"host": HOST, "tls": "starttls", "tls_ca_file": authority.file}
            return self._hubmail(sessions, sink, relay=relay)
        if self.a.discard:
            return self._rehearsal(sessions, dkim=self.a.dkim)
        return self._hubmail(sessions, dkim=self.a.dkim)

    def reference(self, sessions, subject):
        if self.a.tls:
            return self._hubmail(sessions, name="plain")
        if self.a.dkim == "ed25519" and self.a.discard:
            return self._rehearsal(sessions, name="unsigned")
        if self.a.dkim == "ed25519":
            return self._hubmail(sessions, name="unsigned")
        if self.a.dkim == "rsa":
            return Signatures()
        if self.a.discard:
            return self._hubmail(sessions, name="with a sink")
        messages = messages_for(self.a, sessions)
        return Contestant(subject.sink, SmtpSource(self.a.postfix, messages, sessions))


def goal_of(a, size, sessions):
    if a.dkim is not None and sessions == 16:
        return Goal(at_least=0.8)
    if variant(a)[0] == "throughput" and size == 20:
        return {16: Goal(at_least=0.9), 1: Goal(at_least=0.8)}.get(sessions, Goal())
    return Goal()


def compare(a, course, size, sessions):
    """Runs in turn; the medians and what is behind them."""
    subject = course.subject(sessions)
    reference = course.reference(sessions, subject)
    try:
        exact = subject.prepare(size * 1000)
        reference.prepare(exact)
        runs = in_turn(a.runs, reference=reference.run, hubmail=subject.run)
    finally:
        subject.close()
        reference.close()
    rates = {name: median(results, "rate") for name, results in runs.items()}
    goal = goal_of(a, size, sessions)
    ratio = rates["hubmail"] / rates["reference"]
    messages = messages_for(a, sessions)
    return {
        "sink": course.sink_name,
        "size": exact,
        "sessions": sessions,
        "messages": messages,
        "hubmail": rates["hubmail"],
        "reference": rates["reference"],
        "reference_name": reference.name,
        "ratio": ratio,
        "goal": str(goal),
        "reached": goal.reached(ratio),
        "hubmail_cpu_us": 1e6 * min(r["cpu_s"] for r in runs["hubmail"]) / messages,
        "peak_mb": max(r["peak_kb"] for r in runs["hubmail"]) / 1024,
        "runs": runs,
    }


def variant(a):
    """Its name for the file, and what it is for people."""
    if a.tls:
        return "throughput-tls", "with STARTTLS, beside hubmail without it"
    discarded, where = ("-discard", ", discarded in memory") if a.discard else ("", "")
    if a.dkim == "rsa":
        name = f"throughput-dkim-rsa{discarded}"
        return name, f"signed (RSA, 2048 bits){where}, beside openssl speed on all cores"
    if a.dkim == "ed25519":
        name = f"throughput-dkim-ed25519{discarded}"
        return name, f"signed (Ed25519){where}, beside hubmail without a signature"
    if a.delay is not None:
        return "throughput-delay", f"each answer after {a.delay} ms, beside Postfix's smtp-source"
    if a.discard:
        return "throughput-discard", "discarded in memory, beside hubmail with a sink"
    return "throughput", "beside Postfix's smtp-source"


def show(table, r, goal):
    table.row(
        r["sink"],
        r["size"],
        r["sessions"],
        f"{r['hubmail']:.0f}",
        f"{r['reference']:.0f}",
        f"{r['hubmail_cpu_us']:.0f}",
        f"{r['peak_mb']:.1f}",
        f"{r['ratio']:.2f}",
        goal=goal,
        value=r["ratio"],
    )


def show_encryption(results):
    """How much of the machine's encryption that is: what is left is not the cipher's fault."""
    bulk = bulk_bytes()
    best = max(r["hubmail"] * r["size"] for r in results)
    print(
        f"\nEncrypted: {best / 1e6:.0f} MB/s at most; openssl speed on one core (AES-256-GCM,"
        f" TLS records): {bulk / 1e6:.0f} MB/s"
    )
    return {"hubmail_bytes_s": best, "openssl_bytes_s": bulk, "ratio": best / bulk}


def main():
    a = arguments()
    name, what = variant(a)
    sinks = [OurSink.name, PostfixSink.name] if a.sink == "both" else [a.sink]
    if a.discard:
        sinks = ["none"]
    elif a.tls or a.delay is not None:  # these want what only ours can do
        sinks = [OurSink.name]
    title(f"Messages a second {what}: medians of {a.runs} runs in turn")
    table = Table(
        "sink        ", "bytes", "sessions", "hubmail/s", "reference/s", "CPU µs", "peak MB",
        "ratio", "goal", "reached",
    )  # fmt: skip
    results = []
    for sink in sinks:
        course = Course(a, sink)
        for size in a.sizes:
            for sessions in a.sessions:
                results.append(compare(a, course, size, sessions))
                show(table, results[-1], goal_of(a, size, sessions))
    document = {"bench": name, "results": results}
    if a.tls:
        document["encryption"] = show_encryption(results)
    save(a, name, document)


if __name__ == "__main__":
    main()
