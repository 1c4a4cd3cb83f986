#!/usr/bin/python3
"""Sends for some minutes and watches the daemon's memory, which must stay flat:

    /usr/bin/python3 tests/system/soak.py [MINUTES] [MESSAGES-A-SECOND]

Uses build/release. Digests follow one another, readers unsubscribe, the configuration is reloaded."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from house import House  # noqa: E402
from sink import find_program  # noqa: E402
from waiting import wait_until  # noqa: E402

READERS = 5000
TOLERANCE = 1.10


def resident_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def run(house, minutes):
    house.start()
    house.import_readers(READERS)
    started, posts, after_first = time.monotonic(), 0, None
    while (elapsed := time.monotonic() - started) < minutes * 60:
        posts += 1
        house.write_post(f"p{posts}.md", f"Post {posts}", "Words. " * 2000)
        house.ctl("remove", f"reader{posts}@example.org")
        house.signal(signal.SIGHUP)
        wait_until(
            lambda n=posts: len(house.digests()) >= n and house.digests()[0]["state"] == "done",
            f"digest {posts} is done", 600, pause=0.5,
        )  # fmt: skip
        now = resident_kb(house.daemon.pid)
        print(f"{elapsed / 60:5.1f} min, {posts} digests, {now} kB", flush=True)
        if after_first is None and elapsed > 60:
            after_first = now
    last = resident_kb(house.daemon.pid)
    house.stop()
    after_first = after_first or last
    print(f"after the first minute {after_first} kB, at the end {last} kB")
    return last <= after_first * TOLERANCE


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    build = ROOT / "build" / "release"
    sink = subprocess.Popen(
        [find_program(build, "hubmail-sink"), "--discard"], stdout=subprocess.PIPE, text=True
    )
    port = int(sink.stdout.readline().rsplit(":", 1)[1])
    try:
        with tempfile.TemporaryDirectory(prefix="hubmail-soak-") as folder:
            house = House(Path(folder), os.fspath(build), port)
            house.verbosity = []
            house.relay.update(connections=8, rate=f"{rate}/s")
            try:
                flat = run(house, minutes)
            finally:
                if house.daemon is not None:
                    house.kill()
    finally:
        sink.terminate()
        sink.wait()
    print("flat" if flat else "it grows")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
