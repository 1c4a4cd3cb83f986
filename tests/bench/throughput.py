#!/usr/bin/python3
"""Messages a second, hubmail beside Postfix's smtp-source on the same sink: same size, same number
of sessions, runs in turn, medians, the ratio."""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from senders import Hubmail, SmtpSource
from sinks import OurSink, PostfixSink


def numbers(text):
    return [int(n) for n in text.split(",")]


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", type=Path, required=True)
    p.add_argument("--postfix", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--quick", action="store_true", help="20 kB, 1 and 16 sessions, 3 runs")
    p.add_argument("--sizes", type=numbers, help="kB, separated by commas")
    p.add_argument("--sessions", type=numbers)
    p.add_argument("--runs", type=int)
    p.add_argument("--messages", type=int, help="in each run")
    p.add_argument("--sink", choices=["hubmail-sink", "smtp-sink", "both"], default="both")
    a = p.parse_args()
    a.sizes = a.sizes or ([20] if a.quick else [2, 20, 100])
    a.sessions = a.sessions or ([1, 16] if a.quick else [1, 4, 16, 64])
    a.runs = a.runs or (3 if a.quick else 5)
    a.messages = a.messages or (3000 if a.quick else 20000)
    return a


def one_run(sink, sender, messages, size, sessions):
    """What one sender did in one run."""
    sink.start()
    try:
        sender.send(sink.port, messages, size, sessions)
        end = time.monotonic() + 600
        while sink.count() < messages:
            assert time.monotonic() < end, f"{sender.name}: {sink.count()} of {messages} arrived"
            time.sleep(0.05)
        cost = sender.ended()
    finally:
        got, seconds = sink.stop()
    assert got == messages, f"{sender.name}: {got} messages arrived instead of {messages}"
    return {"rate": (messages - 1) / seconds, "seconds": seconds, **cost}


def compare(a, make_sink, size, sessions):
    """Runs in turn; the medians and what is behind them."""
    sink = make_sink()
    hubmail = Hubmail(a.build, sink.port, a.messages, sessions)
    reference = SmtpSource(a.postfix)
    runs = {hubmail.name: [], reference.name: []}
    try:
        exact = hubmail.prepare(size * 1000)
        for _ in range(a.runs):
            for sender in (reference, hubmail):
                runs[sender.name].append(one_run(sink, sender, a.messages, exact, sessions))
    finally:
        hubmail.close()
    medians = {name: statistics.median(r["rate"] for r in rs) for name, rs in runs.items()}
    return {
        "sink": sink.name,
        "size": exact,
        "sessions": sessions,
        "messages": a.messages,
        "hubmail": medians["hubmail"],
        "reference": medians[reference.name],
        "reference_name": reference.name,
        "ratio": medians["hubmail"] / medians[reference.name],
        "hubmail_cpu_us": 1e6 * min(r["cpu_s"] for r in runs["hubmail"]) / a.messages,
        "reference_cpu_us": 1e6 * min(r["cpu_s"] for r in runs[reference.name]) / a.messages,
        "peak_mb": max(r["peak_kb"] for r in runs["hubmail"]) / 1024,
        "runs": runs,
    }


HEAD = ("sink", "bytes", "sessions", "hubmail/s", "smtp-source/s", "ratio", "CPU µs", "peak MB")


def print_row(cells):
    widths = (13, 8, 9, 10, 14, 7, 8, 8)
    print(cells[0].ljust(widths[0]) + "".join(c.rjust(w) for c, w in zip(cells[1:], widths[1:])))
    sys.stdout.flush()


def main():
    a = arguments()
    makers = {
        "hubmail-sink": lambda: OurSink(a.build),
        "smtp-sink": lambda: PostfixSink(a.postfix),
    }
    names = list(makers) if a.sink == "both" else [a.sink]
    a.out.mkdir(parents=True, exist_ok=True)
    print(f"{a.messages} messages a run, medians of {a.runs} runs in turn, {os.cpu_count()} cores\n")
    print_row(HEAD)
    results = []
    for name in names:
        for size in a.sizes:
            for sessions in a.sessions:
                r = compare(a, makers[name], size, sessions)
                results.append(r)
                print_row(
                    (r["sink"], str(r["size"]), str(sessions), f"{r['hubmail']:.0f}")
                    + (f"{r['reference']:.0f}", f"{r['ratio']:.2f}")
                    + (f"{r['hubmail_cpu_us']:.0f}", f"{r['peak_mb']:.1f}")
                )
    file = a.out / "throughput.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nEvery run: {file}")


if __name__ == "__main__":
    main()
