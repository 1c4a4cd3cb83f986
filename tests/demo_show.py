#!/usr/bin/python3
"""For demo.sh: demo_show.py INBOX OUT FIRST SUBJECT [TEXT…] -- READER…

The messages of the sink's folder INBOX from number FIRST on must be one for each READER, right in
every respect, with SUBJECT in the subject and every TEXT in both parts. Shows what each reader
sees, writes the HTML parts and the whole messages to OUT, and exits with 1 if something is wrong."""

import json
import pathlib
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))

from mail import Mail  # noqa: E402

LINES = 14  # of the first reader's text


def read(inbox):
    raw = (inbox / "messages.raw").read_bytes()
    entries = map(json.loads, (inbox / "log.jsonl").read_text().splitlines())
    for entry in (e for e in entries if e["event"] == "message"):
        start = entry["offset"]
        yield entry["to"][0], Mail(raw[start : start + entry["size"]])


def show(mail, path, whole):
    print(f"\n  To: {mail['To']}\n  Subject: {mail.subject}")
    lines = [line for line in mail.text.splitlines() if line.strip()] if whole else []
    for line in lines[:LINES]:
        print("    │ " + textwrap.shorten(line, 88, placeholder=" …"))
    print(f"    └ {path}")


def main():
    inbox, out, first, subject, *rest = sys.argv[1:]
    texts, readers = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    out = pathlib.Path(out)
    out.mkdir(exist_ok=True)
    got = list(read(pathlib.Path(inbox)))[int(first) :]
    assert sorted(to for to, _ in got) == sorted(readers), f"mail came for {[to for to, _ in got]}"
    for number, (to, mail) in enumerate(got, int(first) + 1):
        stem = out / f"{number:02d}-{to}"
        stem.with_name(stem.name + ".eml").write_bytes(mail.raw)
        page = stem.with_name(stem.name + ".html")
        page.write_text(mail.html, encoding="utf-8")
        show(mail, page, whole=number == int(first) + 1)
        mail.judge(to=to)
        assert subject in mail.subject, f"the subject lacks {subject!r}"
        for text in texts:
            assert text in mail.text, f"the text part lacks {text!r}"
            assert text in mail.html, f"the HTML part lacks {text!r}"


try:
    main()
except AssertionError as problem:
    sys.exit(f"wrong: {problem}")
