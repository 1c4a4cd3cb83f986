#!/usr/bin/python3
"""What many readers cost: an import of them and the enqueuing of a digest beside the same work done
by sqlite3 alone, the daemon's memory, and the cost for each message, which is to stay the same."""

import sqlite3
import subprocess
import time

from measure import Goal, Table, in_turn, median, numbers, parser, save, title
from senders import Hubmail
from sinks import OurSink, wait_until

BIG = 100_000  # with fewer readers a program's start is what is measured
SESSIONS = 16
PATIENCE = 1800

IMPORT = """
CREATE TEMP TABLE staging (email TEXT, name TEXT);
.import --csv --skip 1 --schema temp {csv} staging
BEGIN;
INSERT INTO list (name) VALUES ('news') ON CONFLICT DO NOTHING;
INSERT INTO subscriber (email, name, created_at) SELECT email, name, unixepoch() FROM staging;
INSERT INTO subscription (list_id, subscriber_id, state, origin, created_at, confirmed_at)
 SELECT 1, id, 1, 'import', created_at, created_at FROM subscriber;
COMMIT;
"""
ENQUEUE = """
INSERT INTO delivery (digest_id, subscriber_id, state, attempts)
 SELECT {digest}, subscriber_id, 0, 0 FROM subscription
 WHERE list_id = 1 AND state = 1 AND edition IS NULL ORDER BY subscriber_id;
"""


def arguments():
    p = parser(__doc__)
    p.add_argument("--readers", type=numbers, help="separated by commas, the fewest first")
    p.add_argument("--size", type=int, default=20, help="of the messages, in kB")
    a = p.parse_args()
    a.readers = a.readers or (
        [2000, 20_000] if a.quick else [10_000, BIG] + ([1_000_000] if a.full else [])
    )
    a.runs = a.runs or (3 if a.quick else 5)
    return a


class Sqlite:
    """The sqlite3 program on a database of hubmail's making, with the settings hubmail works with."""

    def __init__(self, file):
        self.file = file

    def copy_from(self, database):
        self.remove()
        self._run(database, f"VACUUM INTO '{self.file}';")

    def remove(self):
        for name in (self.file.name, f"{self.file.name}-wal", f"{self.file.name}-shm"):
            self.file.with_name(name).unlink(missing_ok=True)

    def time(self, script):
        """Seconds from its start to its end."""
        before = time.monotonic()
        self._run(self.file, f"PRAGMA journal_mode = WAL;\nPRAGMA synchronous = NORMAL;\n{script}")
        return {"seconds": time.monotonic() - before}

    @staticmethod
    def _run(file, script):
        subprocess.run(
            ["sqlite3", "-batch", "-bail", str(file)],
            input=script,
            stdout=subprocess.DEVNULL,
            text=True,
            check=True,
        )


class Scale:
    """A hubmail with so many readers, and sqlite3 beside it."""

    def __init__(self, a, readers):
        self.a = a
        self.readers = readers
        self.sink = OurSink(a.build)
        # What libesmtp keeps of a message stays until its connection ends: as many as by default.
        relay = {"messages_per_connection": 100}
        self.hubmail = Hubmail(a.build, self.sink.port, readers, SESSIONS, relay=relay)
        self.house = self.hubmail.house
        self.database = self.house.settings["database"]
        self.sqlite = Sqlite(self.house.folder / "reference.db")
        self.csv = self.house.folder / "readers.csv"
        self.digests = 0

    def close(self):
        self.hubmail.close()

    # ---- import ----

    def write_csv(self):
        rows = (f"reader{i}@example.org,Reader {i}\n" for i in range(self.readers))
        self.csv.write_text("email,name\n" + "".join(rows))

    def new_database(self):
        Sqlite(self.database).remove()
        assert self.house.ctl("lists").code == 0

    def import_by_hubmail(self):
        self.new_database()
        before = time.monotonic()
        done = self.house.ctl("-q", "import", self.csv, timeout=PATIENCE)
        assert done.code == 0, done
        return {"seconds": time.monotonic() - before}

    def import_by_sqlite(self):
        self.new_database()
        self.sqlite.copy_from(self.database)
        return self.sqlite.time(IMPORT.format(csv=self.csv))

    def check_same_subscriptions(self):
        sql = "SELECT count(*) FROM subscription WHERE list_id = 1 AND state = 1 AND edition IS NULL"
        for file in (self.database, self.sqlite.file):
            assert sqlite3.connect(file).execute(sql).fetchone()[0] == self.readers, file

    # ---- a digest ----

    def prepare_digest(self):
        self.house.start()
        self.hubmail.write_to_size(self.a.size * 1000)
        self.sqlite.copy_from(self.database)

    def enqueue_by_sqlite(self):
        return self.sqlite.time(ENQUEUE.format(digest=self.digests + 1))

    def enqueue_and_send(self):
        """The sink is down until all deliveries are there, so that the two are measured apart."""
        seconds = self._enqueue()
        self.sink.start()
        before = self.hubmail.cpu()
        try:
            self.house.ctl("retry")
            wait_until(lambda: self.sink.count() >= self.readers, "all arrived", PATIENCE, 0.05)
            self.house.wait_digest(PATIENCE, queued=0, state="done")
        finally:
            got, sending = self.sink.stop()
        assert got == self.readers, f"{got} messages arrived instead of {self.readers}"
        return {
            "seconds": seconds,
            "cpu_us": 1e6 * (self.hubmail.cpu() - before) / self.readers,
            "wall_us": 1e6 * sending / self.readers,
            "peak_mb": self.hubmail.peak_kb() / 1024,
        }

    def _enqueue(self):
        self.digests += 1
        before = time.monotonic()
        assert self.house.ctl("send", "news", "--last", 1).code == 0
        # A digest's state is 0 as long as deliveries are being made for it.
        self.hubmail.wait_row("id", "state > 0", PATIENCE)
        return time.monotonic() - before


class Report:
    """A row for each number, in the table and for the JSON."""

    def __init__(self):
        self.rows = []
        self.table = Table(
            "what                     ", "readers", "hubmail", "reference", "ratio", "goal", "reached"
        )

    def ratio(self, what, readers, hubmail, reference, goal):
        ratio = hubmail / reference
        cells = (f"{hubmail:.2f}", f"{reference:.2f}", f"{ratio:.2f}")
        self.table.row(what, readers, *cells, goal=goal, value=ratio)
        numbers = {"hubmail": hubmail, "reference": reference, "ratio": ratio}
        self._keep(what, readers, numbers, goal, ratio)

    def value(self, what, readers, hubmail, goal):
        self.table.row(what, readers, f"{hubmail:.2f}", "", "", goal=goal, value=hubmail)
        self._keep(what, readers, {"hubmail": hubmail}, goal, hubmail)

    def _keep(self, what, readers, numbers, goal, value):
        verdict = {"goal": str(goal), "reached": goal.reached(value)}
        self.rows.append({"what": what, "readers": readers, **numbers, **verdict})


def report_seconds(report, what, readers, runs, most):
    goal = Goal(at_most=most) if readers >= BIG else Goal()
    report.ratio(what, readers, *(median(runs[n], "seconds") for n in ("hubmail", "reference")), goal)


def report_sending(report, readers, sent, fewest):
    """`fewest`: what each message cost with the fewest readers; filled by the first call."""
    peak = max(r["peak_mb"] for r in sent)
    report.value("peak memory, MiB", readers, peak, Goal(at_most=48))
    for what, key in (("processor, µs/message", "cpu_us"), ("time, µs/message", "wall_us")):
        cost = median(sent, key)
        goal = Goal(at_most=1.1) if key in fewest else Goal()
        report.ratio(what, readers, cost, fewest.setdefault(key, cost), goal)


def measure(a, readers, report, fewest):
    scale = Scale(a, readers)
    try:
        scale.write_csv()
        imports = in_turn(a.runs, reference=scale.import_by_sqlite, hubmail=scale.import_by_hubmail)
        scale.check_same_subscriptions()
        report_seconds(report, "import, s", readers, imports, 2)
        scale.prepare_digest()
        digests = in_turn(a.runs, reference=scale.enqueue_by_sqlite, hubmail=scale.enqueue_and_send)
        report_seconds(report, "enqueue, s", readers, digests, 3)
        report_sending(report, readers, digests["hubmail"], fewest)
    finally:
        scale.close()
    return {"readers": readers, "imports": imports, "digests": digests}


def main():
    a = arguments()
    title(
        "Many readers, beside sqlite3 alone (import, enqueue) and beside the fewest readers (a"
        f" message's cost): {SESSIONS} sessions, {a.size} kB, medians of {a.runs} runs in turn"
    )
    report, fewest = Report(), {}
    runs = [measure(a, readers, report, fewest) for readers in a.readers]
    save(a, "scale", {"bench": "scale", "results": report.rows, "runs": runs})


if __name__ == "__main__":
    main()
