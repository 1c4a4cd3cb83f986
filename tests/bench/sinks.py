"""The two servers that messages are counted at. The rate of a run is taken between the first and
the last message there, so that all senders are measured by the same clock."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from sink import free_port  # noqa: E402
from waiting import wait_until  # noqa: E402


class OurSink:
    """hubmail-sink, counting only."""

    name = "hubmail-sink"

    def __init__(self, build, *options):
        self.command = [str(build / "hubmail-sink"), "--discard", *options]
        self.port = free_port()

    def start(self):
        self.process = subprocess.Popen(
            [*self.command, "--port", str(self.port)], stdout=subprocess.PIPE, text=True
        )
        self.process.stdout.readline()

    def count(self):
        return self.totals(signal.SIGUSR1)["messages"]

    def totals(self, number):
        self.process.send_signal(number)
        return json.loads(self.process.stdout.readline())

    def end(self):
        """Its totals; first_ns and last_ns are times of CLOCK_MONOTONIC."""
        totals = self.totals(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()
        return totals

    def stop(self):
        """(messages, seconds between the first and the last)"""
        totals = self.end()
        return totals["messages"], (totals["last_ns"] - totals["first_ns"]) / 1e9


class PostfixSink:
    """Postfix's smtp-sink; its running counter is read as it is printed."""

    name = "smtp-sink"

    def __init__(self, tools):
        self.command = [str(tools / "smtp-sink"), "-c"]
        self.port = free_port()

    def start(self):
        self.messages, self.first, self.last = 0, None, None
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            [*self.command, *user, f"127.0.0.1:{self.port}", "1024"], stdout=subprocess.PIPE
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        wait_until(self._listens, "smtp-sink listens", pause=0.01)

    def _listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def _read(self):
        while text := os.read(self.process.stdout.fileno(), 65536):
            # "sess=1 quit=0 mesg=17\r"
            counts = [w for w in text.replace(b"\r", b" ").split() if w.startswith(b"mesg=")]
            n = int(counts[-1][5:]) if counts and counts[-1][5:].isdigit() else 0
            if n > self.messages:
                self.messages, self.last = n, time.monotonic()
                self.first = self.first or self.last

    def count(self):
        return self.messages

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        return self.messages, self.last - self.first
