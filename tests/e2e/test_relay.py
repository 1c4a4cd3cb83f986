"""What relays do wrong, and what the queue makes of it."""

import sqlite3

import pytest

from waiting import stays, wait_until

READERS = ["ann@example.org", "bob@example.org", "cy@example.org"]


def attempts_of(house, email):
    return next(d for d in house.queue("--state", "all") if d["email"] == email)


@pytest.fixture
def quick(house):
    """Retries come at once."""
    house.settings["retry"] = {"first": "1s", "longest": "2s"}
    return house


def publish(house, *readers):
    house.start()
    house.add(*readers)
    house.write_post("a.md", "A post")


def test_an_unreachable_relay_keeps_everything_queued_and_says_so(quick, sink):
    sink.stop()
    publish(quick, *READERS)
    quick.wait_digest(queued=3, sent=0)
    relay = wait_until(
        lambda: [r for r in quick.status()["relays"] if r["error"]], "status shows the trouble"
    )[0]
    assert "refused" in relay["error"].lower()
    assert relay["relay"] == "main"
    sink.start()
    sink.wait_for(3, 60)
    quick.wait_digest(sent=3, queued=0)
    assert all(attempts_of(quick, r)["attempts"] <= 1 for r in READERS), "no reader is to blame"


def test_a_temporary_refusal_is_tried_again(quick, sink):
    publish(quick, "451-2+ann@example.org", "bob@example.org")
    sink.wait_for(2)
    quick.wait_digest(sent=2, deferred=0)
    assert len(sink.events("refused")) == 2
    assert attempts_of(quick, "451-2+ann@example.org")["attempts"] == 3


def test_a_temporary_refusal_waits_by_default_for_minutes(house, sink):
    publish(house, "451-1+ann@example.org", "bob@example.org")
    house.wait_digest(sent=1, deferred=1)
    (waiting,) = house.queue("--state", "deferred")
    assert waiting["code"] == 451 and "as the address asked" in waiting["text"]
    assert house.ctl("retry").code == 0
    sink.wait_for(2)


def test_a_greylist_is_got_through(quick, sink):
    sink.faults("greylist 1")
    readers = ["ann@one.example", "bob@two.example", "cy@three.example"]
    publish(quick, *readers)
    sink.wait_for(3, 60)
    assert len(sink.events("refused")) == 3
    assert sorted(sink.recipients()) == sorted(readers)


def test_greylisting_says_nothing_of_the_domain(quick, sink):
    sink.faults("greylist 1")
    readers = [f"reader{i}@example.org" for i in range(30)]
    publish(quick, *readers)
    sink.wait_for(30, 60)
    assert len(sink.events("refused")) == 30
    assert "domain slowed down" not in quick.log


def test_a_permanent_refusal_is_final_and_recorded(quick, sink):
    publish(quick, "550+gone@example.org", "bob@example.org")
    quick.wait_digest(sent=1, failed=1, queued=0, state="done")
    (failed,) = quick.queue("--state", "failed")
    assert failed["email"] == "550+gone@example.org"
    assert failed["code"] == 550
    assert failed["enhanced"] == "5.1.1"
    assert "as the address asked" in failed["text"]
    assert sink.recipients() == ["bob@example.org"]


def test_a_refusal_at_the_dot_counts_for_that_message_alone(quick, sink):
    publish(quick, "dot.554-1+a@example.org", "dot.451-1+b@example.org", "c@example.org")
    quick.wait_digest(sent=2, failed=1)
    sink.wait_for(2)


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("how", ["drop", "reset"])
def test_a_connection_lost_before_the_text_is_tried_again_and_repeats_nothing(
    quick, sink, phase, how
):
    sink.faults(f"1x {phase} {how}")
    publish(quick, *READERS)
    sink.wait_for(3, 60)
    quick.wait_digest(sent=3, queued=0, deferred=0)


@pytest.mark.parametrize("how", ["drop", "reset"])
def test_a_connection_lost_in_the_text_is_tried_again(quick, sink, how):
    sink.faults(f"1x text {how}")
    quick.start()
    quick.add(*READERS)
    quick.write_post("long.md", "A long post", "words and words\n\n" * 20000, summary="s")
    wait_until(lambda: set(sink.recipients()) == set(READERS), "all have it", 60)
    quick.wait_digest(sent=3, queued=0, deferred=0)


def test_an_answer_that_never_comes_makes_an_unknown_delivery(quick, sink):
    sink.faults("1x kept drop")
    quick.relay["connections"] = 1
    publish(quick, *READERS)
    wait_until(lambda: len(sink.accepted) == 4, "the doubtful one was sent again")
    quick.wait_digest(sent=3, queued=0)
    doubtful = [e.to for e in sink.accepted if not e["answered"]]
    assert [d["email"] for d in quick.queue("--state", "unknown")] == doubtful
    twice = [e.mail.message_id for e in sink.accepted if e.to in doubtful]
    assert len(twice) == 2 and len(set(twice)) == 1, "the same Message-ID on every attempt"


def test_unknown_deliveries_can_be_held(quick, sink):
    quick.settings["on_unknown"] = "hold"
    sink.faults("1x kept drop")
    quick.relay["connections"] = 1
    publish(quick, *READERS)
    quick.wait_digest(sent=2, held=1)
    assert sorted(sink.recipients()) == READERS, "none twice"


def test_a_connection_lost_after_the_answer_repeats_nothing(quick, sink):
    sink.faults("1x answered drop")
    publish(quick, *READERS)
    sink.wait_for(3)
    quick.wait_digest(sent=3, queued=0)


@pytest.mark.parametrize(
    "rule",
    ["greeting reply 421 4.3.2 closing", "mail reply 421 4.3.2 closing", "mail reply 550 5.7.1 go away"],
)
def test_a_relay_that_refuses_all_is_to_blame_and_not_the_readers(quick, sink, rule):
    sink.faults(rule)
    publish(quick, *READERS)
    wait_until(
        lambda: [r for r in quick.status()["relays"] if r["error"]], "status shows the trouble"
    )
    assert quick.queue("--state", "failed") == []
    sink.faults()
    sink.wait_for(3, 60)
    quick.wait_digest(sent=3, failed=0)


@pytest.mark.parametrize("phase", ["greeting", "mail", "rcpt", "dot"])
@pytest.mark.parametrize("what", ["garbage", "long"])
def test_answers_that_make_no_sense_lose_nothing(quick, sink, phase, what):
    sink.faults(f"1x {phase} {what}")
    publish(quick, *READERS)
    wait_until(lambda: set(sink.recipients()) == set(READERS), "all have it", 60)
    quick.wait_digest(sent=3, queued=0, deferred=0, failed=0)


def test_a_stalled_session_does_not_hold_up_the_others(quick, sink):
    sink.faults("1x mail stall 5")
    quick.start()
    quick.import_readers(60)
    quick.write_post("a.md", "A post")
    wait_until(lambda: len(sink.accepted) == 59, "the other session sends the rest", 4)
    sink.wait_for(60)


def test_one_session_takes_many_messages(quick, sink):
    quick.relay["connections"] = 1
    quick.start()
    quick.import_readers(50)
    quick.write_post("a.md", "A post")
    sink.wait_for(50)
    assert len({e["session"] for e in sink.accepted}) == 1


def test_messages_per_connection_is_obeyed(quick, sink):
    quick.relay.update(connections=1, messages_per_connection=10)
    quick.start()
    quick.import_readers(35)
    quick.write_post("a.md", "A post")
    sink.wait_for(35)
    sizes = {}
    for entry in sink.accepted:
        sizes[entry["session"]] = sizes.get(entry["session"], 0) + 1
    assert max(sizes.values()) <= 10


def test_a_relay_with_chunking_gets_the_same_bytes(make_house, make_sink):
    sink = make_sink("--chunking")
    house = make_house(sink.port)
    publish(house, *READERS)
    for entry in sink.wait_for(3):
        entry.mail.judge(to=entry.to)


def test_a_relay_without_extensions_is_served_too(make_house, make_sink):
    sink = make_sink("--no-pipelining", "--no-enhanced")
    house = make_house(sink.port)
    publish(house, *READERS)
    for entry in sink.wait_for(3):
        entry.mail.judge(to=entry.to)


def test_pause_resume_and_cancel(quick, sink):
    sink.stop()
    publish(quick, *READERS)
    digest = quick.wait_digest(queued=3)
    assert quick.ctl("pause", digest["id"]).code == 0
    sink.start()
    stays(lambda: not sink.accepted, "a paused digest sends nothing", 3)
    assert quick.ctl("resume", digest["id"]).code == 0
    sink.wait_for(3, 60)
    sink.stop()
    quick.write_post("b.md", "B post")
    digest = quick.wait_digest(queued=3)
    assert quick.ctl("cancel", digest["id"]).code == 0
    quick.wait_digest(cancelled=3, queued=0)


def test_an_address_edited_by_hand_reaches_no_command(house, sink):
    """What hubmailctl would refuse may stand in the database all the same."""
    house.start()
    house.add("ann@example.org", "bob@example.org")
    with sqlite3.connect(house.settings["database"]) as database:
        database.execute(
            "UPDATE subscriber SET email = ? WHERE email = 'bob@example.org'",
            ("x@example.org>\r\nRCPT TO:<evil@example.org",),
        )
    database.close()
    house.write_post("a.md", "To good addresses alone")
    sink.wait_for(1)
    house.wait_digest(sent=1, failed=1, queued=0, state="done")
    assert sink.recipients() == ["ann@example.org"]
    assert "evil" not in str([e for e in sink.entries() if e["event"] != "message"])
    (failed,) = house.queue("--state", "failed")
    assert "not one that mail can be sent to" in failed["text"]
