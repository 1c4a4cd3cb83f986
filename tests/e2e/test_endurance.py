"""Nothing is lost: not by kill -9, not by a full disk."""

import collections
import os
import signal
import random
import time

from conftest import fastest_build
from waiting import wait_until

SESSIONS = 8


def repeats(sink):
    """Address → how often too much."""
    return {a: n - 1 for a, n in collections.Counter(sink.recipients()).items() if n > 1}


def test_ten_thousand_readers_and_kill_9_in_the_middle(make_house, make_sink):
    sink = make_sink(build=fastest_build())
    house = make_house(sink.port, fastest_build())
    house.relay["connections"] = SESSIONS
    house.start()
    readers = house.import_readers(10000)
    house.write_post("a.md", "To ten thousand")
    kills = 0
    for target in (1500, 4000, 7000):
        wait_until(lambda: len(sink.accepted) >= target, f"{target} messages", 120, 0.001)
        house.kill()
        kills += 1
        assert len(set(sink.recipients())) < 10000, "the kill came in the middle"
        house.start()
    wait_until(lambda: len(set(sink.recipients())) == 10000, "every reader has it", 120)
    house.wait_digest(sent=10000, queued=0, deferred=0, state="done")
    assert set(sink.recipients()) == set(readers)
    twice = repeats(sink)
    assert all(n <= kills for n in twice.values())
    assert sum(twice.values()) <= SESSIONS * kills, twice
    unknown = {d["email"] for d in house.queue("--state", "unknown")}
    assert set(twice) <= unknown, "every repeat is known as unknown"
    assert len(unknown) <= SESSIONS * kills
    print(f"{len(unknown)} unknown after {kills} kills, {len(twice)} of them repeated")
    assert len({e["sha256"] for e in sink.accepted}) == 10000, "each message is its reader's own"
    for entry in sink.accepted[:: len(sink.accepted) // 50]:
        entry.mail.judge(to=entry.to)


def test_kills_at_random_moments(make_house, make_sink):
    """HUBMAIL_KILLS=200 kills two hundred times in a send to 5,000, which takes some minutes."""
    kills = int(os.environ.get("HUBMAIL_KILLS", 12))
    seed = int(os.environ.get("HUBMAIL_SEED", random.randrange(1 << 30)))
    print(f"HUBMAIL_SEED={seed}")
    moments = random.Random(seed)
    # A relay that takes its time: there is something on the wire at every moment until the end.
    sink = make_sink("--delay", "40", build=fastest_build())
    house = make_house(sink.port, fastest_build())
    house.relay["connections"] = SESSIONS
    house.start()
    readers = house.import_readers(25 * kills)
    house.write_post("a.md", "To all, whatever happens")
    wait_until(lambda: sink.accepted, "it has begun")
    done = 0
    while done < kills and len(set(sink.recipients())) < len(readers):
        before = len(sink.accepted)
        wait_until(lambda: len(sink.accepted) > before, "it goes on", 60, 0.001)
        time.sleep(moments.uniform(0, 0.15))  # the moment is what is tested
        house.kill()
        done += 1
        house.launch()
    assert done >= kills * 0.8, "the send was over too soon to be killed that often"
    wait_until(lambda: len(set(sink.recipients())) == len(readers), "every reader has it", 300)
    house.wait_digest(sent=len(readers), queued=0, deferred=0, state="done")
    assert set(sink.recipients()) == set(readers)
    twice = repeats(sink)
    unknown = {d["email"] for d in house.queue("--state", "unknown")}
    assert set(twice) <= unknown, "every repeat is known as unknown"
    assert sum(twice.values()) <= SESSIONS * done, twice
    log = house.log.count("delivery unknown")
    assert len(unknown) <= log <= SESSIONS * done
    print(f"{done} kills: {log} unknown, {sum(twice.values())} repeats")


def test_ten_thousand_readers_each_once(make_house, make_sink):
    sink = make_sink(build=fastest_build())
    house = make_house(sink.port, fastest_build())
    house.relay["connections"] = SESSIONS
    house.start()
    readers = house.import_readers(10000)
    house.write_post("a.md", "To ten thousand")
    sink.wait_for(10000, 120)
    house.wait_digest(sent=10000, queued=0, state="done")
    assert sorted(sink.recipients()) == sorted(readers)
    span = sink.accepted[-1]["mono_ns"] - sink.accepted[0]["mono_ns"]
    print(f"{9999e9 / span:.0f} messages a second")


def fill(folder):
    """Takes all space that is left, down to the last byte."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return path


def full_house(house, disk):
    house.settings["database"] = disk / "hubmail.db"
    house.settings["retry"] = {"first": "1s", "longest": "2s"}
    return house


def test_a_full_disk_when_a_post_appears(small_disk, house, sink):
    full_house(house, small_disk).start()
    readers = house.import_readers(200)
    filler = fill(small_disk)
    house.write_post("a.md", "On a full disk")
    wait_until(lambda: house.status()["database_trouble"], "status tells the trouble")
    assert not sink.accepted
    os.unlink(filler)
    wait_until(lambda: set(sink.recipients()) == set(readers), "every reader has it", 60)
    house.wait_digest(sent=200, queued=0, state="done")
    assert not repeats(sink)
    assert not house.status()["database_trouble"]


def test_a_disk_that_fills_up_in_the_middle_of_a_send(small_disk, house, sink):
    full_house(house, small_disk).start()
    readers = house.import_readers(3000)
    house.write_post("a.md", "While the disk fills")
    wait_until(lambda: len(sink.accepted) >= 200, "the send is under way")
    filler = fill(small_disk)
    seen = -1
    while len(sink.accepted) not in (seen, 3000):
        seen = len(sink.accepted)
        try:
            wait_until(lambda: len(sink.accepted) > seen, "more", 3)
        except AssertionError:
            break
    assert house.daemon.poll() is None, "no crash"
    os.unlink(filler)
    wait_until(lambda: set(sink.recipients()) == set(readers), "every reader has it", 90)
    house.wait_digest(sent=3000, queued=0, deferred=0, state="done")
    assert sum(repeats(sink).values()) <= 2 * 2, repeats(sink)


def test_sigterm_ends_a_daemon_that_waits_for_disk_space(small_disk, house, sink):
    full_house(house, small_disk).start()
    readers = house.import_readers(3000)
    house.write_post("a.md", "While the disk is full")
    wait_until(lambda: len(sink.accepted) >= 100, "the send is under way")
    filler = fill(small_disk)
    house.wait_log("cannot be written")
    house.signal(signal.SIGTERM)
    house.wait_end(75)
    os.unlink(filler)
    house.start()
    wait_until(lambda: set(sink.recipients()) == set(readers), "every reader has it", 90)
    assert sum(repeats(sink).values()) <= 2


def test_out_of_descriptors_and_still_there(house, sink):
    import resource

    house.start()
    house.add("ann@example.org")
    resource.prlimit(house.daemon.pid, resource.RLIMIT_NOFILE, (12, 4096))
    house.write_post("a.md", "No descriptors left")
    wait_until(lambda: house.daemon.poll() is None, "it lives")
    resource.prlimit(house.daemon.pid, resource.RLIMIT_NOFILE, (1024, 4096))
    house.ctl("poll")
    sink.wait_for(1, 90)
