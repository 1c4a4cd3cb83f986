"""What an operator is told when something needs a person: a digest that is held back, mails whose fate
is not known, a relay and mail providers that set limits."""

import json
import os
import socket
import subprocess

import pytest

from house import ENVIRONMENT
from sink import find_program
from terminal import on_terminal
from waiting import wait_until

READERS = [f"{name}@example.org" for name in ("ann", "bob", "cy", "dora", "eve")]
REFUSAL = "554 5.7.1 sign your mails first"


@pytest.fixture
def quick(house):
    house.settings["retry"] = {"first": "1s", "longest": "2s", "pause_after": 2}
    house.relay["connections"] = 1
    return house


def publish(house, *readers):
    house.start()
    house.add(*readers)
    house.write_post("a.md", "A post")


# ---- A digest that is held back ----


@pytest.fixture
def held_back(quick, sink):
    """The first two are refused."""
    sink.faults(f"2x dot reply {REFUSAL}")
    publish(quick, *READERS)
    quick.wait_digest(state="paused")
    return quick


def test_status_says_why_a_digest_is_held_back_and_what_to_do(held_back):
    (digest,) = held_back.digests()
    assert digest["reason"].startswith("554 5.7.1")
    (shown,) = held_back.status()["digests"]
    assert shown["state"] == "paused" and shown["reason"] == digest["reason"]
    says = f"paused: {digest['reason']}: mend it, then `hubmailctl resume {digest['id']}`"
    for command in (["status"], ["digests"], ["digests", digest["id"]]):
        code, text = on_terminal(held_back, *command, columns=300)
        assert code == 0 and says in text, command
    page = held_back.ask("digests", digest["id"])
    assert page["state"] == "paused" and page["reason"] == digest["reason"]
    done = held_back.ctl("digests", digest["id"])
    assert "state\tpaused" in done.lines and f"reason\t{digest['reason']}" in done.lines


def test_mailboxes_that_are_not_there_hold_no_digest_back(quick, sink):
    """Some relays say 5.5.0 of them, as they do of commands that they do not understand."""
    sink.faults("3x rcpt reply 550 5.5.0 mailbox unavailable")
    publish(quick, *READERS)
    digest = quick.wait_digest(failed=3, state="done")
    assert digest["sent"] == len(READERS) - 3


def test_what_the_daemon_answers_has_the_digests_that_it_holds_back(held_back):
    """As a program would ask that speaks to the control socket itself."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(held_back.folder / "control.sock"))
        s.sendall(b'{"command":"status"}\n')
        answer = json.loads(s.makefile().readline())
    (digest,) = answer["digests"]
    assert digest["state"] == "paused" and digest["reason"].startswith("554 5.7.1")
    assert answer["domains"] == []


def test_a_resumed_digest_forgets_why_it_was_held_back(held_back):
    (digest,) = held_back.digests()
    assert held_back.ctl("resume", digest["id"]).code == 0
    held_back.wait_digest(sent=5, state="done")
    assert held_back.digests()[0]["reason"] is None
    assert "mend it" not in on_terminal(held_back, "digests")[1]


def test_whoever_waits_for_a_digest_is_told_that_it_is_held_back(quick, sink):
    quick.news["schedule"] = "manual"
    sink.faults(f"2x dot reply {REFUSAL}")
    publish(quick, *READERS)
    wait_until(lambda: quick.ask("posts", "--pending"), "the post is pending")
    program = find_program(quick.build, "hubmailctl")
    process = subprocess.Popen(
        [program, "-c", quick.file, "send", "news", "--wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )
    quick.wait_digest(state="paused")
    told = ""
    while "mend it" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    assert "paused: 554 5.7.1" in told and "hubmailctl resume" in told
    assert quick.ctl("resume", "news").code == 0
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "mend it" not in err, "once is enough"


# ---- Limits ----


def test_status_shows_the_limits_of_relays_and_mail_providers(quick, sink):
    quick.relay["limit"] = "2/d"
    quick.settings["domains"] = [{"name": "example.org", "connections": 1}]
    publish(quick, *READERS)
    quick.wait_digest(sent=2, queued=3)
    page = quick.status()
    (relay,) = page["relays"]
    assert relay["limit"] == 2 and relay["limit_used"] == 2 and relay["state"] == "limited"
    assert relay["retry_at"] is not None
    (domain,) = page["domains"]
    assert domain["domain"] == "example.org" and domain["state"] == "limited"
    code, text = on_terminal(quick, "status", columns=200)
    assert code == 0 and "main: 2 of the 2 mails that `limit` allows are sent" in text
    assert "limited or slowed down" in text and "example.org" in text
    (line,) = [one for one in quick.ctl("status").lines if one.startswith("domains\t")]
    assert line.split("\t")[1:3] == ["example.org", "limited"]


def test_status_has_no_word_on_limits_where_there_are_none(house):
    house.start()
    page = house.status()
    assert page["domains"] == [] and page["relays"][0]["limit"] is None
    code, text = on_terminal(house, "status")
    assert code == 0 and "limit" not in text


# ---- Deliveries whose fate is not known ----


@pytest.fixture
def one_held(quick, sink):
    """The relay took the first mail, and the connection broke before it said so."""
    quick.settings["on_unknown"] = "hold"
    sink.faults("1x kept drop")
    publish(quick, *READERS)
    quick.wait_digest(sent=4, held=1)
    (held,) = quick.queue()
    assert held["state"] == "held"
    return quick, held["email"]


def test_held_deliveries_are_told_with_what_can_be_done(one_held):
    house, email = one_held
    for command in (["queue"], ["queue", "--state", "held"], ["show", email]):
        code, text = on_terminal(house, *command, columns=200)
        assert code == 0 and "held: the relay's answer was lost" in text, command
        assert "`hubmailctl retry DIGEST` sends it" in text, command
    code, text = on_terminal(house, "digests", columns=200)
    assert "digest 1: 1 held" in text and "hubmailctl queue --digest 1 --state held" in text
    assert house.ask("show", email)["attempts"][-1]["outcome"] == "unknown"
    code, text = on_terminal(house, "queue", "--state", "unknown", columns=200)
    assert code == 0 and email in text and "may have the mail twice" in text
    code, text = on_terminal(house, "queue", "--state", "sent", columns=200)
    assert code == 0 and "lost" not in text


def test_a_held_delivery_is_sent_by_retry(one_held, sink):
    house, email = one_held
    code, text = on_terminal(house, "retry", 1)
    assert code == 0 and "1 delivery is tried again now" in text
    assert "1 of them was held" in text and "twice" in text
    house.wait_digest(sent=5, held=0, state="done")
    assert sink.recipients().count(email) == 2, "nobody knew that it had arrived"
    assert house.ask("retry") == {"due": 0, "held": 0}
    assert house.queue() == []


# ---- Errors in hubmail.conf ----


def break_value(house):
    house.relay["port"] = 0
    house.write_config()


def break_syntax(house):
    house.file.write_text(house.file.read_text() + "\nlists = (\n")


@pytest.mark.parametrize("spoil", [break_value, break_syntax])
def test_errors_in_the_configuration_do_not_keep_a_digest_going(held_back, sink, spoil):
    house = held_back
    sink.stop()
    spoil(house)
    for command in (["status"], ["digests"], ["digests", 1], ["queue"]):
        done = house.ctl(*command)
        assert done.code == 0 and done.out, done
        assert "has errors (`hubmaild -t` shows them)" in done.err
        assert len(done.err.splitlines()) == 1
    for command in (["resume", 1], ["pause", 1], ["retry", 1], ["cancel", "news"]):
        done = house.ctl(*command)
        assert done.code == 0, done
    assert [d["state"] for d in house.ask("digests")] == ["cancelled"]
    assert house.ctl("subscribers").code == 78, "it needs more than the daemon"
    house.stop()
    done = house.ctl("digests")
    assert done.code == 78 and f"{house.file}:" in done.err, "nobody says where the database is"


# ---- Who may ----


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_whoever_may_not_enter_the_folder_is_told_to_use_sudo(house):
    inner = house.folder / "var"
    house.settings["database"] = inner / "hubmail.db"
    house.write_config()
    inner.mkdir(mode=0o750)
    program = find_program(house.build, "hubmailctl")

    # pytest keeps its folders to itself.
    for folder in house.folder.parents:
        if folder.name.startswith(("pytest-", "popen-")) or folder == house.folder.parent:
            folder.chmod(0o755)

    def as_nobody(*command):
        return subprocess.run(
            [program, "-c", house.file, *command],
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )

    def is_told(done):
        assert done.returncode == 74, done
        assert "hubmail.db: permission denied: use sudo" in done.stderr

    is_told(as_nobody("subscribers"))
    assert not (inner / "hubmail.db").exists()
    assert house.ctl("lists").code == 0
    is_told(as_nobody("subscribers"))
    inner.chmod(0o755)
    is_told(as_nobody("add", "ann@example.org"))
