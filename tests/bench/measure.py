"""What the benches share: options, runs in turn, medians, the table and the JSON."""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path


def numbers(text):
    return [int(n) for n in text.split(",")]


def parser(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--build", type=Path, required=True, help="folder with hubmaild and hubmailctl")
    p.add_argument("--out", type=Path, required=True, help="folder for the JSON")
    size = p.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a first impression")
    size.add_argument("--full", action="store_true", help="everything, however long it takes")
    p.add_argument("--runs", type=int, help="of each, in turn")
    return p


def in_turn(runs, **contestants):
    """Each contestant's run(), one after the other, and again: {name: [what it measured, …]}.
    What the machine does meanwhile hits all of them alike."""
    results = {name: [] for name in contestants}
    for _ in range(runs):
        for name, run in contestants.items():
            results[name].append(run())
    return results


def median(results, key):
    return statistics.median(r[key] for r in results)


class Goal:
    """at_least=0.9 or at_most=2; None for what is only shown."""

    def __init__(self, at_least=None, at_most=None):
        self.at_least, self.at_most = at_least, at_most

    def reached(self, value):
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None

    def __str__(self):
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    def mark(self, value):
        return {True: "yes", False: "NO", None: ""}[self.reached(value)]


class Table:
    """Printed as the rows come. The last two columns are a goal and whether it was reached."""

    def __init__(self, *heads):
        self.widths = [max(len(h), 7) + 2 for h in heads]
        self._print(heads)

    def _print(self, cells):
        first, *rest = zip(cells, self.widths)
        line = first[0].ljust(first[1]) + "".join(c.rjust(w) for c, w in rest)
        print(line.rstrip(), flush=True)

    def row(self, *cells, goal=Goal(), value=None):
        self._print([str(c) for c in cells] + [str(goal), goal.mark(value)])


def title(text):
    print(f"\n{text} ({os.cpu_count()} cores)\n", flush=True)


def save(a, name, results):
    a.out.mkdir(parents=True, exist_ok=True)
    file = a.out / f"{name}.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nEvery run: {file}", flush=True)
    sys.stdout.flush()
