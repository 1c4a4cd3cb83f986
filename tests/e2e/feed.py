#!/usr/bin/python3
"""A feed server: pages and feeds from memory or from a folder, with ETag and Last-Modified, and
with whatever goes wrong with real ones. By hand: python3 tests/e2e/feed.py FOLDER [PORT]"""

import hashlib
import http.server
import pathlib
import sys
import threading
from email.utils import formatdate
from xml.sax.saxutils import escape


class Page:
    def __init__(self, body, kind, status, headers):
        self.body = body.encode() if isinstance(body, str) else body
        self.kind = kind
        self.status = status
        self.headers = headers
        self.etag = '"' + hashlib.sha256(self.body).hexdigest()[:16] + '"'
        self.modified = formatdate(usegmt=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server.feeds
        page = server.page(self.path)
        status = page.status if page else 404
        if page and status == 200 and self._is_known(page):
            status = 304
        server.note(self.path, status, dict(self.headers))
        body = page.body if page and status != 304 else b""
        self.send_response(status)
        if page:
            self.send_header("ETag", page.etag)
            self.send_header("Last-Modified", page.modified)
            if status != 304:
                self.send_header("Content-Type", page.kind)
            for name, value in page.headers.items():
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def _is_known(self, page):
        if "If-None-Match" in self.headers:
            return self.headers["If-None-Match"] == page.etag
        return self.headers.get("If-Modified-Since") == page.modified

    def log_message(self, *args):
        if self.server.feeds.talks:
            super().log_message(*args)


class FeedServer:
    """put() shows a page from then on; requests is what was asked: (path, status, headers)."""

    def __init__(self, port=0, folder=None, talks=False):
        self.pages = {}
        self.requests = []
        self.folder = folder
        self.talks = talks
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.http.feeds = self
        self.port = self.http.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def start(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def put(self, path, body, kind="application/rss+xml", status=200, **headers):
        self.pages[path] = Page(body, kind, status, headers)
        return self.base + path

    def page(self, path):
        if self.folder is None:
            return self.pages.get(path) or self.pages.get(path.partition("?")[0])
        file = (self.folder / path.lstrip("/")).resolve()
        if not file.is_relative_to(self.folder.resolve()) or not file.is_file():
            return None
        kinds = {".xml": "application/xml", ".html": "text/html", ".png": "image/png"}
        page = Page(file.read_bytes(), kinds.get(file.suffix, "text/plain"), 200, {})
        page.modified = formatdate(int(file.stat().st_mtime), usegmt=True)
        return page

    def note(self, path, status, headers):
        self.requests.append((path, status, headers))

    def count(self, path, status=None):
        return sum(1 for p, s, _ in self.requests if p == path and status in (None, s))


def wordpress_post(title, n, **more):
    """One post as WordPress's REST API shows it."""
    link = f"https://blog.example/{n}/"
    return {
        "id": n,
        "status": "publish",
        "date_gmt": f"2026-11-24T08:{n % 60:02d}:00",
        "guid": {"rendered": f"https://blog.example/?p={n}"},
        "link": link,
        "title": {"rendered": title},
        "excerpt": {"rendered": f"<p>Summary of {title} [&hellip;]</p>", "protected": False},
        "content": {"rendered": f"<p>What {title} is about.</p>", "protected": False},
        "_embedded": {
            "author": [{"name": "Ada"}],
            "wp:featuredmedia": [{"source_url": link + "image.png"}],
            "wp:term": [[{"taxonomy": "category", "name": "Science"}]],
        },
        **more,
    }


def item(title, n, author="Ada", content=None):
    """One <item> of RSS 2.0."""
    content = content or f"<p>What {escape(title)} is about.</p>"
    return (
        f"<item><title>{escape(title)}</title><link>https://blog.example/{n}/</link>"
        f"<guid isPermaLink='false'>post-{n}</guid><dc:creator>{escape(author)}</dc:creator>"
        f"<pubDate>Tue, 24 Nov 2026 08:{n % 60:02d}:00 +0000</pubDate>"
        f"<description>{escape('Summary of ' + title)}</description>"
        f"<content:encoded>{escape(content)}</content:encoded></item>"
    )


def rss(*items):
    return (
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0'"
        " xmlns:dc='http://purl.org/dc/elements/1.1/'"
        " xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        "<channel><title>A blog</title><link>https://blog.example/</link>"
        "<description>d</description>" + "".join(items) + "</channel></rss>"
    )


if __name__ == "__main__":
    by_hand = FeedServer(
        int(sys.argv[2]) if len(sys.argv) > 2 else 0, pathlib.Path(sys.argv[1]), talks=True
    )
    print(f"feed server: {by_hand.base}/", flush=True)
    try:
        by_hand.http.serve_forever()
    except KeyboardInterrupt:
        pass
