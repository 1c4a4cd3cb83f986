"""A message as somebody else's parser sees it, and what every newsletter must be."""

import email
import email.policy
import re
from email.utils import parsedate_to_datetime

HEADERS_ONCE = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)


class Mail:
    """One message; `raw` is what came over the wire."""

    def __init__(self, raw):
        self.raw = raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)

    def __getitem__(self, name):
        return str(self.message[name])

    @property
    def subject(self):
        return self["Subject"]

    @property
    def message_id(self):
        return self["Message-ID"].strip()

    def part(self, kind):
        """The decoded text of the text/KIND part."""
        found = [p for p in self.message.walk() if p.get_content_type() == f"text/{kind}"]
        assert len(found) == 1, f"{len(found)} parts of text/{kind}"
        return found[0].get_content()

    @property
    def html(self):
        return self.part("html")

    @property
    def text(self):
        return self.part("plain")

    @property
    def unsubscribe_url(self):
        return re.fullmatch(r"<(https?://[^>]+)>", self["List-Unsubscribe"].strip()).group(1)

    def judge(self, to=None):
        """Fails for whatever a strict reader of the RFCs would object to."""
        self._judge_bytes()
        self._judge_defects()
        self._judge_headers()
        assert self.message.get_content_type() == "multipart/alternative"
        parts = [p.get_content_type() for p in self.message.iter_parts()]
        assert parts == ["text/plain", "text/html"], parts
        assert self.unsubscribe_url in self.html.replace("&amp;", "&")
        assert self.unsubscribe_url in self.text
        if to is not None:
            assert [a.addr_spec for a in self.message["To"].addresses] == [to]
        return self

    def _judge_bytes(self):
        assert self.raw.isascii(), "bytes above 127 were not agreed upon"
        assert b"\0" not in self.raw
        assert self.raw.endswith(b"\r\n")
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", self.raw), "a line end that is not CRLF"
        longest = max(len(line) for line in self.raw.split(b"\r\n"))
        assert longest <= 998, f"a line of {longest} bytes"

    def _judge_defects(self):
        for part in self.message.walk():
            assert not part.defects, part.defects
            for name, value in part.items():
                assert not value.defects, (name, value.defects)
            if not part.is_multipart():
                text = part.get_content()
                assert "\ufffd" not in text, "text that did not survive its charset"
                assert not part.defects, part.defects

    def _judge_headers(self):
        for name in HEADERS_ONCE:
            assert len(self.message.get_all(name, [])) == 1, f"{name} must stand exactly once"
        assert re.fullmatch(r"<[^<>\s@]+@[^<>\s@]+>", self.message_id), self.message_id
        assert parsedate_to_datetime(self["Date"]).tzinfo is not None
        assert re.search(r"<[^<>\s]+>$", self["List-Id"].strip()), self["List-Id"]
        assert self["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert self["Precedence"] == "bulk"
        assert self["Auto-Submitted"].startswith("auto-")
