"""Everything that can happen during a send, at the same time; and too little memory for it."""

import os
import resource
import signal
import threading

from conftest import fastest_build
from waiting import wait_until

SESSIONS = 4


def test_pause_reload_unsubscribe_and_failover_during_a_send(house, sink, make_sink):
    """Under the thread sanitizer (HUBMAIL_BUILD=build/tsan) this is where races would show."""
    second = make_sink()
    house.settings["retry"] = {"first": "1s", "longest": "2s"}
    house.relay["connections"] = SESSIONS
    house.settings["relays"].append(
        {"name": "second", "host": "127.0.0.1", "port": second.port, "tls": "none", "priority": 20}
    )
    house.settings["domains"] = [{"name": "paced.example", "rate": "50/s"}]
    house.start()
    readers = house.import_readers(1500)
    readers += house.import_readers(50, "paced.example")
    house.write_post("a.md", "While everything happens")
    wait_until(lambda: house.digests(), "a digest")
    gone, trouble = [], []

    def unsubscribe():
        try:
            for address in readers[1400:1440]:
                assert house.ctl("remove", address).code == 0
                gone.append(address)
        except Exception as e:
            trouble.append(e)

    def disturb():
        try:
            for rule in ("greeting drop", "mail reply 421 4.3.2 closing", "text drop", "dot drop"):
                sink.faults(f"5x {rule}")
                house.signal(signal.SIGHUP)
                assert house.ctl("pause", "1").code in (0, 1)
                house.status()
                assert house.ctl("resume", "1").code in (0, 1)
                assert house.ctl("retry").code == 0
            sink.faults()
        except Exception as e:
            trouble.append(e)

    threads = [threading.Thread(target=f) for f in (unsubscribe, disturb)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    assert house.ctl("retry").code == 0
    digest = house.wait_digest(120, queued=0, deferred=0, state="done")
    assert digest["sent"] + digest["cancelled"] == len(readers)
    got = sink.recipients() + second.recipients()
    assert set(readers) - set(gone) <= set(got)
    unknown = {d["email"] for d in house.queue("--state", "unknown")}
    assert {a for a in got if got.count(a) > 1} <= unknown
    house.stop()
    assert "ThreadSanitizer" not in house.log and "AddressSanitizer" not in house.log


def test_out_of_memory_loses_nothing(make_house, make_sink):
    """The process ends when it has no memory left; what is queued is sent by the next."""
    sink = make_sink(build=fastest_build())
    house = make_house(sink.port, fastest_build())
    house.relay["connections"] = SESSIONS
    house.start()
    readers = house.import_readers(2000)
    pages = int(open(f"/proc/{house.daemon.pid}/statm").read().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + 2_000_000
    resource.prlimit(house.daemon.pid, resource.RLIMIT_AS, (limit, limit))
    house.write_post("a.md", "Too much", "Words. " * 100_000)
    wait_until(
        lambda: house.daemon.poll() is not None or len(sink.accepted) >= 2000,
        "it ends, or does with what it has",
        60,
    )
    if house.daemon.poll() is not None:
        house.wait_end()
    else:
        house.kill()
    house.start()
    wait_until(lambda: len(set(sink.recipients())) == 2000, "every reader has it", 60)
    house.wait_digest(sent=2000, queued=0, state="done")
    assert set(sink.recipients()) == set(readers)
    assert len(sink.accepted) - 2000 <= SESSIONS
