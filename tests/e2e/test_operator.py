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
