"""A relay that discards: everything happens but the sending."""

from sink import free_port


def test_a_discarding_relay_is_not_connected_to_and_everything_counts_as_sent(make_house):
    house = make_house(free_port())
    house.relay.update(discard=True, host="mail.invalid", tls="starttls")
    house.start()
    house.import_readers(50)
    house.write_post("a.md", "A rehearsal")
    house.wait_digest(sent=50, queued=0, deferred=0, state="done")
    assert house.status()["relays"][0]["state"] == "discarding"
    assert house.status()["relays"][0]["sent"] == 50
    assert "relay discards all mail" in house.log
    history = house.ctl("show", "reader7@example.org").out
    assert "discarded" in history


def test_after_the_rehearsal_mail_is_sent(house, sink):
    house.relay["discard"] = True
    house.start()
    house.add("ann@example.org")
    house.write_post("a.md", "A rehearsal")
    house.wait_digest(sent=1, state="done")
    del house.relay["discard"]
    house.write_config()
    house.restart()
    house.write_post("b.md", "The real thing")
    (message,) = sink.wait_for(1)
    assert message.mail.subject.endswith("The real thing")
