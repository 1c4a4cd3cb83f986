#!/usr/bin/python3
"""How long one waits for hubmail: from a file saved in a watched directory to the first message at
the sink; and the public pages while a digest goes out at full speed, beside the same pages idle."""

import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measure import Goal, Table, in_turn, median, parser, save, title
from senders import Hubmail
from sinks import OurSink, wait_until

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from house import House  # noqa: E402

READERS = 20
SESSIONS = 16


def arguments():
    p = parser(__doc__)
    p.add_argument("--posts", type=int, help="files saved, one after the other")
    p.add_argument("--messages", type=int, help="in the digest that goes out meanwhile")
    p.add_argument("--rate", type=int, default=100, help="pages asked for in a second")
    a = p.parse_args()
    a.runs = a.runs or (3 if a.quick else 5)
    a.posts = a.posts or (10 if a.quick else 20)
    a.messages = a.messages or (10_000 if a.quick else 50_000)
    return a


# ---- A file saved ----


def time_post(house, sink, number):
    """Milliseconds from before the file is written to the first message that has arrived."""
    sink.start()
    began = time.monotonic_ns()
    house.write_post(f"post{number}.md", f"Post {number}")
    wait_until(lambda: sink.count() >= READERS, "the post has arrived")
    totals = sink.end()
    house.wait_digest(sent=READERS, state="done")
    return (totals["first_ns"] - began) / 1e6


def time_posts(a):
    sink = OurSink(a.build)
    with tempfile.TemporaryDirectory(prefix="hubmail-bench-") as folder:
        house = House(Path(folder), a.build, sink.port)
        house.relay["connections"] = SESSIONS
        house.verbosity = []
        house.start()
        try:
            house.import_readers(READERS)
            return [time_post(house, sink, n) for n in range(a.posts)]
        finally:
            house.stop()


# ---- The public pages ----


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Visitors:
    """Readers who open their page at a steady rate, whether or not the one before has got it. A page
    is late from the moment at which it should have been asked for."""

    def __init__(self, address, path, rate):
        self.address, self.path, self.pause = address, path, 1 / rate

    def visit(self):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        connection.request("GET", self.path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        connection.close()

    def while_true(self, condition):
        """Milliseconds that each page took."""
        took = []
        due = time.monotonic()
        while condition(len(took)):
            time.sleep(max(0, due - time.monotonic()))
            self.visit()
            took.append((time.monotonic() - due) * 1000)
            due += self.pause
        return took


class Pages:
    def __init__(self, a):
        self.sink = OurSink(a.build)
        self.messages = a.messages
        self.hubmail = Hubmail(a.build, self.sink.port, a.messages, SESSIONS)
        self.rate = a.rate
        self.pages = a.rate  # of an idle run: a second's, or as many as in the busy run before

    def prepare(self):
        self.size = self.hubmail.prepare(20_000)
        path = self.hubmail.unsubscribe_link().split("/", 3)[3]
        self.visitors = Visitors(self.hubmail.house.web, f"/{path}", self.rate)

    def busy(self):
        self.sink.start()
        try:
            self.hubmail.send(self.sink.port, self.size)
            took = self.visitors.while_true(lambda n: self.sink.count() < self.messages)
            self.hubmail.ended()
        finally:
            self.sink.stop()
        self.pages = len(took)
        return self._summary(took)

    def idle(self):
        return self._summary(self.visitors.while_true(lambda n: n < self.pages))

    @staticmethod
    def _summary(took):
        return {
            "pages": len(took),
            "p50_ms": statistics.median(took),
            "p99_ms": percentile(took, 0.99),
            "max_ms": max(took),
        }

    def close(self):
        self.hubmail.close()


def time_pages(a):
    pages = Pages(a)
    try:
        pages.prepare()
        return in_turn(a.runs, busy=pages.busy, idle=pages.idle)
    finally:
        pages.close()


# ---- What is shown ----


def report_posts(table, took):
    goal = Goal(at_most=200)
    half, most = statistics.median(took), max(took)
    table.row(
        "a saved file's first message arrives", len(took), f"{half:.1f}", "", f"{most:.1f}",
        goal=goal, value=most,
    )  # fmt: skip
    reached = goal.reached(most)
    return {"median_ms": half, "max_ms": most, "goal": str(goal), "reached": reached, "runs": took}


def report_pages(table, runs):
    goals = {"idle": Goal(), "busy": Goal(at_most=50)}
    what = {"idle": "a page is there, idle", "busy": "a page is there, a digest going out"}
    p99 = {name: median(results, "p99_ms") for name, results in runs.items()}
    for name, goal in goals.items():
        cells = (f"{median(runs[name], key):.1f}" for key in ("p50_ms", "p99_ms", "max_ms"))
        pages = sum(r["pages"] for r in runs[name])
        table.row(what[name], pages, *cells, goal=goal, value=p99[name])
    return {
        "hubmail_p99_ms": p99["busy"],
        "reference_p99_ms": p99["idle"],
        "ratio": p99["busy"] / p99["idle"],
        "goal": str(goals["busy"]),
        "reached": goals["busy"].reached(p99["busy"]),
        "runs": runs,
    }


def main():
    a = arguments()
    title(f"Milliseconds until … (pages: {a.rate} a second, medians of {a.runs} runs in turn)")
    table = Table(
        "what                                  ", "times", "median", "p99", "max", "goal", "reached"
    )
    saved = report_posts(table, time_posts(a))
    pages = report_pages(table, time_pages(a))
    save(a, "latency", {"bench": "latency", "saved_file": saved, "pages": pages})


if __name__ == "__main__":
    main()
