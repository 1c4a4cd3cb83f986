#!/usr/bin/python3
"""Processor time for each message, hubmail beside nodemailer: same content, same sink, same number
of sessions, runs in turn, medians, the ratio."""

from pathlib import Path

from contest import Contestant
from measure import Goal, Table, in_turn, median, numbers, parser, save, title
from senders import Hubmail, Nodemailer
from sinks import OurSink

GOAL = Goal(at_most=0.1)


def arguments():
    p = parser(__doc__)
    p.add_argument("--modules", type=Path, required=True, help="node_modules with nodemailer")
    p.add_argument("--sizes", type=numbers, help="kB, separated by commas")
    p.add_argument("--sessions", type=int, default=16)
    p.add_argument("--messages", type=int, help="in each run")
    a = p.parse_args()
    a.sizes = a.sizes or ([20] if a.quick else [2, 20, 100])
    a.runs = a.runs or (3 if a.quick else 5)
    a.messages = a.messages or (2000 if a.quick else 10000)
    return a


def compare(a, size):
    sink = OurSink(a.build)
    hubmail = Hubmail(a.build, sink.port, a.messages, a.sessions)
    subject = Contestant(sink, hubmail)
    reference = Contestant(sink, Nodemailer(a.modules, hubmail, a.messages, a.sessions))
    try:
        exact = subject.prepare(size * 1000)
        reference.prepare(exact)
        runs = in_turn(a.runs, reference=reference.run, hubmail=subject.run)
    finally:
        reference.close()
        subject.close()
    cpu_us = {n: 1e6 * median(results, "cpu_s") / a.messages for n, results in runs.items()}
    ratio = cpu_us["hubmail"] / cpu_us["reference"]
    return {
        "size": exact,
        "sessions": a.sessions,
        "messages": a.messages,
        "hubmail_cpu_us": cpu_us["hubmail"],
        "reference_cpu_us": cpu_us["reference"],
        "reference_name": reference.name,
        "ratio": ratio,
        "goal": str(GOAL),
        "reached": GOAL.reached(ratio),
        "hubmail_rate": median(runs["hubmail"], "rate"),
        "reference_rate": median(runs["reference"], "rate"),
        "runs": runs,
    }


def main():
    a = arguments()
    title(
        f"Processor time for each message beside nodemailer: {a.messages} messages over"
        f" {a.sessions} sessions, medians of {a.runs} runs in turn"
    )
    table = Table(
        "bytes", "hubmail µs", "nodemailer µs", "hubmail/s", "nodemailer/s", "ratio", "goal", "reached"
    )
    results = []
    for size in a.sizes:
        r = compare(a, size)
        results.append(r)
        table.row(
            r["size"],
            f"{r['hubmail_cpu_us']:.0f}",
            f"{r['reference_cpu_us']:.0f}",
            f"{r['hubmail_rate']:.0f}",
            f"{r['reference_rate']:.0f}",
            f"{r['ratio']:.3f}",
            goal=GOAL,
            value=r["ratio"],
        )
    save(a, "cpu", {"bench": "cpu", "results": results})


if __name__ == "__main__":
    main()
