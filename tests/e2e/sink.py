"""hubmail-sink, started and read."""

import json
import os
import signal
import subprocess

from mail import Mail
from waiting import wait_until


class Entry(dict):
    """One line of the sink's log; a message also knows its text."""

    def __init__(self, line, sink):
        super().__init__(json.loads(line))
        self.sink = sink

    @property
    def to(self):
        return self["to"][0]

    @property
    def raw(self):
        with open(self.sink.folder / "messages.raw", "rb") as file:
            file.seek(self["offset"])
            return file.read(self["size"])

    @property
    def mail(self):
        return Mail(self.raw)


class Sink:
    """A sink with a folder of its own. Options as hubmail-sink has them: Sink(p, f, "--chunking")."""

    def __init__(self, program, folder, *options, port=0):
        folder.mkdir(parents=True, exist_ok=True)
        self.program = program
        self.folder = folder
        self.options = options
        self.port = port
        self.process = None
        self._read = 0
        self._entries = []
        (folder / "faults").touch()

    def start(self):
        command = [self.program, "--dir", self.folder, "--port", str(self.port)]
        command += ["--faults", self.folder / "faults", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("hubmail-sink: listening on "), line
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(10) == 0
            self.process.stdout.close()
            self.process = None

    def faults(self, *rules):
        """From now on goes wrong in this way, and in no other."""
        (self.folder / "faults").write_text("".join(f"{rule}\n" for rule in rules))
        before = len(self.events("faults"))
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.events("faults")) > before, "the sink has read its new rules")
        assert self.events("faults")[-1]["error"] == ""

    def entries(self):
        """Everything that is in the log by now."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return []
        with open(path, "rb") as file:
            file.seek(self._read)
            text = file.read()
        end = text.rfind(b"\n") + 1
        self._read += end
        self._entries += [Entry(line, self) for line in text[:end].splitlines()]
        return self._entries

    def events(self, kind):
        return [e for e in self.entries() if e["event"] == kind]

    @property
    def accepted(self):
        """Messages that were taken, whether or not the client was told."""
        return [e for e in self.events("message") if e["code"] == 250]

    def recipients(self):
        return [e.to for e in self.accepted]

    def wait_for(self, n, deadline=30):
        """Waits until n messages were accepted; there may be no more than that."""
        wait_until(lambda: len(self.accepted) >= n, f"{n} messages at the sink", deadline)
        assert len(self.accepted) == n, sorted(self.recipients())
        return self.accepted


def free_port():
    """A port nobody listens on. (Somebody else may take it before it is used; tests that need to
    name a port before they open it live with that.)"""
    import socket

    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find_program(folder, name):
    path = os.path.join(folder, name)
    assert os.access(path, os.X_OK), f"{path} is not built: sh tests/build.sh {os.path.basename(folder)}"
    return path
