"""The next envelope travels with the end of the text before it (RFC 2920). What a relay does to one
message must not be taken for an answer to another."""

import signal

import pytest

MANY = 40


@pytest.fixture
def quick(make_house):
    """One session, retries at once."""

    def make(sink, **relay):
        house = make_house(sink.port)
        house.settings["retry"] = {"first": "1s", "longest": "2s"}
        house.relay.update(connections=1, **relay)
        house.write_config()
        return house

    return make


def publish(house, readers):
    house.start()
    house.add(*readers)
    house.write_post("a.md", "A post")


def among(*special):
    """Readers nothing is wrong with, and the special ones between them."""
    readers = [f"ann@reader{i}.example" for i in range(MANY)]
    for i, reader in enumerate(special):
        readers.insert(5 * i + 3, reader)
    return readers


def everybody_once(sink, readers):
    entries = sink.wait_for(len(readers), 60)
    assert sorted(e.to for e in entries) == sorted(readers)
    for entry in entries:
        entry.mail.judge(to=entry.to)


def test_nothing_is_sent_before_its_time(quick, make_sink):
    sink = make_sink("--strict")
    house = quick(sink)
    readers = among()
    publish(house, readers)
    everybody_once(sink, readers)
    assert sink.events("impatient") == []
    assert len({e["session"] for e in sink.accepted}) == 1


def test_under_tls_too(quick, make_sink, authority):
    certificate, key = authority.issue("localhost")
    sink = make_sink("--strict", "--starttls", "--cert", certificate, "--key", key)
    house = quick(sink, host="localhost", tls="starttls", tls_ca_file=authority.file)
    readers = among()
    publish(house, readers)
    everybody_once(sink, readers)
    assert sink.events("impatient") == []


def test_a_relay_that_offers_it_and_cannot_is_served_without(quick, make_sink):
    sink = make_sink("--one-by-one")
    house = quick(sink)
    readers = among()
    publish(house, readers)
    digest = house.wait_digest(state="paused")
    assert "5.5.0 wait for my answer" in digest["reason"], digest
    house.relay["pipelining"] = False
    house.write_config()
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    complaints = len(sink.events("impatient"))
    assert house.ctl("resume", digest["id"]).code == 0
    everybody_once(sink, readers)
    house.wait_digest(sent=MANY, failed=0, state="done")
    assert len(sink.events("impatient")) == complaints > 0


def test_a_relay_that_forgets_what_comes_with_the_end_of_a_text_is_served_without(quick, make_sink):
    sink = make_sink("--forgetful")
    house = quick(sink, envelope_timeout="1s")
    readers = among()
    publish(house, readers)
    everybody_once(sink, readers)
    house.wait_digest(sent=MANY, failed=0, deferred=0, state="done")
    assert house.log.count("relay does without pipelining") == 1
    assert {d["attempts"] for d in house.queue("--state", "all")} == {1}, "no reader is to blame"


@pytest.mark.parametrize("step", ["", "dot."])
def test_refusals_hit_only_whom_they_are_for(quick, make_sink, step):
    sink = make_sink("--strict")
    house = quick(sink)
    final, later = f"{step}550+gone@example.org", f"{step}451-1+slow@example.org"
    twice = [f"{step}550+gone{i}@example.org" for i in range(3)]
    readers = among(final, later)
    readers[15:15] = twice
    publish(house, readers)
    house.wait_digest(sent=MANY + 1, failed=4, queued=0, deferred=0, state="done")
    assert sorted(sink.recipients()) == sorted(set(readers) - {final, *twice})
    assert sorted(d["email"] for d in house.queue("--state", "failed")) == sorted([final, *twice])
    tries = {d["email"]: d["attempts"] for d in house.queue("--state", "all")}
    assert tries.pop(later) == 2
    assert set(tries.values()) == {1}


def test_a_refused_reader_after_a_refused_text_is_not_the_relay_s_fault(quick, make_sink):
    sink = make_sink("--strict")
    house = quick(sink)
    readers = among()
    readers[15:15] = gone = ["dot.550+ada@example.org", "550+bob@example.org"]
    publish(house, readers)
    house.wait_digest(sent=MANY, failed=2, queued=0, deferred=0, state="done")
    assert sorted(d["email"] for d in house.queue("--state", "failed")) == sorted(gone)
    assert "relay failed" not in house.log


def test_a_refused_sender_after_a_refused_text_is_not_the_reader_s_fault(quick, make_sink):
    sink = make_sink("--strict")
    house = quick(sink)
    sink.faults("4+ 1x mail reply 451 4.3.2 not now")
    refused = "dot.550+gone@example.org"
    readers = among(refused)
    publish(house, readers)
    house.wait_digest(sent=MANY, failed=1, queued=0, deferred=0, state="done")
    assert [d["email"] for d in house.queue("--state", "failed")] == [refused]
    assert "relay refused the sender: 451 4.3.2 not now" in house.log


GOING = "reply 421 4.3.2 going down"


@pytest.mark.parametrize(
    "fault",
    ["answered drop"]
    + [f"{phase} {how}" for phase in ("mail", "rcpt", "data", "dot") for how in ("drop", GOING)],
)
def test_a_connection_that_ends_anywhere_loses_and_doubles_nobody(quick, make_sink, fault):
    sink = make_sink("--strict")
    house = quick(sink)
    sink.faults(f"12+ 1x {fault}")
    readers = among()
    publish(house, readers)
    everybody_once(sink, readers)
    house.wait_digest(sent=MANY, failed=0, queued=0, deferred=0, state="done")
