"""What would hurt the machine it is read on: bombs, deep nesting, huge and endless things. All end
in an error that is recorded, or in a result with bounds, after 2 s of processor time at most and
with no more than 64 MB beyond what was there before."""

import ctypes
import gzip
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import RELEASE
from feed import item, rss
from sink import find_program
from waiting import wait_until

MEMORY_MAX = 64 << 20
KEPT_MAX = 32 << 20  # by a daemon that has read all of it: caches, and what its heap has room for
CPU_MAX_S = 2.0
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = pytest.mark.skipif(
    not (RELEASE / "hubmaild").exists(),
    reason="measured with build/release, which is not there: sanitizers multiply memory and time",
)

MB = 1 << 20
HEAD = "<?xml version='1.0'?>"
JSON_FEED = "https://jsonfeed.org/version/1.1"


def feed(inside="", post="", doctype=""):
    return (
        f"{HEAD}{doctype}<rss version='2.0'><channel><title>t</title>{inside}"
        f"<item><title>x</title>{post}</item></channel></rss>"
    )


def describing(text, **more):
    return feed(post=f"<description>{text}</description>", **more)


def html(text):
    return describing(f"<![CDATA[{text}]]>")


def described(n, text):
    return feed(f"<item><description>{text}</description></item>" * n)


def laughs(levels=30, each=10):
    entities = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * each}'>" for n in range(1, levels))
    doctype = f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{entities}]>"
    return describing(f"&l{levels - 1};", doctype=doctype)


def external(url):
    return describing("A&x;Z", doctype=f"<!DOCTYPE rss [<!ENTITY x SYSTEM '{url}'>]>")


def numbered(n, pattern):
    return "".join(pattern.replace("#", str(i)) for i in range(n))


FEEDS = {
    "billion-laughs": laughs,
    "quadratic-blow-up": lambda: describing(
        "&a;" * 100000, doctype=f"<!DOCTYPE rss [<!ENTITY a '{'a' * 100000}'>]>"
    ),
    "parameter-entities": lambda: feed(
        doctype="<!DOCTYPE rss [<!ENTITY % a 'aaaaaaaaaa'>"
        + numbered(1000, f"<!ENTITY % a# '{'%a;' * 10}'>")
        + "]>"
    ),
    "external-entity": lambda: external("file:///etc/passwd"),
    "external-dtd": lambda: feed(doctype="<!DOCTYPE rss SYSTEM 'file:///etc/passwd'>"),
    "attribute-of-50-MB": lambda: feed(f"<link a='{'a' * 50 * MB}'/>"),
    "attribute-of-15-MB": lambda: feed(f"<link a='{'a' * 15 * MB}'/>"),
    "15-MB-of-attributes": lambda: feed("<a " + numbered(MB, "a#='1' ") + "/>"),
    "attributes-in-every-tag": lambda: feed(("<a " + numbered(200, "a#='1' ") + "/>") * 8000),
    "name-of-15-MB": lambda: feed(f"<{'a' * 15 * MB}/>"),
    "a-million-names": lambda: feed(numbered(MB, "<a#/>")),
    "many-namespaces": lambda: feed(numbered(600000, "<a xmlns:a#='u'/>")),
    "xml-200000-deep": lambda: feed("<a>" * 200000 + "</a>" * 200000),
    "xml-200000-deep-without-an-end": lambda: feed("<a>" * 200000),
    "html-200000-deep": lambda: html("<div>" * 200000 + "x" + "</div>" * 200000),
    "html-200000-deep-and-wrong": lambda: html("<b><table><a><i>" * 50000),
    "escaped-html-200000-deep": lambda: describing("&lt;blockquote>" * 200000),
    "xhtml-200000-deep": lambda: (
        f"{HEAD}<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><content type='xhtml'>"
        + "<div>" * 200000
        + "</div>" * 200000
        + "</content></entry></feed>"
    ),
    "a-megabyte-of-<": lambda: "<" * MB,
    "a-megabyte-of-<-in-a-feed": lambda: describing("<" * MB),
    "a-megabyte-of-<-in-html": lambda: html("<" * MB),
    "a-megabyte-of-&": lambda: describing("&" * MB),
    "a-megabyte-of-<!--": lambda: html("<!--" * (MB // 4)),
    "a-megabyte-of-<![CDATA[": lambda: describing("<![CDATA[" * (MB // 9)),
    "a-megabyte-of-</a>": lambda: describing("</a>" * (MB // 4)),
    "a-megabyte-of-<!DOCTYPE": lambda: "<!DOCTYPE rss [" * (MB // 15),
    "quotes-in-a-doctype": lambda: "<!DOCTYPE a [" + "\"'" * (4 * MB) + "<rss>",
    "100000-items": lambda: feed(numbered(100000, "<item><title>#</title><guid>#</guid></item>")),
    "15-MB-of-html": lambda: feed(
        numbered(
            900,
            f"<item><guid>#</guid><description>{'a &lt;b>c&lt;/b> ' * 1000}</description></item>",
        )
    ),
    "categories": lambda: feed(post=numbered(500000, "<category>#</category>")),
    "authors": lambda: feed(post=numbered(300000, "<author>a#@example.org</author>")),
    "10-MB-on-one-line": lambda: "a" * 10 * MB,
    "title-of-10-MB": lambda: f"<rss><channel><item><title>{'a' * 10 * MB}",
    "comment-of-10-MB": lambda: feed(f"<!--{'a' * 10 * MB}"),
    "16-MB-of-spaces": lambda: " " * 16 * MB,
    "utf-16": lambda: feed("a" * 7 * MB).encode("utf-16"),
    "nul-bytes": lambda: b"\0" * 16 * MB,
    "15-MB-of-latin-1": lambda: described(1000, "é" * 15000)
    .replace("?>", " encoding='iso-8859-1'?>", 1)
    .encode("latin-1"),
    "15-MB-of-ampersands": lambda: described(1000, "&" * 15000),
    "date-of-10-MB": lambda: feed(post=f"<pubDate>{'1 ' * 5 * MB}</pubDate>"),
    "link-of-9-MB": lambda: feed(post=f"<link>https://example.org/{'../' * 3 * MB}</link>"),
    "page-of-links": lambda: "<!doctype html><html>" + "<a href='/feed'>rss</a>" * (MB // 2),
    "json-200000-deep": lambda: f'{{"version":"{JSON_FEED}","items":' + "[" * 200000,
    "json-of-objects": lambda: '{"items":[' + "{}," * (5 * MB) + "{}]}",
    "json-of-numbers": lambda: '{"items":[' + "1," * (7 * MB) + "1]}",
    "json-of-keys": lambda: "{" + numbered(MB, '"#":1,') + '"x":1}',
    "json-of-ampersands": lambda: json.dumps(
        {"items": [{"id": str(i), "content_html": "&" * 15000} for i in range(1000)]}
    ),
    "json-html-deep": lambda: json.dumps(
        {"version": JSON_FEED, "items": [{"id": "1", "content_html": "x<div>" * 200000}]}
    ),
}

ARTICLES = {
    "yaml-laughs.md": lambda: "---\na: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
    + "---\nx\n",
    "yaml-deep.md": lambda: "---\na: " + "[" * 60000 + "\n---\nx\n",
    "yaml-without-an-end.md": lambda: "---\na: " + "[" * 200000 + "\n---\nx\n",
    "toml-deep.md": lambda: "+++\na = " + "[" * 60000 + "\n+++\nx\n",
    "json-deep.md": lambda: '{"a":' + "[" * 200000,
    "brackets.md": lambda: "[" * MB,
    "links.md": lambda: "[a](" * (MB // 4),
    "images.md": lambda: "![" * (MB // 2),
    "quotes.md": lambda: "> " * (MB // 2),
    "quotes-deep.md": lambda: ">" * 200000 + "x",
    "lists-deep.md": lambda: "".join(" " * i + "- a\n" for i in range(1400)),
    "stars.md": lambda: "*a " * (MB // 3),
    "stars-and-lines.md": lambda: "*a _b" * (MB // 5),
    "backticks.md": lambda: "".join("`" * i + " " for i in range(1400)),
    "angles.md": lambda: "<" * MB,
    "comments.md": lambda: "<!--" * (MB // 4),
    "references.md": lambda: numbered(100000, "[r#]: /u\n") + "[r1]" * 100000,
    "tables.md": lambda: "|" * 30000 + "\n" + "|-" * 30000 + "\n" + "|a\n" * 100,
    "entities.md": lambda: "&" * MB,
    "shortcodes.md": lambda: "{{< a " * (MB // 6),
    "shortcodes-paired.md": lambda: "{{% a %}}" * (MB // 9),
    "liquid.md": lambda: "{% raw %}{{ a" * (MB // 13),
    "deep.html": lambda: "<div>" * 200000,
    "metas.html": lambda: "<meta name=a content=b>" * (4 * MB // 23),
    "4-MB.md": lambda: "a *b* [c](d) `e`\n" * (4 * MB // 17),
}

# A process that was forked begins with the memory of its parent, which counts for its peak, and
# pytest is big: between the two stands somebody small.
LAUNCHER = """
import json, os, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]), file=sys.stderr)
"""


class Used:
    """What hubmailctl said, and what it took: seconds of processor time, bytes at its peak."""

    def __init__(self, arguments):
        program = find_program(RELEASE, "hubmailctl")
        done = subprocess.run(
            ["/usr/bin/python3", "-S", "-E", "-c", LAUNCHER, program, *map(str, arguments)],
            capture_output=True,
            timeout=120,
        )
        *words, numbers = done.stderr.decode().splitlines()
        self.code, self.cpu, self.memory = json.loads(numbers)
        self.out = done.stdout
        self.err = "\n".join(words)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """What the smallest feed takes."""
    path = tmp_path_factory.mktemp("empty") / "feed"
    path.write_text("<rss><channel></channel></rss>")
    return Used(["--json", "parse", path])


def check(used, empty, name):
    grown = used.memory - empty.memory
    print(f"{name}: {used.cpu:.2f} s, {grown / MB:.1f} MB, {used.err or len(used.out)}")
    assert used.code in (0, 65), (used.code, used.err)
    assert used.code == 0 or used.err.strip(), "an error says what it is"
    assert grown <= MEMORY_MAX, f"{grown / MB:.1f} MB"
    assert used.cpu <= CPU_MAX_S, f"{used.cpu:.2f} s"


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", FEEDS)
def test_a_hostile_feed(tmp_path, empty, name):
    path = write(tmp_path / "feed", FEEDS[name]())
    used = Used(["--json", "parse", path, "--base", "https://blog.example/"])
    check(used, empty, name)
    assert b"root:" not in used.out


@pytest.mark.parametrize("where", ["entity", "dtd"])
def test_nothing_outside_of_a_feed_is_asked_for(tmp_path, feeds, where):
    url = feeds.put("/outside", "<!ENTITY x 'outside'>")
    dtd = f"<!DOCTYPE rss SYSTEM '{url}'>"
    text = external(url) if where == "entity" else describing("A&x;Z", doctype=dtd)
    used = Used(["--json", "parse", write(tmp_path / "feed", text)])
    assert used.code == 0 and b"outside" not in used.out
    assert not feeds.requests


@pytest.mark.parametrize("name", ARTICLES)
def test_a_hostile_article(tmp_path, empty, name):
    path = write(tmp_path / name, ARTICLES[name]())
    check(Used(["--json", "parse", path]), empty, name)


# ---- Over the network, by the daemon ----


def brotli(data):
    """By the library that libcurl unpacks it with."""
    encoder = ctypes.CDLL("libbrotlienc.so.1")
    size = ctypes.c_size_t(len(data) + 1024)
    packed = ctypes.create_string_buffer(size.value)
    length = ctypes.c_size_t(len(data))
    assert encoder.BrotliEncoderCompress(5, 24, 0, length, data, ctypes.byref(size), packed)
    return packed.raw[: size.value]


def bomb(mb):
    return b"<rss><channel>" + bytes(mb * MB)


BOMBS = {
    "gzip-bomb": (lambda: gzip.compress(bomb(500), 9), "gzip"),
    "brotli-bomb": (lambda: brotli(bomb(500)), "br"),
    "nested-gzip": (lambda: gzip.compress(gzip.compress(bomb(500))), "gzip, gzip"),
    "brotli-in-gzip": (lambda: gzip.compress(brotli(bomb(500))), "br, gzip"),
    "gzip-of-nothing-again-and-again": (lambda: gzip.compress(b"") * MB, "gzip"),
    "half-a-gzip": (lambda: gzip.compress(bomb(10))[:-5000], "gzip"),
    "no-gzip": (lambda: b"\x1f\x8b" + os.urandom(MB), "gzip"),
}


class Memory:
    """Of a process: how far it grew since the last reset, and the processor time that it used."""

    def __init__(self, pid):
        self.process = pathlib.Path(f"/proc/{pid}")
        self.empty = self.bytes("VmRSS")

    def bytes(self, name):
        (kb,) = re.findall(rf"^{name}:\s*(\d+) kB$", (self.process / "status").read_text(), re.M)
        return int(kb) << 10

    def cpu(self):
        fields = (self.process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def reset(self):
        (self.process / "clear_refs").write_text("5")
        self.before, self.start = self.bytes("VmRSS"), self.cpu()

    def check(self, name, said):
        grown, cpu = self.bytes("VmHWM") - self.before, self.cpu() - self.start
        print(f"{name}: {cpu:.2f} s, {grown / MB:.1f} MB, {said}")
        assert grown <= MEMORY_MAX, f"{name}: {grown / MB:.1f} MB"
        assert cpu <= CPU_MAX_S, f"{name}: {cpu:.2f} s"


@pytest.fixture
def watched(make_house, sink, feeds):
    """look(name, body, **headers): has the daemon look at that, and then at a good feed, which it
    has to read; the errors that it recorded."""
    house = make_house(sink.port, RELEASE)
    url = feeds.put("/feed", "<rss><channel></channel></rss>")
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    memory = Memory(house.daemon.pid)
    looks = []

    def ask(body, **headers):
        feeds.put("/feed", body, "text/xml", **headers)
        before = house.log.count(" fetched ")
        assert house.ctl("poll", url).code == 0
        wait_until(lambda: house.log.count(" fetched ") > before, "it is fetched", 100)

    def titles():
        return [p["title"] for p in house.ask("posts", "-n", "100000")]

    def look(name, body, **headers):
        looks.append(name)
        title = f"Good {len(looks)}"
        start = len(house.log)
        memory.reset()
        ask(body, **headers)
        ask(rss(item(title, len(looks))))
        wait_until(lambda: title in titles(), f"a good feed is read after {name}", 60)
        errors = re.findall(r"source failed .* reason=(.*)", house.log[start:])
        memory.check(name, errors or "read")
        return errors

    look.memory = memory
    return look


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_recorded_error(watched, name):
    make, coding = BOMBS[name]
    (error,) = watched(name, make(), **{"Content-Encoding": coding})
    assert re.search("more than|broken|damaged", error)


def test_one_daemon_reads_all_of_it_and_is_not_much_bigger_afterwards(watched):
    for name, make in FEEDS.items():
        assert len(watched(name, make())) <= 1
    kept = watched.memory.bytes("VmRSS") - watched.memory.empty
    print(f"{kept / MB:.1f} MB stay")
    assert kept <= KEPT_MAX, f"{kept / MB:.1f} MB"


class Endless:
    """A web server whose answer never ends: it goes on with `piece` after each pause."""

    def __init__(self, head, piece, pause_s=0):
        self.head, self.piece, self.pause_s = head, piece, pause_s
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/feed"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.talk(connection)

    def talk(self, connection):
        try:
            connection.recv(65536)
            connection.sendall(self.head)
            while True:
                connection.sendall(self.piece)
                time.sleep(self.pause_s)
        except OSError:
            pass


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
ENDLESS = {
    "body": (OK + b"\r\n<rss><channel>", b"<item>" * 10000),
    "header": (OK, b"X-More: " + b"x" * 1000 + b"\r\n"),
    "line-of-a-header": (OK + b"X-More: ", b"x" * 10000),
    "interim-answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "slow-body": (OK + b"\r\n<rss><channel>", b" ", 0.2),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_an_end(make_house, sink, kind):
    """The slow one takes the minute that a source has; nobody else has to wait for it."""
    house = make_house(sink.port, RELEASE)
    house.start()
    house.add("ann@example.org")
    memory = Memory(house.daemon.pid)
    server = Endless(*ENDLESS[kind])
    house.news["sources"].append(house.feed_of(server.url))
    house.write_config()
    memory.reset()
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    house.write_post("a.md", "From the directory")
    sink.wait_for(1)
    house.wait_log("source failed .* reason=", 90)
    server.listener.close()
    error = house.source("feed")["error"]
    memory.check(kind, error)
    assert re.search("more than|header|not answered completely", error)
