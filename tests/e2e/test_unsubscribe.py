"""A reader's way out (RFC 8058), which no scanner takes by accident."""

import signal


def one_mail(house, sink):
    house.start()
    house.add("ann@example.org", "bob@example.org")
    house.write_post("one.md", "One")
    sink.wait_for(2)
    house.wait_digest(sent=2)
    return next(e.mail for e in sink.accepted if e.to == "ann@example.org")


def state_of(house, email):
    return [s["state"] for s in house.ask("subscribers") if s["email"] == email]


def test_a_get_shows_a_button_and_changes_nothing(house, sink):
    mail = one_mail(house, sink)
    status, page = house.http("GET", mail.unsubscribe_url)
    assert status == 200
    assert "<form" in page.lower() and "post" in page.lower()
    assert state_of(house, "ann@example.org") == ["confirmed"]


def test_one_click_unsubscribes_before_it_answers(house, sink):
    mail = one_mail(house, sink)
    status, _ = house.http("POST", mail.unsubscribe_url, "List-Unsubscribe=One-Click")
    house.kill()
    assert status == 200
    assert state_of(house, "ann@example.org") == ["unsubscribed"], "kept through a kill -9"
    house.start()
    house.write_post("two.md", "Two")
    assert sink.wait_for(3)[2].to == "bob@example.org"


def test_the_button_unsubscribes_and_a_second_time_is_no_error(house, sink):
    mail = one_mail(house, sink)
    for _ in range(2):
        assert house.http("POST", mail.unsubscribe_url, "")[0] == 200
    assert state_of(house, "ann@example.org") == ["unsubscribed"]
    assert state_of(house, "bob@example.org") == ["confirmed"]
    assert house.ctl("add", "ann@example.org").code == 1, "who unsubscribed is not added again"
    assert house.ctl("add", "ann@example.org", "--force").code == 0, "unless by force"


def test_a_wrong_link_is_refused_and_tells_nothing(house, sink):
    url = one_mail(house, sink).unsubscribe_url
    wrong = url[:-1] + ("A" if url[-1] != "A" else "B")
    for method in ("GET", "POST"):
        status, page = house.http(method, wrong, "" if method == "POST" else None)
        assert status in (400, 403, 404)
        assert "example.org" not in page
    assert state_of(house, "ann@example.org") == ["confirmed"]


def test_it_stops_what_is_already_queued(house, sink):
    mail = one_mail(house, sink)
    sink.stop()
    house.write_post("two.md", "Two")
    house.wait_digest(queued=2)
    assert house.http("POST", mail.unsubscribe_url, "List-Unsubscribe=One-Click")[0] == 200
    house.wait_digest(cancelled=1)
    sink.start()
    house.ctl("retry")
    assert sink.wait_for(3)[2].to == "bob@example.org"
    house.wait_digest(sent=1, cancelled=1, queued=0, deferred=0)


def test_removing_by_hand_does_the_same(house, sink):
    one_mail(house, sink)
    assert house.ctl("remove", "ann@example.org").code == 0
    assert state_of(house, "ann@example.org") == ["removed"]
    house.write_post("two.md", "Two")
    assert sink.wait_for(3)[2].to == "bob@example.org"


def test_the_pages_go_on_after_a_reload(house, sink):
    mail = one_mail(house, sink)
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    assert house.http("GET", f"http://{house.web}/healthz")[0] == 200
    assert house.http("GET", mail.unsubscribe_url)[0] == 200
