#!/usr/bin/python3
"""Parsing a big feed beside `xmllint --noout` on the same file: processor time of whole processes,
less that of one that has nothing to parse; runs in turn, medians, the ratio. What hubmail does
besides, making the HTML in the feed harmless, is measured alone and taken off."""

import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from measure import Goal, Table, in_turn, parser, save, title

GOAL = Goal(at_most=2)
WORDS = "the mail that a reader waits for comes on a morning and says what was written".split()


def arguments():
    p = parser(__doc__)
    p.add_argument("--items", type=int, default=1000)
    p.add_argument("--bytes", type=int, default=5_000_000, help="of the whole feed")
    a = p.parse_args()
    a.runs = a.runs or (5 if a.quick else 15)
    return a


def paragraph(n):
    text = " ".join(WORDS[(n * 7 + i * i) % len(WORDS)] for i in range(40))
    return (
        f'<p>Paragraph {n}: {text}, <em>{text[:30]}</em> &amp; <a href="/posts/{n}/?a=1&amp;b=2">'
        f'more</a>.</p>\n<ul><li>one</li><li><strong>two</strong></li></ul>\n'
        f'<img src="/images/{n}.jpg" alt="A picture" width="640" height="480">\n'
    )


def content(n, size):
    parts, length = [], 0
    while length < size:
        parts.append(paragraph(n * 100 + len(parts)))
        length += len(parts[-1])
    return "".join(parts)


def cdata(html):
    return f"<![CDATA[{html}]]>"


def feed(pairs, wrap):
    items = "".join(
        f"<item><title>Post {n} &amp; more</title><link>https://blog.example/{n}/</link>"
        f"<guid isPermaLink='false'>post-{n}</guid><dc:creator>Ada</dc:creator>"
        f"<pubDate>Tue, 24 Nov 2026 08:{n % 60:02d}:00 +0000</pubDate>"
        f"<category>Science</category><description>{wrap(summary)}</description>"
        f"<content:encoded>{wrap(html)}</content:encoded></item>\n"
        for n, (summary, html) in enumerate(pairs)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n<rss version='2.0'"
        " xmlns:dc='http://purl.org/dc/elements/1.1/'"
        " xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>A blog</title><link>https://blog.example/</link>\n{items}</channel></rss>\n"
    )


def pairs_for(a, wrap):
    """Summaries and contents with which the feed has about the size that is wanted."""

    def make(size):
        return [(f"<p>Summary of post {n}.</p>", content(n, size)) for n in range(a.items)]

    size = a.bytes // a.items
    for _ in range(4):
        size = max(1, int(size * a.bytes / len(feed(make(size), wrap))))
    return make(size)


def cpu_of(*command, answer=None):
    """Milliseconds of processor time."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == 0, (command, process.returncode)
    assert answer is None or said == str(answer), (command, said, answer)
    return 1000 * (usage.ru_utime + usage.ru_stime)


def compare(a, folder, form, wrap):
    program = str(a.build / "hubmail-bench-parse")
    pairs = pairs_for(a, wrap)
    big, small, html = folder / "big.xml", folder / "small.xml", folder / "html"
    big.write_text(feed(pairs, wrap))
    small.write_text(feed([], wrap))
    html.write_text("".join(f"{part}\0" for pair in pairs for part in pair))
    runs = in_turn(
        a.runs,
        xmllint=lambda: cpu_of("xmllint", "--noout", big),
        xmllint_empty=lambda: cpu_of("xmllint", "--noout", small),
        parse=lambda: cpu_of(program, "parse", big, answer=min(a.items, 1000)),
        read=lambda: cpu_of(program, "read", big, answer=0),
        sanitise=lambda: cpu_of(program, "sanitise", html, answer=2 * a.items),
        read_html=lambda: cpu_of(program, "read", html, answer=0),
    )
    ms = {name: statistics.median(values) for name, values in runs.items()}
    xmllint = ms["xmllint"] - ms["xmllint_empty"]
    sanitising = ms["sanitise"] - ms["read_html"]
    whole = ms["parse"] - ms["read"]
    ratio = (whole - sanitising) / xmllint
    return {
        "form": form,
        "bytes": big.stat().st_size,
        "items": a.items,
        "hubmail_ms": whole,
        "sanitising_ms": sanitising,
        "parsing_ms": whole - sanitising,
        "xmllint_ms": xmllint,
        "ratio": ratio,
        "goal": str(GOAL),
        "reached": GOAL.reached(ratio),
        "runs": runs,
    }


def main():
    a = arguments()
    title(
        f"Parsing a feed of {a.items} items beside xmllint --noout, ms of processor time:"
        f" medians of {a.runs} runs in turn"
    )
    table = Table(
        "content", "bytes", "hubmail", "sanitising", "the rest", "xmllint", "rest/xmllint", "goal", "reached"
    )
    results = []
    for form, wrap in (("CDATA", cdata), ("escaped", escape)):
        with tempfile.TemporaryDirectory() as folder:
            r = compare(a, Path(folder), form, wrap)
        results.append(r)
        table.row(
            r["form"],
            r["bytes"],
            f"{r['hubmail_ms']:.1f}",
            f"{r['sanitising_ms']:.1f}",
            f"{r['parsing_ms']:.1f}",
            f"{r['xmllint_ms']:.1f}",
            f"{r['ratio']:.2f}",
            goal=GOAL,
            value=r["ratio"],
        )
    save(a, "parse", {"bench": "parse", "results": results})


if __name__ == "__main__":
    main()
