"""A hubmail of its own in a temporary folder: its configuration, the daemon, the command line."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from sink import find_program, free_port
from waiting import wait_until

# A sanitizer's finding must not pass for an ordinary exit code.
ENVIRONMENT = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LC_ALL": "C.UTF-8",
}


def to_libconfig(value):
    """A Python value as libconfig writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "{ " + " ".join(f"{k} = {to_libconfig(v)};" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(to_libconfig(v) for v in value) + " )"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


class Done:
    """What a command said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        assert self.code == 0, (self.code, self.err)
        return json.loads(self.out)

    @property
    def lines(self):
        return self.out.splitlines()

    def __repr__(self):
        return f"exit {self.code}\n{self.out}{self.err}"


class House:
    """The folder holds hubmail.conf, the database, posts/ and the daemon's log."""

    def __init__(self, folder, build, relay_port):
        self.folder = folder
        self.build = build
        self.posts = folder / "posts"
        self.posts.mkdir()
        self.file = folder / "hubmail.conf"
        self.log_file = folder / "daemon.log"
        self.daemon = None
        self.verbosity = ["-v"]
        self.wrapper = []  # a command that becomes the daemon
        self.web = f"127.0.0.1:{free_port()}"
        self.settings = {
            "database": folder / "hubmail.db",
            "secret_file": folder / "secret",
            "control": {"socket": folder / "control.sock"},
            "web": {"listen": self.web, "url": f"http://{self.web}"},
            "relays": [
                {
                    "name": "main",
                    "host": "127.0.0.1",
                    "port": relay_port,
                    "tls": "none",
                    "connections": 2,
                }
            ],
            "lists": [self.list_of("news")],
        }

    def list_of(self, name, **more):
        posts = more.pop("directory", self.posts)
        settings = {
            "name": name,
            "title": f"The {name} list",
            "from": f"The {name} list <{name}@example.org>",
            "sources": [{"directory": posts, "url": "https://blog.example/"}],
            "schedule": "each",
        }
        settings.update(more)
        return settings

    @staticmethod
    def feed_of(url, **more):
        """A feed on this machine."""
        return {"feed": url, "allow_private": True, **more}

    @property
    def relay(self):
        return self.settings["relays"][0]

    @property
    def news(self):
        return self.settings["lists"][0]

    # ---- files ----

    def write_config(self, text=None):
        if text is None:
            text = "".join(f"{k} = {to_libconfig(v)};\n" for k, v in self.settings.items())
        self.file.write_text(text)

    def write_post(self, name, title, body="Something new.", folder=None, **matter):
        """Saves a Markdown file as an editor does: open, write, close."""
        matter = {"title": title, "author": "Ada", "date": "2026-11-24T08:00:00Z", **matter}
        head = "".join(f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in matter.items())
        path = (folder or self.posts) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{head}---\n\n{body}\n", encoding="utf-8")
        return path

    # ---- the daemon ----

    def start(self):
        """Starts hubmaild and waits until it has looked at every source once."""
        if not self.file.exists():
            self.write_config()
        self.launch()
        wait_until(self._answers, "the daemon answers", 60)
        wait_until(
            lambda: all(s["state"] in ("ok", "failing", "gone", "removed") for s in self.sources()),
            "the first look at every source is over",
        )
        return self

    def launch(self, *options):
        """Starts hubmaild without waiting for anything."""
        program = find_program(self.build, "hubmaild")
        with open(self.log_file, "ab") as log:
            self.daemon = subprocess.Popen(
                [*self.wrapper, program, "-c", self.file, "-f", *self.verbosity, *options],
                stdout=log,
                stderr=log,
                env={**os.environ, **ENVIRONMENT},
            )
        return self.daemon

    def _answers(self):
        assert self.daemon.poll() is None, f"hubmaild ended: {self.log[-3000:]}"
        return self.ctl("--json", "status").code == 0

    def signal(self, number):
        self.daemon.send_signal(number)

    def wait_end(self, deadline=30):
        code = self.daemon.wait(deadline)
        self.daemon = None
        return code

    def stop(self):
        """SIGTERM, and it must end well."""
        if self.daemon is None:
            return
        self.signal(signal.SIGTERM)
        code = self.wait_end()
        assert code == 0, f"hubmaild ended with {code}:\n{self.log[-5000:]}"

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait_end()

    def restart(self):
        self.stop()
        return self.start()

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_log(self, pattern, deadline=30):
        return wait_until(lambda: re.search(pattern, self.log), f"/{pattern}/ in the log", deadline)

    # ---- hubmailctl ----

    def ctl(self, *arguments, stdin=None, timeout=120):
        done = subprocess.run(
            [find_program(self.build, "hubmailctl"), "-c", self.file, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **ENVIRONMENT},
        )
        assert done.returncode not in (99, -6, -11), f"hubmailctl broke: {done.stderr}"
        return Done(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments):
        """The answer of a command with --json."""
        return self.ctl("--json", *arguments).json()

    def add(self, *addresses, **options):
        more = [w for k, v in options.items() for w in (f"--{k}", v)]
        done = self.ctl("add", *addresses, *more)
        assert done.code == 0, done
        return addresses

    def import_readers(self, n, domain="example.org"):
        """n readers by CSV; their addresses."""
        addresses = [f"reader{i}@{domain}" for i in range(n)]
        path = self.folder / "readers.csv"
        path.write_text("email,name\n" + "".join(f"{a},Reader {i}\n" for i, a in enumerate(addresses)))
        done = self.ctl("import", path)
        assert done.code == 0, done
        return addresses

    def status(self):
        return self.ask("status")

    def sources(self):
        return self.ask("sources")

    def source(self, kind="directory"):
        return next(s for s in self.sources() if s["kind"] == kind)

    def digests(self):
        return self.ask("digests")

    def queue(self, *options):
        return self.ask("queue", *options)

    def wait_digest(self, deadline=60, **counts):
        """Waits until the newest digest has these counts: wait_digest(sent=3, queued=0)."""

        def fits():
            digests = self.digests()
            newest = max(digests, key=lambda d: d["id"]) if digests else {}
            return newest if all(newest.get(k) == v for k, v in counts.items()) else None

        return wait_until(fits, f"a digest with {counts}", deadline, pause=0.1)

    # ---- the public pages ----

    def http(self, method, url, body=None, **headers):
        """(status, text)."""
        data = body.encode() if body is not None else None
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
