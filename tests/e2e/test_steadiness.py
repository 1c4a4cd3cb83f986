"""What must not go on for ever, and what must go on in spite of it."""

import pathlib
import re
import signal
import sqlite3
import time

from waiting import stays, wait_until


def wakes(pid):
    """How often the threads of a process went to sleep so far, but for those that have ended."""
    n = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        n += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M).group(1))
    return n


def wakes_meanwhile(house, seconds):
    before = wakes(house.daemon.pid)
    time.sleep(seconds)
    return wakes(house.daemon.pid) - before


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def test_a_reader_whose_answer_never_comes_is_not_mailed_for_ever(house, sink):
    house.settings["retry"] = {"first": "1s", "longest": "1s", "give_up": "3s"}
    sink.faults("kept drop")
    house.start()
    house.add("ann@example.org")
    house.write_post("a.md", "Once too often")
    house.wait_digest(held=1, queued=0, deferred=0)
    sent = len(sink.accepted)
    assert sent >= 2
    stays(lambda: len(sink.accepted) == sent, "nothing more is sent", 3)
    assert house.ctl("retry").code == 0
    wait_until(lambda: len(sink.accepted) > sent, "a person may have it sent again")


def test_a_relay_s_rate_is_waited_for_asleep(house, sink):
    house.verbosity = []
    house.relay.update(rate="1/m", connections=4)
    house.start()
    house.import_readers(200)
    house.write_post("a.md", "Very slowly")
    sink.wait_for(1)
    time.sleep(3)  # the open connection has been given up by then
    assert wakes_meanwhile(house, 3) < 300
    assert len(sink.accepted) == 1


def test_a_relay_that_does_not_answer_is_waited_for_asleep(house, sink):
    house.verbosity = []
    sink.faults("greeting stall 20")
    house.start()
    house.import_readers(10)
    house.write_post("a.md", "Nobody there")
    wait_until(lambda: house.status()["relays"][0]["sessions"] > 0, "a session waits")
    assert wakes_meanwhile(house, 3) < 300


def test_status_survives_a_relay_that_does_not_speak_utf_8(house, sink):
    (sink.folder / "faults").write_bytes(b"rcpt reply 451 4.7.0 zu viel f\xfcr uns\ndata reply 421 \xff\n")
    sink.process.send_signal(1)
    house.start()
    house.add("ann@example.org")
    house.write_post("a.md", "Umlauts")
    house.wait_digest(deferred=1)
    status = house.status()
    assert [r["relay"] for r in status["relays"]] == ["main"]
    assert [d["domain"] for d in status["domains"]] == ["example.org"]
    assert "zu viel" in status["domains"][0]["reason"]
    assert "zu viel" in house.queue("--state", "deferred")[0]["text"]
    (sink.folder / "faults").write_bytes(b"mail reply 451 nicht f\xfcr uns\n")
    sink.process.send_signal(1)
    assert house.ctl("retry").code == 0
    relay = wait_until(
        lambda: [r for r in house.status()["relays"] if r["error"]], "status shows the trouble"
    )[0]
    assert "nicht" in relay["error"]


def test_what_a_relay_took_is_kept_no_longer_than_its_limit_needs(house, sink):
    house.relay.update(limit="1000/h")
    house.start()
    house.stop()
    with sqlite3.connect(house.folder / "hubmail.db") as db:
        now = int(time.time())
        for age in (100, 7200, 10**8):
            db.execute("INSERT INTO relay_use VALUES ('main', ?, 7)", (now - age,))
    db.close()
    house.start()

    def kept():
        with sqlite3.connect(house.folder / "hubmail.db") as db:
            return [row[0] for row in db.execute("SELECT slot_at FROM relay_use")]

    wait_until(lambda: len(kept()) == 1, "two are gone")
    assert kept() == [now - 100]
    assert house.status()["relays"][0]["limit_used"] == 7


def test_a_second_sigterm_ends_a_daemon_whose_disk_is_full(small_disk, house, sink):
    house.settings["database"] = small_disk / "hubmail.db"
    house.relay["connections"] = 2
    house.start()
    house.import_readers(3000)
    house.write_post("a.md", "Too much")
    wait_until(lambda: len(sink.accepted) > 20, "the send is under way")
    fill(small_disk)
    house.wait_log("cannot be written")
    house.signal(signal.SIGTERM)
    house.wait_log("stopping after the current messages")
    house.signal(signal.SIGTERM)
    assert house.wait_end() == 0
    (small_disk / "filler").unlink()
    house.start()
    house.wait_digest(sent=3000, queued=0, deferred=0)
    twice = len(sink.accepted) - len(set(sink.recipients()))
    assert twice <= 2, "at most one for each session"
    assert len(set(sink.recipients())) == 3000
