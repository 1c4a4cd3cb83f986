#!/usr/bin/python3
"""A small WebSub hub: takes subscriptions, asks back, and delivers with a signature. By hand:
python3 tests/e2e/hub.py [PORT]"""

import hashlib
import hmac
import http.server
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request


def call(url, body=None, **headers):
    """(status, text)."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = {k: v[0] for k, v in urllib.parse.parse_qs(body).items()}
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        hub = self.server.hub
        hub.asked.append(fields)
        threading.Thread(target=hub.verify, args=(fields,), daemon=True).start()

    def log_message(self, *args):
        pass


class Hub:
    """asked: the requests; subscribers: those who confirmed, by topic."""

    def __init__(self, port=0, lease=86400):
        self.asked = []
        self.subscribers = {}
        self.lease = lease
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.http.hub = self
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"

    def start(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def ask(self, fields, **other):
        """The question to a subscriber: (status, text)."""
        query = {
            "hub.mode": fields["hub.mode"],
            "hub.topic": fields["hub.topic"],
            "hub.challenge": "challenge-42",
            "hub.lease_seconds": self.lease,
        }
        query.update({k.replace("_", ".", 1): v for k, v in other.items()})
        return call(fields["hub.callback"] + "?" + urllib.parse.urlencode(query))

    def verify(self, fields):
        if self.ask(fields) != (200, "challenge-42"):
            return
        if fields["hub.mode"] == "unsubscribe":
            self.subscribers.pop(fields["hub.topic"], None)
        else:
            self.subscribers[fields["hub.topic"]] = fields

    def deliver(self, topic, body, key=None, digest="sha256"):
        """The status that the subscriber answers."""
        fields = self.subscribers[topic]
        key = key or fields["hub.secret"]
        signature = hmac.new(key.encode(), body.encode(), getattr(hashlib, digest)).hexdigest()
        headers = {
            "Content-Type": "application/rss+xml; charset=utf-8",
            "X-Hub-Signature": f"{digest}={signature}",
        }
        return call(fields["hub.callback"], body.encode(), **headers)[0]


if __name__ == "__main__":
    by_hand = Hub(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"hub: {by_hand.url}", flush=True)
    by_hand.http.serve_forever()
