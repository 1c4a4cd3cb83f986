"""What sends: hubmail, and the references it is measured beside. A sender has prepare(size), which
returns the exact size of its messages; send(port, size), which returns when everything is under way
or done; ended(), which tells what that cost; close()."""

import contextlib
import email
import email.policy
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from house import House  # noqa: E402
from waiting import wait_until  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SELECTOR = "bench"


class SmtpSource:
    """Postfix's load generator: the same message again and again, nothing recorded."""

    name = "smtp-source"

    def __init__(self, tools, messages, sessions):
        self.program = str(tools / "smtp-source")
        self.messages, self.sessions = messages, sessions

    def prepare(self, size):
        return size

    def send(self, port, size):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [self.program, "-d", "-s", str(self.sessions), "-m", str(self.messages)]
            + ["-l", str(size), "-f", "news@example.org", "-t", "reader@example.org"]
            + [f"127.0.0.1:{port}"],
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def ended(self):
        return {"cpu_s": self.cpu}

    def close(self):
        pass


class Hubmail:
    """The real daemon with a real database: each reader's own message, each result recorded.
    relay: settings beside the usual ones; dkim: "rsa" or "ed25519"."""

    def __init__(self, build, port, messages, sessions, relay=None, dkim=None, name="hubmail"):
        self.name = name
        self.messages = messages
        self.posts = 0
        self.folder = tempfile.TemporaryDirectory(prefix="hubmail-bench-")
        self.house = House(Path(self.folder.name), build, port)
        self.house.relay.update(connections=sessions, messages_per_connection=1000)
        self.house.relay.update(relay or {})
        self.house.news.update(schedule="manual", content="full")
        self.house.verbosity = []
        self.house.write_config()
        if dkim is not None:
            self._make_key(dkim)

    def _make_key(self, kind):
        key = self.house.folder / "dkim.pem"
        algorithm = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ed25519": ["ED25519"]}
        command = ["openssl", "genpkey", "-quiet", "-out", str(key), "-algorithm", *algorithm[kind]]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        self.house.settings["dkim"] = [
            {"domain": "example.org", "selector": SELECTOR, "key_file": key}
        ]
        self.house.write_config()

    def prepare(self, size):
        self.house.start()
        self.house.import_readers(self.messages)
        return self.write_to_size(size)

    def write_to_size(self, size):
        """Writes a post whose message has about `size` bytes: the last one, which is sent."""
        length = size // 3
        self._write_post(length)
        for _ in range(3):
            length = max(1, length + (size - len(self.preview())) // 2)
            self._write_post(length)
        return len(self.preview())

    def _write_post(self, length):
        """A new file each time: an edit of a post that was seen changes nothing."""
        self.posts += 1
        words = "Fog is not to be looked into but to be listened to. " * (length // 52 + 1)
        paragraphs = [words[i : i + 600] for i in range(0, length, 600)]
        title = f"Post {self.posts}"
        self.house.write_post(f"post{self.posts}.md", title, "\n\n".join(paragraphs))
        wait_until(lambda: title in (p["title"] for p in self.house.ask("posts")), "the post is known")

    def preview(self):
        """The message as one of the readers gets it."""
        out = self.house.folder / "preview.eml"
        done = self.house.ctl(
            "preview", "news", "--for", "reader0@example.org", "--last", 1, "--eml", "-o", out
        )
        assert done.code == 0, done
        return out.read_bytes()

    def unsubscribe_link(self):
        return email.message_from_bytes(self.preview())["List-Unsubscribe"].strip("<>")

    def send(self, port, size):
        self.before = self.cpu()
        done = self.house.ctl("send", "news", "--last", 1)
        assert done.code == 0, done

    def cpu(self):
        """Seconds, so far."""
        fields = Path(f"/proc/{self.house.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_kb(self):
        status = Path(f"/proc/{self.house.daemon.pid}/status").read_text()
        return int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1])

    def wait_row(self, columns, condition, deadline):
        """Waits until the condition holds for the newest digest; the columns are then its row's.
        Looks into the database, which costs the daemon nothing."""
        file = self.house.settings["database"]
        look = f"SELECT {columns} FROM digest WHERE id = (SELECT max(id) FROM digest) AND {condition}"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            return wait_until(lambda: db.execute(look).fetchone(), condition, deadline, 0.002)

    def ended(self):
        # The sink has the last message; the last result may still be on its way to the database.
        self.house.wait_digest(queued=0, state="done")
        return {"cpu_s": self.cpu() - self.before, "peak_kb": self.peak_kb()}

    def close(self):
        self.house.stop()
        self.folder.cleanup()


class Nodemailer:
    """Nodemailer with its connection pool, sending what `hubmail` sends: the same parts and header
    fields, each reader's own link in them. Its start is not counted."""

    name = "nodemailer"

    def __init__(self, modules, hubmail, messages, sessions):
        self.modules = modules
        self.hubmail = hubmail
        self.messages, self.sessions = messages, sessions
        self.folder = tempfile.TemporaryDirectory(prefix="hubmail-bench-")
        self.job = Path(self.folder.name) / "job.json"

    def prepare(self, size):
        raw = self.hubmail.preview()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        kept = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")
        self.content = {
            "from": mail["From"],
            "subject": mail["Subject"],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "headers": {name: mail[name] for name in kept if mail[name] is not None},
            "token": self.hubmail.unsubscribe_link().rsplit("/", 1)[1],
        }
        return len(raw)

    def send(self, port, size):
        job = {"port": port, "messages": self.messages, "sessions": self.sessions}
        self.job.write_text(json.dumps({**job, **self.content}))
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("nodemailer.js")), str(self.job)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "NODE_PATH": str(self.modules)},
        )
        self.cost = json.loads(done.stdout)

    def ended(self):
        return self.cost

    def close(self):
        self.folder.cleanup()
