"""hubmailctl by itself: its command line, its three ways to print, and everything that works without
the daemon."""

import contextlib
import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest

from conftest import BUILD, fastest_build
from house import ENVIRONMENT
from sink import find_program
from terminal import on_terminal
from waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def quiet(make_house):
    """A house whose daemon never runs."""
    house = make_house(25)
    house.write_config()
    return house


@pytest.fixture
def two_lists(make_house):
    house = make_house(25)
    house.settings["lists"].append(house.list_of("weekly-news", schedule="weekly mon 08:00"))
    house.news["editions"] = ["each", "daily"]
    house.write_config()
    return house


def readers(house, *options):
    return {s["email"]: s for s in house.ask("subscribers", *options)}


# ---- The command line ----


def test_alone_it_shows_the_commands_by_group(quiet):
    done = quiet.ctl()
    assert done.code == 0
    assert "Readers" in done.out and "Digests and the queue" in done.out
    assert re.search(r"^  import +adds subscribers from a CSV or JSON file$", done.out, re.M)


def test_help_needs_no_configuration(quiet):
    quiet.file.unlink()
    assert quiet.ctl("help", "send").code == 0
    assert quiet.ctl("send", "--help").out == quiet.ctl("help", "send").out
    assert quiet.ctl("--version").out.startswith("hubmailctl ")


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["subscriber"], "did you mean `subscribers`"),
        (["add", "--nmae", "x", "a@example.org"], "did you mean --name"),
        (["add"], "EMAIL"),
        (["add", "--confirm", "a@example.org"], "this version does not have that yet"),
        (["add", "--hour", "8", "a@example.org"], "this version does not have that yet"),
        (["stats"], "this version does not have that command yet"),
        (["erase", "a@example.org"], "add --yes"),
        (["queue", "--state", "lost"], "queued deferred sent"),
        (["posts", "news", "-l", "news"], "the list is named twice"),
        (["send", "news", "--dry-run", "--wait"], "--wait"),
        (["send", "news", "--post", "x"], "number of a post"),
        (["preview", "news", "--html", "--eml"], "exclude"),
        (["pause", "0"], "no such list"),
    ],
)
def test_a_wrong_command_line_is_told_with_what_was_meant(quiet, arguments, says):
    done = quiet.ctl(*arguments)
    assert done.code == (1 if "no such list" in says else 64), done
    assert says in done.err
    assert done.out == ""


def test_a_wrong_configuration_is_told_line_by_line(quiet):
    quiet.news["schedule"] = "weekly moon 08:00"
    quiet.relay["port"] = 0
    quiet.write_config()
    done = quiet.ctl("lists")
    assert done.code == 78
    assert len(done.err.splitlines()) == 2


def test_the_passwords_need_not_be_readable(quiet):
    quiet.relay.update(username="news", password_file=quiet.folder / "nobody-can-read-this")
    quiet.write_config()
    assert quiet.ctl("lists").code == 0


# ---- Readers ----


def test_add_checks_all_addresses_before_it_stores_one(quiet):
    done = quiet.ctl("add", "ann@example.org", "no address", "worse@")
    assert done.code == 1
    assert len(done.err.splitlines()) == 3 and "nothing was added" in done.err
    assert readers(quiet) == {}


def test_add_keeps_everything_that_is_said(two_lists):
    done = two_lists.ctl(
        "add", "ann@example.org", "--name", "Ann 李", "--tag", "a,b", "--tag", "c", "--set",
        "city=Zürich", "-l", "news", "--edition", "daily",
    )
    assert done.code == 0, done
    shown = two_lists.ask("show", "Ann@EXAMPLE.org".replace("Ann", "ann"))
    assert shown["name"] == "Ann 李" and shown["tags"] == ["a,b", "c"]
    assert shown["attributes"] == {"city": "Zürich"}
    (subscription,) = shown["subscriptions"]
    assert subscription["list"] == "news" and subscription["edition"] == "daily"
    assert subscription["origin"] == "hubmailctl add"


def test_which_list_must_be_clear(two_lists):
    done = two_lists.ctl("add", "ann@example.org")
    assert done.code == 64 and "news" in done.err and "weekly-news" in done.err
    done = two_lists.ctl("add", "ann@example.org", "-l", "newz")
    assert done.code == 1 and "did you mean news" in done.err
    assert two_lists.ctl("add", "ann@example.org", "-l", "news", "-l", "weekly-news").code == 0
    assert len(two_lists.ask("subscribers")) == 2
    assert len(two_lists.ask("subscribers", "-l", "news")) == 1


def test_an_edition_that_the_list_does_not_offer_is_refused(two_lists):
    done = two_lists.ctl("add", "ann@example.org", "-l", "news", "--edition", "monthly")
    assert done.code == 1 and "each daily" in done.err
    assert readers(two_lists) == {}


def unsubscribe(house, *emails):
    """As readers do: through an import, which keeps whoever left elsewhere."""
    text = "email,state\n" + "".join(f"{e},unsubscribed\n" for e in emails)
    assert house.ctl("import", "-", stdin=text).code == 0


def test_who_unsubscribed_is_only_added_again_by_force(quiet):
    quiet.add("ann@example.org", "bob@example.org")
    unsubscribe(quiet, "ann@example.org")
    done = quiet.ctl("--json", "add", "ann@example.org", "carl@example.org")
    assert done.code == 1 and "--force" in done.err
    results = {r["email"]: r["result"] for r in json.loads(done.out)}
    assert results == {"ann@example.org": "refused", "carl@example.org": "added"}
    assert readers(quiet)["ann@example.org"]["state"] == "unsubscribed"
    done = quiet.ctl("add", "ann@example.org", "--force")
    assert done.code == 0 and "resubscribed" in done.out


def test_remove_ends_subscriptions_and_says_what_it_found(quiet):
    quiet.add("ann@example.org", "bob@example.org")
    done = quiet.ctl("remove", "ann@example.org", "nobody@example.org")
    assert done.code == 1 and "nobody@example.org: no such subscriber" in done.err
    assert readers(quiet)["ann@example.org"]["state"] == "removed"
    assert readers(quiet)["bob@example.org"]["state"] == "confirmed"
    assert quiet.ctl("remove", "ann@example.org").code == 0, "twice is no error"


def test_subscribers_can_be_chosen(quiet):
    quiet.add("ann@example.org", name="Ann Lee", tag="x", set="city=Oslo")
    quiet.add("bob@example.com", tag="y")
    quiet.ctl("remove", "bob@example.com")

    def chosen(*options):
        return sorted(readers(quiet, *options))

    assert chosen("--tag", "x") == ["ann@example.org"]
    assert chosen("--state", "removed") == ["bob@example.com"]
    assert chosen("--where", "city=Oslo") == ["ann@example.org"]
    assert chosen("--where", "city=Bergen") == []
    assert chosen("--search", "lee") == ["ann@example.org"]
    assert chosen("--search", "example.com") == ["bob@example.com"]


@pytest.mark.parametrize("command", ["subscribers", "posts", "queue", "export"])
def test_a_list_may_stand_as_a_word(two_lists, command):
    two_lists.add("ann@example.org", list="news")
    two_lists.add("bob@example.org", list="weekly-news")
    for name in ("news", "weekly-news"):
        done = two_lists.ctl(command, name)
        assert done.code == 0 and done.out == two_lists.ctl(command, "-l", name).out
        if command in ("subscribers", "export"):
            assert ("ann@" in done.out, "bob@" in done.out) == (name == "news", name != "news")
    assert "no such list" in two_lists.ctl(command, "olds").err


# ---- Import and export ----

EXPORTS = {
    "listmonk": 'uuid,email,name,attributes,status,created_at,updated_at\n'
    '1,ann@example.org,Ann,"{""city"":""Oslo""}",enabled,2020-01-02T03:04:05Z,\n'
    '2,bob@example.org,Bob,{},blocklisted,2020-01-02T03:04:05Z,\n',
    "mailchimp": "Email Address,First Name,Last Name,OPTIN_TIME,UNSUB_TIME,TAGS\n"
    'ann@example.org,Ann,,2020-01-02 03:04:05,,"""a"",""b"""\n'
    "bob@example.org,Bob,,,2021-01-02 03:04:05,\n",
    "ghost": "id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels,tiers\n"
    '1,ann@example.org,Ann,,true,2020-01-02T03:04:05.000Z,,"a,b",\n'
    "2,bob@example.org,Bob,,false,2020-01-02T03:04:05.000Z,,,\n",
    "substack": "email,active_subscription,expiry,plan,email_disabled,created_at\n"
    "ann@example.org,false,,other,false,2020-01-02T03:04:05.000Z\n"
    "bob@example.org,false,,other,true,2020-01-02T03:04:05.000Z\n",
    "buttondown": "email_address,notes,metadata,tags,type,creation_date\n"
    'ann@example.org,,{},"a,b",regular,2020-01-02T03:04:05Z\n'
    "bob@example.org,,{},,unsubscribed,2020-01-02T03:04:05Z\n",
}


@pytest.mark.parametrize("program", EXPORTS)
def test_exports_of_other_programs_are_understood(quiet, program):
    done = quiet.ctl("import", "-", stdin=EXPORTS[program])
    assert done.code == 0, done
    found = readers(quiet)
    assert found["ann@example.org"]["state"] == "confirmed"
    assert found["ann@example.org"]["created_at"] == "2020-01-02T03:04:05Z"
    assert found["bob@example.org"]["state"] == "unsubscribed"
    assert quiet.ctl("add", "bob@example.org").code == 1, "who left elsewhere is known as such"


def test_export_and_import_keep_everything(two_lists, make_house):
    two_lists.add("ann@example.org", name='Ann "the\tfirst", 李', tag="a,b", set='k="v"\nw', list="news")
    two_lists.add("ann@example.org", list="weekly-news")
    two_lists.add("bob@example.org", list="news", edition="daily", tag=" x ")
    two_lists.add("carl@example.org", "dora@example.org", list="news")
    two_lists.ctl("remove", "carl@example.org")
    text = "email,list,state\ndora@example.org,news,unsubscribed\neve@example.org,news,pending\n"
    assert two_lists.ctl("import", "-", stdin=text).code == 0
    exported = two_lists.ctl("export").out

    other = make_house(25)
    other.settings["lists"] = [
        {**one, "from": "x <x@example.org>"} for one in two_lists.settings["lists"]
    ]
    other.write_config()
    done = other.ctl("import", "-", stdin=exported)
    assert done.code == 0, done
    assert other.ctl("export").out == exported
    assert other.ctl("import", "-", stdin=exported).code == 0, "it is safe to repeat"
    assert other.ctl("export").out == exported
    assert other.ctl("export", "--format", "json").out == two_lists.ctl("--json", "export").out
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert rows[0]["name"] == 'Ann "the first", 李'
    assert json.loads(rows[0]["attributes"]) == {"k": '"v"\nw'}


def test_the_json_of_an_export_is_read_too(two_lists, make_house):
    two_lists.add("ann@example.org", name='Ann "the\tfirst", 李', tag="a,b", set='k="v"\nw', list="news")
    two_lists.add("ann@example.org", list="weekly-news")
    two_lists.add("bob@example.org", list="news", edition="daily", tag=" x ")
    two_lists.add("carl@example.org", list="news")
    two_lists.ctl("remove", "carl@example.org")
    exported = two_lists.ctl("export", "--format", "json").out

    other = make_house(25)
    other.settings["lists"] = [
        {**one, "from": "x <x@example.org>"} for one in two_lists.settings["lists"]
    ]
    other.write_config()
    assert other.ctl("import", "-", stdin=other.ctl("export", "--format", "json").out).code == 0
    path = other.folder / "readers.json"
    path.write_text(exported)
    done = other.ctl("import", path)
    assert done.code == 0, done
    assert other.ctl("export", "--format", "json").out == exported
    assert other.ctl("export").out == two_lists.ctl("export").out
    assert other.ctl("import", "-", stdin=exported).code == 0, "it is safe to repeat"
    assert other.ctl("export", "--format", "json").out == exported


def test_bad_readers_in_json_are_told_kept_and_can_be_mended(quiet):
    path, rejects = quiet.folder / "r.json", quiet.folder / "rejects.json"
    path.write_text(
        '[\n{"mail": "ann@example.org", "city": "Oslo"},\n{"mail": "nonsense", "name": "Bob"},\n7,\n'
        '{"mail": "carl@example.org"}\n]\n'
    )
    done = quiet.ctl("--json", "import", path, "--rejects", rejects, "--map", "city=set:city")
    assert done.code == 65
    assert [b["line"] for b in json.loads(done.out)["bad_lines"]] == [3, 4]
    assert sorted(readers(quiet)) == ["ann@example.org", "carl@example.org"]
    assert quiet.ask("show", "ann@example.org")["attributes"] == {"city": "Oslo"}
    assert f"{path}:3: " in done.err and "nonsense" in done.err
    kept = json.loads(rejects.read_text())
    assert [k["line"] for k in kept] == [3, 4] and kept[0]["name"] == "Bob"
    mended = rejects.read_text().replace("nonsense", "bob@example.org")
    assert quiet.ctl("import", "-", stdin=mended).code == 65, "one of the two is still bad"
    assert "bob@example.org" in readers(quiet)


@pytest.mark.parametrize(
    "text, says",
    [
        ('[{"email": "ann@example.org"}, {"email": ', "standard input:1: the JSON is broken"),
        ('{"email": "ann@example.org"}', "an array of readers"),
        ('[{"name": "Ann"}]', "--map COLUMN=email"),
        ('[{"ann@example.org": "Ann"}]', "an address stands in the place of a name"),
    ],
)
def test_of_broken_json_nothing_is_imported(quiet, text, says):
    done = quiet.ctl("import", "-", stdin=text)
    assert done.code == 65 and says in done.err, done
    assert readers(quiet) == {}


def test_json_that_is_too_large_is_told_before_it_is_read(quiet):
    path = quiet.folder / "r.json"
    with open(path, "w") as file:
        file.write("[")
        file.truncate((64 << 20) + 1)
    done = quiet.ctl("import", path)
    assert done.code == 65 and "JSON of more than 64 MB" in done.err and "CSV" in done.err
    program = find_program(quiet.build, "hubmailctl")
    with open(path) as file:
        done = subprocess.run(
            ["sh", "-c", f"cat | '{program}' -c '{quiet.file}' import -"],
            stdin=file,
            capture_output=True,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
    assert done.returncode == 65 and "JSON of more than 64 MB" in done.stderr


def test_an_import_never_subscribes_again_whoever_unsubscribed(quiet):
    quiet.add("ann@example.org")
    unsubscribe(quiet, "ann@example.org")
    done = quiet.ctl("--json", "import", "-", stdin="email\nann@example.org\nbob@example.org\n")
    assert done.code == 0
    assert json.loads(done.out)["left_alone"] == 1 and json.loads(done.out)["added"] == 1
    assert readers(quiet)["ann@example.org"]["state"] == "unsubscribed"


def test_an_import_tells_whose_subscription_it_ends(quiet):
    quiet.add("ann@example.org", "bob@example.org", "carl@example.org")
    text = "email,ended\nann@example.org,2099-01-02\nbob@example.org,2020-01-02\n"
    text += "dora@example.org,2020-01-02\n"
    dry = json.loads(quiet.ctl("--json", "import", "-", "--dry-run", stdin=text).out)
    assert {s["state"] for s in readers(quiet).values()} == {"confirmed"}
    path = quiet.folder / "r.csv"
    path.write_text(text)
    code, said = on_terminal(quiet, "import", path)
    assert code == 0
    assert "1 ended here, because the file says unsubscribed" in said
    assert "1 left alone: they subscribed again here later" in said
    assert (dry["ended"], dry["ended_here"], dry["came_back"]) == (1, 1, 1)
    states = {email: s["state"] for email, s in readers(quiet).items()}
    assert states == {
        "ann@example.org": "unsubscribed",
        "bob@example.org": "confirmed",
        "carl@example.org": "confirmed",
        "dora@example.org": "unsubscribed",
    }


def test_whoever_came_back_stays_when_the_old_file_is_imported_again(quiet):
    text = "email,state,ended\nann@example.org,unsubscribed,2020-01-02\n"
    text += "bob@example.org,unsubscribed,\n"
    assert quiet.ctl("import", "-", stdin=text).code == 0
    quiet.add("ann@example.org", "bob@example.org", "--force")
    again = json.loads(quiet.ctl("--json", "import", "-", stdin=text).out)
    assert (again["came_back"], again["ended_here"]) == (1, 1), "without a date the file is believed"
    assert [readers(quiet)[f"{n}@example.org"]["state"] for n in ("ann", "bob")] == [
        "confirmed", "unsubscribed",
    ]


def test_the_time_of_an_import_is_no_return(quiet):
    assert quiet.ctl("import", "-", stdin="email\nann@example.org\n").code == 0
    text = "email,ended\nann@example.org,2020-01-02\n"
    again = json.loads(quiet.ctl("--json", "import", "-", stdin=text).out)
    assert (again["came_back"], again["ended_here"]) == (0, 1)


def test_lines_with_the_same_address_apply_in_their_order(two_lists):
    text = "email,list,name,tags,attributes,state,edition\n"
    text += 'ann@example.org,news,Ann,a,"{""k"": ""1"", ""l"": ""1""}",,\n'
    text += "zoe@example.org,news,Zoe,,,,\n"
    text += 'ANN@example.org,news,,b,"{""k"": ""2""}",,daily\n'
    text += "bob@example.org,news,Bob,,,unsubscribed,\n"
    text += "ann@example.org,weekly-news,Anna,,,,\n"
    text += "bob@example.org,news,Robert,,,,\n"
    text += "carl@example.org,news,Carl,,,pending,\n"
    text += "zoe@example.org,news,,,,unsubscribed,\n"
    text += "Carl@example.org,news,,,,,\n"
    told = json.loads(two_lists.ctl("--json", "import", "-", stdin=text).out)
    assert told["added"] == 4 and told["already"] == 1 and told["confirmed"] == 1
    assert told["ended"] == 1 and told["ended_here"] == 1 and told["left_alone"] == 1
    assert told["bad"] == 0
    ann = two_lists.ask("show", "ann@example.org")
    assert (ann["email"], ann["name"]) == ("ann@example.org", "Anna")
    assert ann["tags"] == ["a", "b"] and ann["attributes"] == {"k": "2", "l": "1"}
    assert {s["list"]: s["edition"] for s in ann["subscriptions"]} == {
        "news": "daily", "weekly-news": None,
    }
    found = readers(two_lists, "-l", "news")
    assert found["bob@example.org"]["state"] == "unsubscribed"
    assert found["bob@example.org"]["name"] == "Bob", "who has left is not written over"
    assert found["zoe@example.org"]["state"] == "unsubscribed"
    assert found["carl@example.org"]["state"] == "confirmed"


def test_many_lines_with_few_addresses_make_few_readers(quiet):
    text = "email,name\n" + "".join(f"r{i % 70}@example.org,{i}\n" for i in range(5000))
    told = json.loads(quiet.ctl("--json", "import", "-", stdin=text).out)
    assert (told["added"], told["already"]) == (70, 4930)
    names = {email: r["name"] for email, r in readers(quiet).items()}
    assert names == {f"r{i % 70}@example.org": str(i) for i in range(4930, 5000)}
    again = json.loads(quiet.ctl("--json", "import", "-", stdin=text).out)
    assert (again["added"], again["already"]) == (0, 5000)


def test_an_import_brings_up_to_date_whom_it_finds(quiet):
    for name in ("ann", "bob", "carl"):
        quiet.add(f"{name}@example.org", name="Old", tag="x")
    quiet.ctl("remove", "bob@example.org")
    text = "email,name,tags,city\nann@example.org,New,y,Oslo\nbob@example.org,,,\ncarl@example.org,,,\n"
    told = json.loads(quiet.ctl("--json", "import", "-", "--map", "city=set:city", stdin=text).out)
    assert (told["already"], told["resubscribed"]) == (2, 1)
    ann = quiet.ask("show", "ann@example.org")
    assert (ann["name"], ann["tags"], ann["attributes"]) == ("New", ["x", "y"], {"city": "Oslo"})
    assert readers(quiet)["bob@example.org"]["state"] == "confirmed"
    (subscription,) = quiet.ask("show", "bob@example.org")["subscriptions"]
    assert subscription["origin"] == "import standard input"
    assert readers(quiet)["carl@example.org"]["name"] == "Old"


def test_bad_lines_are_told_kept_and_can_be_mended(quiet):
    path, rejects = quiet.folder / "r.csv", quiet.folder / "rejects.csv"
    path.write_text(
        "E-Mail;Name\nann@example.org;Ann\nnonsense;Bob\n"
        '"open@example.org;Carl\ndora@example.org;"Do;ra"\n;Eve\nfay@example.org;Fay;too;many\n'
    )
    done = quiet.ctl("--json", "import", path, "--rejects", rejects)
    assert done.code == 65
    lines = [b["line"] for b in json.loads(done.out)["bad_lines"]]
    assert lines == [3, 4, 6, 7]
    assert sorted(readers(quiet)) == ["ann@example.org", "dora@example.org"]
    assert re.search(rf"{path}:3: .*nonsense", done.err)
    text = rejects.read_text()
    assert text.startswith("line;reason;E-Mail;Name\n")
    assert rejects.stat().st_mode & 0o077 == 0, "addresses are nobody else's business"
    mended = text.replace("nonsense", "bob@example.org").replace('"open@', "open@")
    done = quiet.ctl("import", "-", stdin=mended)
    assert done.code == 65, "two of the four are still bad"
    assert {"bob@example.org", "open@example.org"} <= set(readers(quiet))


def test_only_the_first_bad_lines_are_told(quiet):
    done = quiet.ctl("import", "-", stdin="email\n" + "x\n" * 50 + "ann@example.org\n")
    assert done.code == 65
    assert len([line for line in done.err.splitlines() if "standard input:" in line]) == 21
    assert "30 more bad lines" in done.err
    assert list(readers(quiet)) == ["ann@example.org"]


def test_encodings_and_line_ends_of_spreadsheets(quiet):
    path = quiet.folder / "r.csv"
    path.write_bytes(
        b"\xef\xbb\xbfemail\tname\r\nuli@example.org\tM\xfcller\r\nzoe@example.org\tZo\xc3\xab"
    )
    done = quiet.ctl("import", path)
    assert done.code == 0 and "Windows-1252" in done.err
    found = readers(quiet)
    assert found["uli@example.org"]["name"] == "Müller"
    assert found["zoe@example.org"]["name"] == "Zoë"


def test_columns_can_be_named_by_hand(quiet):
    text = "who,mail2,city\nAnn,ann@example.org,Oslo\n"
    done = quiet.ctl(
        "import", "-", "--map", "mail2=email", "--map", "who=name", "--map", "city=set:city",
        "--state", "pending", stdin=text,
    )
    assert done.code == 0, done
    shown = quiet.ask("show", "ann@example.org")
    assert shown["name"] == "Ann" and shown["attributes"] == {"city": "Oslo"}
    assert shown["subscriptions"][0]["state"] == "pending"
    assert quiet.ctl("import", "-", "--map", "x=email", stdin=text).code == 64
    assert quiet.ctl("import", "-", stdin=text).code == 65


def test_a_file_without_a_header(quiet):
    done = quiet.ctl("import", "-", stdin="1,ann@example.org,Oslo\n2,bob@example.org,Rome\n")
    assert done.code == 0
    assert sorted(readers(quiet)) == ["ann@example.org", "bob@example.org"]


def test_a_dry_run_counts_and_stores_nothing(quiet):
    quiet.add("ann@example.org")
    text = "email,state\nann@example.org,\nbob@example.org,\ncarl@example.org,unsubscribed\nx,\n"
    dry = quiet.ctl("--json", "import", "-", "--dry-run", stdin=text)
    assert dry.code == 65
    assert list(readers(quiet)) == ["ann@example.org"]
    real = quiet.ctl("--json", "import", "-", stdin=text)
    counts = json.loads(dry.out)
    assert counts.pop("dry_run") is True
    told = json.loads(real.out)
    assert told.pop("dry_run") is False
    assert told == counts


def test_an_import_does_not_overwrite_its_own_file(quiet):
    path = quiet.folder / "r.csv"
    path.write_text("email\nann@example.org\n")
    assert quiet.ctl("import", path, "--rejects", path).code == 1
    assert path.read_text() == "email\nann@example.org\n"
    assert quiet.ctl("import", quiet.folder / "none.csv").code == 1
    assert quiet.ctl("import", quiet.folder).code == 74
    empty = quiet.folder / "empty.csv"
    empty.write_text("")
    assert quiet.ctl("import", empty).code == 65


def test_control_c_keeps_what_was_imported(quiet):
    program = find_program(quiet.build, "hubmailctl")
    process = subprocess.Popen(
        [program, "-c", quiet.file, "import", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )
    process.stdin.write("email\n" + "".join(f"r{i}@example.org\n" for i in range(500)))
    process.stdin.flush()
    wait_until(lambda: len(readers(quiet)) == 500, "what came is stored while the pipe is quiet")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 75, err
    assert "interrupted" in err and "500" in out
    assert len(readers(quiet)) == 500


def test_others_write_while_an_import_goes_on(quiet):
    path = quiet.folder / "r.csv"
    path.write_text("email\n" + "".join(f"r{i}@example.org\n" for i in range(200_000)))
    quiet.add("ann@example.org")
    process = subprocess.Popen(
        [find_program(quiet.build, "hubmailctl"), "-c", quiet.file, "import", path],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
    )
    with contextlib.closing(sqlite3.connect(quiet.folder / "hubmail.db")) as db:
        begun = "SELECT count(*) FROM (SELECT 1 FROM subscriber LIMIT 2)"
        wait_until(lambda: db.execute(begun).fetchone()[0] == 2, "the first ones are stored", pause=0.005)
    quiet.add("bob@example.org")
    assert process.poll() is None, "nobody waits for the end of an import"
    assert process.wait(120) == 0
    assert quiet.ask("lists")[0]["confirmed"] == 200_002


# ---- Printing ----


def test_a_terminal_gets_a_table_in_local_time(quiet):
    quiet.add("ann@example.org", name="Ann 李")
    with sqlite3.connect(quiet.folder / "hubmail.db") as db:
        db.execute("UPDATE subscription SET created_at = 1790000000")
    code, text = on_terminal(quiet, "subscribers")
    assert code == 0
    assert re.search(r"^EMAIL +NAME +LIST", text)
    assert "Ann 李" in text and "2026-09-21 16:13" in text, "Zurich is two hours ahead in summer"
    assert quiet.ctl("subscribers").out.endswith("\t2026-09-21T14:13:20Z\n")
    code, text = on_terminal(quiet, "subscribers", "--tag", "none")
    assert text == "nobody fits\n"


def test_actions_are_told_in_sentences_on_a_terminal(quiet):
    code, text = on_terminal(quiet, "add", "ann@example.org")
    assert (code, text) == (0, "ann@example.org: added to news\n")
    code, text = on_terminal(quiet, "-q", "add", "ann@example.org")
    assert (code, text) == (0, "")


def test_control_characters_in_names_are_shown_and_not_obeyed(quiet):
    quiet.ctl("import", "-", stdin="email\nann@example.org\n")
    with sqlite3.connect(quiet.folder / "hubmail.db") as db:
        db.execute("UPDATE subscriber SET name = ?", ("evil\x1b]0;title\x07\tname",))
    for arguments in (["subscribers"], ["show", "ann@example.org"]):
        code, text = on_terminal(quiet, *arguments)
        assert code == 0 and "evil" in text
        assert "\x1b" not in text and "\x07" not in text
    (line,) = quiet.ctl("subscribers").lines
    assert line.split("\t")[1] == r"evil\x1b]0;title\x07\tname"
    assert readers(quiet)["ann@example.org"]["name"] == "evil\x1b]0;title\x07\tname"


def test_an_import_knows_an_address_again_in_turkey(make_house, tmp_path, monkeypatch):
    """There I is not the capital of i, except for the address sanitizer's strcasecmp()."""
    if shutil.which("localedef") is None or not pathlib.Path("/usr/share/i18n/SUPPORTED").exists():
        pytest.skip("the locale cannot be made: the package locales is not installed")
    if fastest_build() == BUILD:
        pytest.skip("the release build is not there")
    made = ["localedef", "-i", "tr_TR", "-f", "UTF-8", tmp_path / "tr_TR.UTF-8"]
    subprocess.run(made, check=True, capture_output=True)
    monkeypatch.setitem(ENVIRONMENT, "LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setitem(ENVIRONMENT, "LOCPATH", str(tmp_path))
    house = make_house(25, fastest_build())
    house.write_config()
    done = house.ctl("--json", "import", "-", stdin="email\nINFO@example.org\ninfo@example.org\n")
    assert (done.json()["added"], done.json()["already"]) == (1, 1)


def test_an_import_shows_its_progress_on_a_terminal(quiet):
    path = quiet.folder / "r.csv"
    path.write_text("email\n" + "".join(f"r{i}@example.org\n" for i in range(30000)))
    code, text = on_terminal(quiet, "import", path, deadline=100)
    assert code == 0
    assert "%" in text and "30 000 added" in text


def test_a_closed_pipe_is_no_error_worth_a_word(quiet):
    quiet.import_readers(3000)
    program = find_program(quiet.build, "hubmailctl")
    done = subprocess.run(
        ["sh", "-c", f"'{program}' -c '{quiet.file}' subscribers | head -n1"],
        capture_output=True,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_a_full_disk_behind_standard_output_is_told(quiet):
    program = find_program(quiet.build, "hubmailctl")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [program, "-c", quiet.file, "export"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 74 and "No space left" in done.stderr


EMPTY_LISTINGS = ["subscribers", "posts", "digests", "queue"]


@pytest.mark.parametrize("command", EMPTY_LISTINGS)
def test_empty_listings(quiet, command):
    done = quiet.ctl(command)
    assert (done.code, done.out) == (0, "")
    assert quiet.ask(command) == []


def test_lists_and_sources_tell_what_is_declared(two_lists):
    two_lists.add("ann@example.org", list="news")
    lists = {one["name"]: one for one in two_lists.ask("lists")}
    assert lists["news"]["confirmed"] == 1 and lists["news"]["next_digest_at"] is None
    assert lists["weekly-news"]["schedule"] == "weekly mon 08:00"
    assert lists["weekly-news"]["next_digest_at"].endswith("T08:00:00Z")
    assert {s["state"] for s in two_lists.ask("sources")} == {"new"}


# ---- Without the daemon ----


def test_what_needs_the_daemon_says_that_it_does_not_run(quiet):
    for arguments in (["poll"], ["send", "news"], ["send", "news", "--wait"]):
        done = quiet.ctl(*arguments)
        assert done.code == 69 and "does not run" in done.err, arguments


def test_status_tells_what_the_database_knows(quiet):
    quiet.add("ann@example.org")
    done = quiet.ctl("--json", "status")
    assert done.code == 69
    page = json.loads(done.out)
    assert page["running"] is False and page["queued"] == 0
    assert page["lists"][0]["confirmed"] == 1
    code, text = on_terminal(quiet, "status")
    assert code == 69 and "Digests under way" in text


def test_digests_and_lists_that_are_not_there(quiet):
    for arguments in (
        ["digests", "7"],
        ["pause", "7"],
        ["resume", "7"],
        ["cancel", "7"],
        ["retry", "7"],
        ["pause", "news"],
        ["preview", "news"],
        ["send", "news", "--dry-run"],
        ["show", "ann@example.org"],
        ["preview", "olds"],
    ):
        done = quiet.ctl(*arguments)
        assert done.code == 1 and done.err, arguments
    assert quiet.ctl("retry").code == 0


def test_backup_is_a_whole_database(quiet):
    quiet.add("ann@example.org")
    copy = quiet.folder / "copy.db"
    assert quiet.ctl("backup", copy).code == 0
    with sqlite3.connect(copy) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT email FROM subscriber").fetchall() == [("ann@example.org",)]
    assert copy.stat().st_mode & 0o777 == 0o600, "the readers' addresses are in it"
    done = quiet.ctl("backup", copy)
    assert done.code == 1 and "exists" in done.err
    nowhere = quiet.folder / "none" / "copy.db"
    done = quiet.ctl("backup", nowhere)
    assert done.code == 74 and f"{nowhere}: " in done.err
    assert quiet.ctl("backup", "-").code == 64


def test_parse_shows_posts_without_storing_them(quiet, tmp_path):
    feed = tmp_path / "feed.xml"
    feed.write_text(
        '<rss version="2.0"><channel><title>T</title><item><title>One &amp;amp; two</title>'
        "<link>/one</link><guid>g1</guid><pubDate>Tue, 24 Nov 2026 10:00:00 +0100</pubDate>"
        "</item></channel></rss>"
    )
    (post,) = quiet.ask("parse", feed, "--base", "https://blog.example/")
    assert list(post) == [
        "guid", "url", "title", "author", "published", "updated", "summary", "content", "image",
        "categories",
    ]
    assert post["published"] == "2026-11-24T09:00:00Z" and post["author"] is None
    assert post["url"] == "https://blog.example/one"
    assert quiet.ctl("parse", feed).out.split("\t")[0] == "g1"
    article = tmp_path / "hello.md"
    article.write_text("---\ntitle: Hello\ndraft: true\n---\n\nText\n")
    assert quiet.ask("parse", article) == [], "a draft is no post"
    missing = quiet.ctl("parse", "blog.example")
    assert missing.code == 1 and "begins with https://" in missing.err
    bad = tmp_path / "bad.xml"
    bad.write_text("no feed at all")
    assert quiet.ctl("parse", bad).code == 65
    assert not (quiet.folder / "hubmail.db").exists()


# ---- With the daemon ----


@pytest.fixture
def waiting(house):
    """A list that is mailed by hand alone, with two posts pending and three readers."""
    house.news["schedule"] = "manual"
    house.start()
    house.add("ann@example.org", name="Ann")
    house.add("bob@example.org", "carl@example.org")
    house.write_post("one.md", "First")
    house.write_post("two.md", "Second", date="2026-11-24T09:00:00Z")
    wait_until(lambda: len(house.ask("posts", "--pending")) == 2, "both posts are pending")
    return house


def test_a_dry_run_says_who_would_get_what(waiting, sink):
    page = waiting.ask("send", "news", "--dry-run")
    assert [p["title"] for p in page["posts"]] == ["First", "Second"]
    assert page["readers"] == 3 and len(page["to"]) == 3 and page["subject"]
    assert [p["title"] for p in waiting.ask("posts", "news", "-n", 1)] == ["Second"]
    page = waiting.ask("send", "news", "--dry-run", "-n", 1, "--to", "ann@example.org")
    assert [p["title"] for p in page["posts"]] == ["Second"]
    assert page["to"] == [{"email": "ann@example.org", "name": "Ann"}]
    assert waiting.ctl("send", "news", "--dry-run", "--to", "nobody@example.org").code == 1
    assert waiting.digests() == [] and not sink.accepted


def test_a_dry_run_counts_only_who_would_get_it(waiting):
    unsubscribe(waiting, "bob@example.org")
    to = [w for n in ("ann", "bob", "ann", "nobody") for w in ("--to", f"{n}@example.org")]
    done = waiting.ctl("--json", "send", "news", "--dry-run", *to)
    page = json.loads(done.out)
    assert page["readers"] == 1 and page["to"] == [{"email": "ann@example.org", "name": "Ann"}]
    assert done.code == 1 and "bob@example.org: is unsubscribed" in done.err
    done = waiting.ctl("--json", "send", "news", "--dry-run", "--to", "bob@example.org")
    assert json.loads(done.out)["readers"] == 0 and json.loads(done.out)["to"] == []


def test_nothing_is_sent_to_a_list_without_readers(waiting, sink):
    assert waiting.ctl("remove", *[f"{n}@example.org" for n in ("ann", "bob", "carl")]).code == 0
    for options in ([], ["--last", 1], ["--post", 1]):
        done = waiting.ctl("send", "news", *options)
        assert done.code == 1, options
        assert (
            "news has no confirmed readers for this edition: nothing was sent" in done.err
        ), options
    done = waiting.ctl("send", "news", "--dry-run")
    assert done.code == 1 and "news has no confirmed readers for this edition" in done.err
    assert waiting.digests() == [] and not sink.accepted
    assert len(waiting.ask("posts", "--pending")) == 2


def test_preview_shows_each_part(waiting):
    text = waiting.ctl("preview", "news", "--for", "ann@example.org")
    assert text.code == 0 and "First" in text.out and "<html" not in text.out
    assert "<html" in waiting.ctl("preview", "news", "--html").out
    assert waiting.ctl("preview", "news", "--eml").out.startswith("From: ")
    page = waiting.ask("preview", "news", "--for", "ann@example.org")
    assert page["to"] == "ann@example.org" and page["eml"] and page["html"] and page["text"]
    assert waiting.ctl("send", "news", "--wait").code == 0
    done = waiting.ctl("preview", "news")
    assert done.code == 0 and "nothing is pending" in done.err and "Second" in done.out


def test_send_waits_for_the_last_delivery_and_tells_what_became_of_it(waiting, sink):
    code, text = on_terminal(waiting, "send", "news", "--wait", deadline=60)
    assert code == 0 and "3 sent, 0 failed" in text
    assert len(sink.accepted) == 3
    (digest,) = waiting.digests()
    page = waiting.ask("digests", digest["id"])
    assert page["sent"] == 3 and [p["title"] for p in page["posts"]] == ["First", "Second"]
    assert waiting.ask("queue") == []
    assert len(waiting.ask("queue", "--digest", digest["id"])) == 3, "who got it"
    assert waiting.ask("queue", "--digest", digest["id"], "--state", "queued") == []
    history = waiting.ask("show", "ann@example.org")
    assert history["deliveries"][0]["state"] == "sent"
    assert history["attempts"][0]["outcome"] == "accepted"
    done = waiting.ctl("send", "news", "--wait")
    assert done.code == 1 and done.err, "nothing is pending any more"


def test_a_digest_is_held_back_let_go_and_ended_by_its_list(waiting, sink):
    sink.stop()
    assert waiting.ctl("send", "news").code == 0
    done = waiting.ctl("pause", "news")
    assert done.code == 0 and "paused" in done.out
    assert [d["state"] for d in waiting.digests()] == ["paused"]
    assert waiting.status()["digests"][0]["state"] == "paused"
    assert waiting.ctl("resume", "news").code == 0
    assert [d["state"] for d in waiting.digests()] == ["sending"]
    done = waiting.ctl("cancel", "news")
    assert done.code == 0, done
    (digest,) = waiting.digests()
    assert digest["state"] == "cancelled" and digest["cancelled"] == 3
    assert waiting.ctl("cancel", digest["id"]).code in (0, 1)


# ---- What the table drives ----


def test_the_man_page_agrees_with_the_table(quiet):
    page = (ROOT / "cli" / "hubmailctl.1").read_text()
    begin, end = '.\\" begin\n', '.\\" end\n'
    commands = page[page.index(begin) + len(begin) : page.index(end)]
    assert commands == quiet.ctl("help", "--mdoc").out, (
        "put what `hubmailctl help --mdoc` prints between the marks"
    )


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_the_man_page_is_clean():
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", ROOT / "cli" / "hubmailctl.1"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_hubmailctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    "words, offered",
    [
        (["subs"], ["subscribers"]),
        (["add", "--n"], ["--name"]),
        (["add", "--edition", ""], ["each", "daily", "weekly", "monthly"]),
        (["-c", "x.conf", "queue", "--state", "h"], ["held"]),
        (["help", "prev"], ["preview"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["dkim", ""], ["keygen", "show"]),
        (["dkim", "keygen", "--type", ""], ["rsa", "ed25519", "both"]),
    ],
)
def test_bash_completes(quiet, tmp_path, words, offered):
    script = tmp_path / "completion.bash"
    script.write_text(quiet.ctl("completion", "bash").out)
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", script, "hubmailctl", *words],
        capture_output=True,
        text=True,
    )
    assert done.stderr == "" and done.stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_scripts_that_the_shell_reads(quiet, tmp_path, shell):
    script = tmp_path / "completion"
    script.write_text(quiet.ctl("completion", shell).out)
    assert "subscribers" in script.read_text() and "--confirm" not in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
