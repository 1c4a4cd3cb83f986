"""What sends: hubmail, and the references it is measured beside. A sender has a name, and
send(port, messages, size, sessions), which returns when everything is under way or done; ended()
tells what it cost."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from house import House  # noqa: E402
from waiting import wait_until  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


class SmtpSource:
    """Postfix's load generator: the same message again and again, nothing recorded."""

    name = "smtp-source"

    def __init__(self, tools):
        self.program = str(tools / "smtp-source")

    def send(self, port, messages, size, sessions):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [self.program, "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size)]
            + ["-f", "news@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"],
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def ended(self):
        return {"cpu_s": self.cpu}

    def close(self):
        pass


class Hubmail:
    """The real daemon with a real database: each reader's own message, each result recorded."""

    name = "hubmail"

    def __init__(self, build, port, messages, sessions, relay=None):
        self.folder = tempfile.TemporaryDirectory(prefix="hubmail-bench-")
        self.house = House(Path(self.folder.name), build, port)
        self.house.relay.update(connections=sessions, messages_per_connection=1000, **(relay or {}))
        self.house.news.update(schedule="manual", content="full")
        self.house.verbosity = []
        self.house.write_config()
        self.messages = messages
        self.posts = 0

    def prepare(self, size):
        """Starts it and writes a post whose message has about `size` bytes; the exact number."""
        length = size // 3
        self._write_post(length)
        self.house.start()
        self.house.import_readers(self.messages)
        for _ in range(3):
            measured = self._measure()
            length = max(1, length + (size - measured) // 2)
            self._write_post(length)
        return self._measure()

    def _write_post(self, length):
        """A new file each time: an edit of a post that was seen changes nothing."""
        self.posts += 1
        words = "Fog is not to be looked into but to be listened to. " * (length // 52 + 1)
        paragraphs = [words[i : i + 600] for i in range(0, length, 600)]
        title = f"Post {self.posts}"
        self.house.write_post(f"post{self.posts}.md", title, "\n\n".join(paragraphs))
        if self.house.daemon is not None:
            wait_until(
                lambda: title in (p["title"] for p in self.house.ask("posts")), "the post is known"
            )

    def _measure(self):
        out = self.house.folder / "measured.eml"
        done = self.house.ctl(
            "preview", "news", "--for", "reader0@example.org", "--last", 1, "--eml", "-o", out
        )
        assert done.code == 0, done
        return out.stat().st_size

    def send(self, port, messages, size, sessions):
        self.before = self._cpu()
        done = self.house.ctl("send", "news", "--last", 1)
        assert done.code == 0, done

    def _cpu(self):
        fields = Path(f"/proc/{self.house.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def ended(self):
        # The sink has the last message; the last result may still be on its way to the database.
        self.house.wait_digest(queued=0, state="done")
        status = Path(f"/proc/{self.house.daemon.pid}/status").read_text()
        peak = next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1]
        return {"cpu_s": self._cpu() - self.before, "peak_kb": int(peak)}

    def close(self):
        self.house.stop()
        self.folder.cleanup()
