"""How fast, over which relay, and who is held up by whom. Nothing here measures a speed: the order
and the times that the sink notes say what was waited for."""

import pytest

from waiting import stays, wait_until


@pytest.fixture
def quick(house):
    house.settings["retry"] = {"first": "1s", "longest": "2s"}
    return house


def seconds(entries):
    """When each message came, since the first."""
    times = sorted(e["mono_ns"] / 1e9 for e in entries)
    return [t - times[0] for t in times]


def test_a_rate_is_kept_evenly_over_all_sessions(house, sink):
    house.relay.update(rate="20/s", connections=4)
    house.start()
    house.import_readers(60)
    house.write_post("a.md", "Slowly")
    took = seconds(sink.wait_for(60))
    assert took[-1] >= 59 / 20 * 0.95
    # Never much more than its share in any half second.
    for start in took:
        assert sum(start <= t < start + 0.5 for t in took) <= 14


def test_a_limit_stops_the_relay_and_outlives_a_restart(house, sink):
    house.relay.update(limit="5/d")
    house.start()
    house.import_readers(8)
    house.write_post("a.md", "Not all at once")
    wait_until(lambda: len(sink.accepted) == 5, "five messages at the sink")
    relay = wait_until(
        lambda: [r for r in house.status()["relays"] if r["state"] == "limited"], "the relay is limited"
    )[0]
    assert (relay["limit"], relay["limit_used"]) == (5, 5)
    house.restart()
    stays(lambda: len(sink.accepted) == 5, "nothing more is sent today", 2)
    assert house.status()["relays"][0]["state"] == "limited"
    house.wait_digest(sent=5, queued=3)


def test_another_relay_takes_over_while_the_first_fails(quick, sink, make_sink):
    second = make_sink()
    quick.settings["relays"].append(
        {"name": "second", "host": "127.0.0.1", "port": second.port, "tls": "none", "priority": 20}
    )
    sink.faults("greeting drop")
    quick.start()
    quick.import_readers(30)
    quick.write_post("a.md", "By another way")
    second.wait_for(30)
    states = {r["relay"]: r["state"] for r in quick.status()["relays"]}
    assert states["main"] == "failing"
    sink.faults()
    n = 0

    def back():
        nonlocal n
        n += 1
        quick.write_post(f"b{n}.md", f"And back {n}")
        return sink.accepted

    wait_until(back, "the first relay serves again", 60, pause=1)
    quick.wait_digest(queued=0, deferred=0, failed=0)


def test_a_relay_of_lower_priority_is_left_alone_while_the_first_serves(house, sink, make_sink):
    second = make_sink()
    house.settings["relays"].append(
        {"name": "second", "host": "127.0.0.1", "port": second.port, "tls": "none", "priority": 20}
    )
    house.start()
    house.import_readers(200)
    house.write_post("a.md", "One way")
    sink.wait_for(200, 60)
    assert second.accepted == []


def test_a_domain_s_limit_holds_up_nobody_else(house, sink):
    house.settings["domains"] = [{"name": "slow.example", "rate": "2/s", "connections": 1}]
    house.start()
    house.import_readers(20, "slow.example")
    house.import_readers(100, "example.org")
    house.write_post("a.md", "Each at its pace")
    sink.wait_for(120, 60)
    order = [e.to.split("@")[1] for e in sorted(sink.accepted, key=lambda e: e["mono_ns"])]
    # Although they were added first, most of the slow domain's come last.
    assert order[:100].count("slow.example") <= 10
    slow = seconds([e for e in sink.accepted if e.to.endswith("@slow.example")])
    assert slow[-1] >= 19 / 2 * 0.95


def test_a_domain_that_complains_is_slowed_down_and_the_others_go_on(quick, sink):
    quick.start()
    quick.import_readers(50)
    quick.add("zoe@ordinary.example")
    sink.faults("1x rcpt reply 421 4.7.0 too much from you")
    quick.write_post("a.md", "Not so fast")
    domains = wait_until(lambda: quick.status()["domains"], "a domain is slowed down")
    assert domains[0]["domain"] == "example.org"
    assert domains[0]["state"] in ("paused", "slowed")
    assert "too much" in domains[0]["reason"]
    sink.wait_for(51, 60)
    quick.wait_digest(sent=51, failed=0)


def test_a_digest_refused_on_principle_is_held_back_and_nobody_is_lost(quick, sink):
    quick.settings["retry"]["pause_after"] = 3
    sink.faults("rcpt reply 554 5.7.1 we take this for spam")
    quick.start()
    quick.import_readers(40)
    quick.write_post("a.md", "Looks like spam")
    digest = quick.wait_digest(state="paused")
    assert "5.7.1" in digest["reason"] and "spam" in digest["reason"]
    digest = wait_until(
        lambda: next((d for d in quick.digests() if d["failed"] == 0), None), "nobody has failed"
    )
    assert digest["queued"] + digest["deferred"] == 40
    stays(lambda: quick.digests()[0]["state"] == "paused", "it stays paused", 1)
    sink.faults()
    assert quick.ctl("resume", digest["id"]).code == 0
    sink.wait_for(40)
    quick.wait_digest(sent=40, state="done")


def test_pause_resume_and_cancel_act_during_a_send(house, sink):
    house.relay.update(rate="20/s")
    house.start()
    house.import_readers(100)
    house.write_post("a.md", "Wait a moment")
    wait_until(lambda: len(sink.accepted) >= 5, "it has begun")
    (digest,) = house.digests()
    assert house.ctl("pause", digest["id"]).code == 0
    before = len(sink.accepted)
    stays(lambda: len(sink.accepted) <= before + 2, "at most what was on the wire", 2)
    assert house.ctl("resume", digest["id"]).code == 0
    wait_until(lambda: len(sink.accepted) >= before + 10, "it goes on")
    assert house.ctl("cancel", digest["id"]).code == 0
    done = house.wait_digest(state="cancelled", queued=0)
    stays(lambda: len(sink.accepted) <= done["sent"] + 2, "nothing more", 1)
    assert len(set(sink.recipients())) == len(sink.recipients())
