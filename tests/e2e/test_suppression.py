"""Who must not be mailed any more: suppressed, erased and removed readers, before, between and during
the mails of a digest."""

import json
import re
import time

import pytest

from terminal import on_terminal
from waiting import wait_until

ANN, BOB, CY = (f"{name}@example.org" for name in ("ann", "bob", "cy"))


@pytest.fixture
def quiet(make_house):
    """A house whose daemon never runs."""
    house = make_house(25)
    house.write_config()
    return house


def states(house):
    return {s["email"]: s["state"] for s in house.ask("subscribers")}


def files_have(house, text):
    """Whether a text stands in the database or its log."""
    parts = [p.read_bytes() for p in house.folder.glob("hubmail.db*")]
    return any(text.encode() in part for part in parts)


def troubles(house):
    return re.findall(r"^\S+ (?:warn|error) .*$", house.log, re.M)


# ---- Suppressing ----


def test_a_suppressed_address_is_kept_away_until_that_is_lifted(quiet):
    quiet.add(ANN, BOB)
    done = quiet.ctl("suppress", "Ann@Example.org", "--reason", "complained\nto us")
    assert done.code == 0 and done.out == "Ann@example.org\tsuppressed\t1\n"
    assert states(quiet) == {ANN: "removed", BOB: "confirmed"}
    refused = quiet.ctl("--json", "add", ANN, CY)
    assert refused.code == 1 and "is suppressed" in refused.err and "--force" in refused.err
    told = {r["email"]: (r["result"], r["reason"]) for r in json.loads(refused.out)}
    assert told == {ANN: ("refused", "suppressed"), CY: ("added", None)}
    again = quiet.ctl("suppress", ANN)
    assert again.code == 0 and again.out == f"{ANN}\talready\t0\n", "twice is no error"
    shown = quiet.ask("show", ANN)
    assert shown["suppressed_at"] and shown["suppression_reason"] == "complained to us"
    assert quiet.ask("show", BOB)["suppressed_at"] is None

    assert quiet.ctl("unsuppress", ANN).out == f"{ANN}\tunsuppressed\n"
    assert states(quiet)[ANN] == "removed", "that subscribes nobody"
    assert quiet.ask("show", ANN)["suppressed_at"] is None
    done = quiet.ctl("unsuppress", ANN)
    assert done.code == 1 and "is not suppressed" in done.err
    quiet.add(ANN)
    assert states(quiet)[ANN] == "confirmed"


def test_an_address_need_not_be_a_subscribers(quiet):
    done = quiet.ctl("suppress", ANN, "no address", "li@例子.中国")
    assert done.code == 1 and "no address" in done.err, "the others are done"
    assert quiet.ctl("add", ANN).code == 1
    assert quiet.ctl("add", "li@xn--fsqu00a.xn--fiqs8s").code == 1
    assert states(quiet) == {} and not files_have(quiet, ANN)
    page = quiet.ask("show", ANN)
    assert page["suppressed_at"] and page["id"] is None and page["deliveries"] == []
    assert sorted(page) == sorted(quiet.ask("show", quiet.add(BOB)[0]))
    assert quiet.ctl("show", CY).code == 1


def test_force_lifts_a_suppression_and_says_so(quiet):
    quiet.ctl("suppress", ANN)
    code, said = on_terminal(quiet, "add", ANN, "--force")
    assert code == 0 and "added to news, and is not suppressed any more" in said
    assert quiet.ask("show", ANN)["suppressed_at"] is None
    assert states(quiet) == {ANN: "confirmed"}


def test_an_import_leaves_suppressed_addresses_out_and_names_their_lines(quiet):
    quiet.ctl("suppress", ANN, CY)
    path, rejects = quiet.folder / "r.csv", quiet.folder / "rejects.csv"
    path.write_text(f"email,name,state\n{ANN.upper()},Ann,\n{BOB},Bob,\n{CY},Cy,unsubscribed\n")
    dry = quiet.ctl("--json", "import", path, "--dry-run")
    done = quiet.ctl("--json", "import", path, "--rejects", rejects)
    counts = json.loads(done.out)
    assert done.code == dry.code == 65
    assert counts == {**json.loads(dry.out), "dry_run": False}
    (bad,) = counts["bad_lines"]
    assert bad["line"] == 2 and "is suppressed" in bad["reason"]
    assert f"{path}:2: the address is suppressed" in done.err
    assert "suppressed" in rejects.read_text() and "ANN@" in rejects.read_text()
    assert (counts["added"], counts["left_alone"], counts["ended"]) == (1, 1, 0)
    assert states(quiet) == {BOB: "confirmed"}, "who is suppressed and gone is not kept anew"
    quiet.ctl("unsuppress", ANN, CY)
    assert quiet.ctl("import", path).code == 0
    assert quiet.ask("show", CY)["subscriptions"][0]["state"] == "unsubscribed"


def test_an_export_with_suppressed_readers_is_imported_without_a_word(quiet):
    quiet.add(ANN, BOB)
    quiet.ctl("suppress", ANN)
    exported = quiet.ctl("export").out
    done = quiet.ctl("import", "-", stdin=exported)
    assert done.code == 0 and done.err == ""
    assert quiet.ctl("export").out == exported
    assert quiet.ctl("suppress", BOB).code == 0
    assert quiet.ctl("import", "-", stdin=exported).code == 65, "it says that Bob is active"
    assert states(quiet) == {ANN: "removed", BOB: "removed"}


def test_a_person_is_told_what_became_of_it(quiet):
    quiet.add(ANN)
    assert f"{ANN}: suppressed; removed from 1 list\n" == on_terminal(quiet, "suppress", ANN)[1]
    assert "is suppressed already" in on_terminal(quiet, "suppress", ANN)[1]
    assert "Suppressed since 20" in on_terminal(quiet, "show", ANN)[1]
    assert "subscribes nobody" in on_terminal(quiet, "unsuppress", ANN)[1]


# ---- Erasing ----


def test_erasing_asks_first(quiet):
    quiet.add(ANN, BOB)
    done = quiet.ctl("erase", ANN, BOB)
    assert done.code == 64 and "--yes" in done.err
    for answer in ("n\n", "\n", "yes please\n"):
        code, said = on_terminal(quiet, "erase", ANN, BOB, typed=answer)
        assert code == 1 and f"{ANN}, {BOB}? This cannot be undone" in said
        assert "nobody was erased" in said
    assert len(states(quiet)) == 2
    code, said = on_terminal(quiet, "erase", ANN, typed="y\n")
    assert code == 0 and f"{ANN}: erased, with 0 deliveries" in said
    assert states(quiet) == {BOB: "confirmed"}
    done = quiet.ctl("--json", "erase", "--yes", ANN, BOB)
    assert done.code == 1 and f"{ANN}: no such subscriber" in done.err
    assert json.loads(done.out) == [{"email": BOB, "deliveries": 0}]


def test_an_erased_person_is_forgotten_but_not_that_the_address_is_suppressed(quiet):
    quiet.add(ANN, name="Ann Unique", tag="sometag", set="city=Tuvalu")
    quiet.ctl("suppress", ANN, "--reason", "asked for it")
    assert quiet.ctl("erase", ANN, "--yes").code == 0
    for text in (ANN, "Ann Unique", "sometag", "Tuvalu", "asked for it"):
        assert not files_have(quiet, text), text
    page = quiet.ask("show", ANN)
    assert page["suppression_reason"] is None and page["created_at"] is None
    assert quiet.ctl("add", ANN).code == 1
    quiet.add(ANN, "--force")
    assert quiet.ask("show", ANN)["deliveries"] == []


def test_nothing_is_left_of_many_while_the_daemon_runs(house, sink):
    house.start()
    readers = house.import_readers(600)
    house.write_post("a.md", "A post")
    house.wait_digest(sent=600)
    gone = readers[::7]
    done = house.ctl("--json", "erase", "--yes", *gone)
    assert done.code == 0 and "-wal" not in done.err
    assert [r["deliveries"] for r in json.loads(done.out)] == [1] * len(gone)
    assert [r for r in gone if files_have(house, f"{r}")] == []
    assert len(house.queue("--digest", house.digests()[0]["id"])) == 600 - len(gone)
    (digest,) = house.digests()
    assert digest["sent"] == 600 and digest["state"] == "done", "what was is history"
    house.write_post("b.md", "Another")
    house.wait_digest(sent=600 - len(gone), state="done")


def test_the_links_of_an_erased_reader_say_so(house, sink):
    house.start()
    house.add(ANN, BOB)
    house.write_post("a.md", "A post")
    house.wait_digest(sent=2)
    url = next(e.mail for e in sink.accepted if e.to == ANN).unsubscribe_url
    assert house.ctl("erase", ANN, "--yes").code == 0
    status, page = house.http("GET", url)
    assert status == 200 and ANN not in page and "<form" not in page
    status, page = house.http("POST", url, "List-Unsubscribe=One-Click")
    assert status == 200 and ANN not in page
    assert states(house) == {BOB: "confirmed"}


# ---- During a send ----

COMMANDS = {"suppress": ["suppress"], "erase": ["erase", "--yes"], "remove": ["remove"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_queued_is_not_sent(house, sink, command):
    house.news["schedule"] = "manual"
    house.start()
    house.add(ANN, BOB, CY)
    house.write_post("a.md", "A post")
    wait_until(lambda: house.ask("posts", "--pending"), "the post is pending")
    sink.stop()
    assert house.ctl("send", "news").code == 0
    house.wait_digest(queued=3)
    assert house.ctl(*COMMANDS[command], ANN, CY).code == 0
    house.wait_digest(queued=1, cancelled=2)
    sink.start()
    house.ctl("retry")
    house.wait_digest(sent=1, cancelled=2, state="done")
    assert sink.recipients() == [BOB]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_mail_on_the_wire_arrives_and_the_digest_ends(house, sink, command):
    house.relay["connections"] = 1
    house.start()
    house.add(ANN, BOB, CY)
    sink.faults("1x dot stall 2")
    house.write_post("a.md", "A post")
    wait_until(lambda: sink.events("fault"), "the relay has a whole mail, and has not answered")
    assert house.ctl(*COMMANDS[command], ANN, BOB).code == 0
    assert sink.accepted == [], "the relay still holds its answer back"
    # Nothing is left of the erased, so nothing can be noted on them.
    sent = 1 if command == "erase" else 2
    house.wait_digest(sent=sent, cancelled=3 - sent, state="done")
    assert sink.recipients() == [ANN, CY]
    assert troubles(house) == []
    if command == "erase":
        assert ANN not in json.dumps(house.queue("--digest", house.digests()[0]["id"]))


def test_a_mail_on_the_wire_of_an_erased_reader_is_not_sent_again_after_a_crash(house, sink):
    house.relay["connections"] = 1
    house.start()
    house.add(ANN, BOB)
    sink.faults("1x dot stall 3600")
    house.write_post("a.md", "A post")
    wait_until(lambda: sink.events("fault"), "the relay has a whole mail, and has not answered")
    assert house.ctl("erase", ANN, "--yes").code == 0
    house.kill()
    house.start()
    house.wait_digest(sent=1, cancelled=1, state="done")
    assert sink.recipients() == [BOB]


CONNECTIONS = 4


def leave_during_a_send(house, sink, readers):
    """Three of ten leave after the first mails; {address: when the command had returned}."""
    left = {}
    for i, command in enumerate(COMMANDS.values()):
        wait_until(lambda: len(sink.accepted) >= 20 * (i + 1), "some mails are out")
        leaving = readers[i::10]
        done = house.ctl(*command, *leaving)
        now = time.monotonic_ns()
        assert done.code == 0, done
        left.update(dict.fromkeys(leaving, now))
    return left


def test_whoever_leaves_during_a_send_gets_no_mail_that_no_session_had_taken(make_sink, make_house):
    sink = make_sink("--delay", "20")
    house = make_house(sink.port)
    house.relay["connections"] = CONNECTIONS
    house.start()
    readers = house.import_readers(500)
    house.write_post("a.md", "A post")
    left = leave_during_a_send(house, sink, readers)
    digest = house.wait_digest(state="done", queued=0, deferred=0)

    assert len(set(sink.recipients())) == len(sink.accepted), "nobody got it twice"
    assert set(readers) - set(left) <= set(sink.recipients()), "whoever stayed has it"
    late = [e for e in sink.accepted if e.to in left and e["mono_ns"] > left[e.to]]
    for entry in late:
        between = [
            e for e in sink.accepted
            if e["session"] == entry["session"] and left[entry.to] < e["mono_ns"] < entry["mono_ns"]
        ]
        assert between == [], "its session had it when the command returned, and none since"
    assert len(late) <= CONNECTIONS * len(COMMANDS)
    spared = set(left) - set(sink.recipients())
    assert len(spared) > 30, "most of them were still queued"

    # Every reader is in one of the counts; of the erased who were just on the wire it is not known
    # that they got it.
    assert digest["sent"] + digest["cancelled"] == len(readers) and digest["failed"] == 0
    erased = set(readers[1::10])
    assert 0 <= len(sink.accepted) - digest["sent"] <= CONNECTIONS
    rows = house.queue("--digest", digest["id"])
    assert len(rows) == len(readers) - len(erased)
    assert {r["email"] for r in rows if r["state"] == "cancelled"} == spared - erased
    assert troubles(house) == []
