"""What real feeds do wrong is read as well as feedparser reads it: the whole corpus of
tests/fixtures/feeds by both, entry by entry."""

import calendar
import datetime
import html.parser
import json
import os
import pathlib
import subprocess

import feedparser
import pytest

from conftest import BUILD
from house import ENVIRONMENT
from sink import find_program

FEEDS = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "feeds"

NO_DATE = "feedparser cannot read this date"
WRONG_DATE = "feedparser reads only a part of this date"
UNSEEN = "characters that hide or turn text are dropped"
CUT_OFF = "of a document that was cut off only the whole items are taken: the rest comes next time"
NO_JSON = "feedparser reads no JSON"

# Where hubmail differs on purpose: case -> field -> why. Fields are entries (their number; if it is
# another, nothing else of the case is compared), title, link, guid, date and author.
DIFFERENCES = {
    "amp-link": {"link": "a reference without a semicolon is none before '=' (HTML, 13.2.5.73)"},
    "atom03": {"author": "an entry has the feed's author if it has none (as in RFC 4287, 4.2.1)"},
    "author-feed": {"author": "an entry has the feed's author if it has none (RFC 4287, 4.2.1)"},
    "charset-mixed": {"title": "what is UTF-8 and what is Windows-1252 is seen for each character"},
    "control": {"title": UNSEEN},
    "control-ref": {"title": UNSEEN},
    "date-cet": {"date": "feedparser takes CET for UTC"},
    "date-chinese": {"date": WRONG_DATE},
    "date-dashes": {"date": NO_DATE},
    "date-dotnet": {"date": "the year 1 is how .NET says that there is none"},
    "date-european": {"date": NO_DATE},
    "date-french": {"date": NO_DATE},
    "date-german": {"date": NO_DATE},
    "date-iso-basic": {"date": WRONG_DATE},
    "date-iso-utc": {"date": WRONG_DATE},
    "date-ordinal": {"date": NO_DATE},
    "date-russian": {"date": NO_DATE},
    "date-slashes": {"date": NO_DATE},
    "date-spanish": {"date": NO_DATE},
    "date-unix": {"date": "feedparser takes seconds for a year"},
    "date-unix-millis": {"date": "feedparser takes milliseconds for a year"},
    "date-us": {"date": NO_DATE},
    "date-us-midnight": {"date": NO_DATE},
    "date-words": {"date": NO_DATE},
    "date-year-first": {"date": WRONG_DATE},
    "date-zero": {"date": "the year 0 is how databases say that there is none"},
    "dc-title-both": {"title": "the format's own title wins over a module's, wherever it stands"},
    "description-unclosed": {"entries": "a description without an end does not swallow what follows"},
    "entity-broken": {"entries": "feedparser breaks on the number of a character that there is not"},
    "entity-windows": {"title": "feedparser drops the three dots of Windows-1252"},
    "feedburner": {"link": "the address of the post, not of who counts the clicks"},
    "guid-lines": {"guid": "a guid is one line"},
    "item-empty": {"entries": "what has nothing to show or to follow is no post"},
    "item-image": {"title": "feedparser takes the image's title for the item's"},
    "json-bom": {"entries": NO_JSON},
    "json-nothing": {"entries": NO_JSON},
    "json10": {"entries": NO_JSON},
    "json11": {"entries": NO_JSON},
    "link-iri": {"link": "an address in other letters is percent-encoded"},
    "link-javascript": {"link": "only http and https are followed"},
    "mismatch": {"entries": "an end tag with a typing error does not swallow the next item"},
    "no-base": {"link": "without an address of its own, the channel's link is the feed's base"},
    "no-root": {"entries": "items without a feed around them are no feed"},
    "nul": {"title": UNSEEN},
    "quadratic-blowup": {"title": "a title has an end"},
    "rdf-no-ns": {"link": "a link is seen also where nobody declared RDF"},
    "title-bidi": {"title": UNSEEN},
    "title-invisible": {"title": UNSEEN},
    "truncated": {"entries": CUT_OFF},
    "truncated-atom": {"entries": CUT_OFF},
    "truncated-cdata": {"entries": CUT_OFF},
    "truncated-first": {"entries": CUT_OFF},
    "wordpress": {"entries": NO_JSON},
}

# What differs in so many cases that a rule says it better than a table: name -> (field, is it so?)
RULES = {
    "an entry without a guid is known by its link, or a hash": (
        "guid",
        lambda ours, theirs: theirs["guid"] is None
        and (ours["guid"] == ours["link"] or ours["guid"].startswith("sha256:")),
    ),
    "a guid is a name, and stays as it is written (RFC 4287, 4.2.6.1)": (
        "guid",
        lambda ours, theirs: theirs["guid"] is not None
        and not ours["guid"].startswith("http")
        and theirs["guid"].startswith("http")
        and theirs["guid"].endswith(ours["guid"]),
    ),
    "a guid of one word is no address": (
        "link",
        lambda ours, theirs: ours["link"] is None
        and theirs["link"] == theirs["guid"]
        and "/" not in ours["guid"],
    ),
}


class Text(html.parser.HTMLParser):
    """What a reader sees of HTML, on one line."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.parts = []
        self.feed(markup)
        self.close()

    def handle_data(self, data):
        self.parts.append(data)


def title_of(detail):
    if detail is None:
        return None
    plain = detail["type"] == "text/plain"
    text = detail["value"] if plain else "".join(Text(detail["value"]).parts)
    return " ".join(text.split()) or None


def instant_of(parsed):
    """Seconds; what no calendar has stays as it came."""
    try:
        return calendar.timegm(parsed) if parsed else None
    except ValueError:
        return tuple(parsed)


def author_of(entry):
    names = [a.get("name") or a.get("email") for a in entry.get("authors", [])]
    return ", ".join(n for n in names if n) or None


def by_feedparser(data, base, charset):
    """The entries, or None if it broke."""
    kind = "application/xml" + (f"; charset={charset}" if charset else "")
    headers = {"content-type": kind, "content-location": base or ""}
    try:
        entries = feedparser.parse(data, response_headers=headers).entries
    except (OverflowError, ValueError):
        return None
    return [
        {
            "title": title_of(e.get("title_detail")),
            "link": e.get("link") or None,
            "guid": e.get("id") or None,
            "date": instant_of(
                e.get("published_parsed") or e.get("created_parsed") or e.get("updated_parsed")
            ),
            "author": author_of(e),
        }
        for e in entries
    ]


def by_hubmail(where, base):
    """The entries; none if it is an error."""
    done = subprocess.run(
        [find_program(BUILD, "hubmailctl"), "--json", "parse", where]
        + (["--base", base] if base else []),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **ENVIRONMENT},
    )
    assert done.returncode in (0, 65), done.stderr
    posts = json.loads(done.stdout) if done.returncode == 0 else []
    return [
        {
            "title": p.get("title"),
            "link": p.get("url"),
            "guid": p.get("guid"),
            "date": seconds(p.get("published") or p.get("updated")),
            "author": p.get("author"),
        }
        for p in posts
    ]


def seconds(text):
    moment = text and datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment and calendar.timegm(moment.utctimetuple())


def rule_for(field, ours, theirs):
    return next((name for name, (of, holds) in RULES.items() if of == field and holds(ours, theirs)), None)


def compare(ours, theirs):
    """{field: what each of them says}, and the names of the rules that explained something."""
    if theirs is None or len(ours) != len(theirs):
        return {"entries": (ours, theirs)}, set()
    differences, used = {}, set()
    for mine, other in zip(ours, theirs):
        for field in mine:
            rule = rule_for(field, mine, other) if mine[field] != other[field] else None
            if rule:
                used.add(rule)
            elif mine[field] != other[field]:
                differences[field] = (mine[field], other[field])
    return differences, used


def corpus():
    for path in sorted(FEEDS.glob("*.expect.json")):
        case = json.loads(path.read_text())
        if case["as"] == "feed":
            yield path.name.removesuffix(".expect.json"), case


@pytest.fixture
def read_by_hubmail(feeds, tmp_path):
    """A charset that the server says needs one; and a file's name must not make it an article."""

    def read(case, data):
        if "charset" in case:
            kind = f"application/xml; charset={case['charset']}"
            return by_hubmail(feeds.put("/" + case["input"], data, kind), case.get("base"))
        file = tmp_path / "feed"
        file.write_bytes(data)
        return by_hubmail(file, case.get("base"))

    return read


def test_feeds_are_read_as_feedparser_reads_them_but_where_it_is_said_why(read_by_hubmail):
    found, unused, cases = {}, set(RULES), 0
    for name, case in corpus():
        data = (FEEDS / case["input"]).read_bytes()
        theirs = by_feedparser(data, case.get("base"), case.get("charset"))
        differences, used = compare(read_by_hubmail(case, data), theirs)
        unused -= used
        found.update({(name, field): both for field, both in differences.items()})
        cases += 1
    said = {(name, field) for name, fields in DIFFERENCES.items() for field in fields}
    new = "".join(
        f"{name}: {field}\n  hubmail     {ours!r:.300}\n  feedparser  {theirs!r:.300}\n"
        for (name, field), (ours, theirs) in found.items()
        if (name, field) not in said
    )
    assert not new, "differences that nobody explains:\n" + new
    gone = sorted(said - set(found))
    assert not gone, f"these are no differences any more, take them out of the table: {gone}"
    assert not unused, f"these rules explain nothing any more: {unused}"
    print(f"{cases} cases, {len(found)} differences, each on purpose")
    assert cases > 200
