"""STARTTLS and the login, and every way in which they are not to be trusted."""

import os

import pytest

from waiting import wait_until

HOST = "localhost"


def tls_house(make_house, sink, authority, **relay):
    house = make_house(sink.port)
    house.relay.update(host=HOST, tls="starttls", tls_ca_file=authority.file, **relay)
    house.settings["retry"] = {"first": "1s", "longest": "2s"}
    house.start()
    house.add("ann@example.org", "bob@example.org")
    house.write_post("a.md", "A secret post")
    return house


def relay_error(house):
    return wait_until(
        lambda: [r["error"] for r in house.status()["relays"] if r["error"]],
        "status shows the trouble",
    )[0]


def options(pair):
    return "--starttls", "--cert", str(pair[0]), "--key", str(pair[1])


def test_mail_goes_over_tls(make_house, make_sink, authority):
    sink = make_sink(*options(authority.issue(HOST)))
    house = tls_house(make_house, sink, authority)
    assert all(e["tls"] for e in sink.wait_for(2))
    house.wait_digest(sent=2)


def test_many_tls_sessions_and_none_hangs(make_house, make_sink, authority):
    """HUBMAIL_TLS_SESSIONS=500 for more of them."""
    sessions = int(os.environ.get("HUBMAIL_TLS_SESSIONS", 100))
    sink = make_sink(*options(authority.issue(HOST)))
    house = make_house(sink.port)
    house.relay.update(
        host=HOST, tls="starttls", tls_ca_file=authority.file, messages_per_connection=1, connections=8
    )
    house.start()
    house.import_readers(sessions)
    house.write_post("a.md", "A post")
    sink.wait_for(sessions, 240)
    assert len({e["session"] for e in sink.accepted}) == sessions


def test_sessions_are_resumed(make_house, make_sink, authority):
    sink = make_sink(*options(authority.issue(HOST)))
    house = make_house(sink.port)
    house.relay.update(
        host=HOST, tls="starttls", tls_ca_file=authority.file, messages_per_connection=1, connections=1
    )
    house.start()
    house.import_readers(10)
    house.write_post("a.md", "A post")
    sink.wait_for(10)
    resumed = [e["resumed"] for e in sink.events("tls")]
    assert not resumed[0] and all(resumed[1:])


@pytest.mark.parametrize("kind", ["expired", "another host", "self-signed"])
def test_a_certificate_that_does_not_hold_gets_no_mail(make_house, make_sink, authority, kind):
    pair = {
        "expired": lambda: authority.issue(HOST, days=-1),
        "another host": lambda: authority.issue("other.example"),
        "self-signed": lambda: authority.issue(HOST, self_signed=True),
    }[kind]()
    sink = make_sink(*options(pair))
    house = tls_house(make_house, sink, authority)
    error = relay_error(house)
    word = {"expired": "expired", "another host": "host", "self-signed": "self"}[kind]
    assert word in error.lower(), error
    assert not sink.accepted
    house.wait_digest(queued=2, failed=0)


def test_a_server_of_tls_1_0_gets_no_mail(make_house, make_sink, authority):
    sink = make_sink(*options(authority.issue(HOST)), "--tls-max", "1.0")
    house = tls_house(make_house, sink, authority)
    relay_error(house)
    assert not sink.accepted


def test_a_relay_that_offers_no_starttls_gets_no_mail(make_house, make_sink, authority):
    sink = make_sink()
    house = tls_house(make_house, sink, authority)
    assert "starttls" in relay_error(house).lower()
    assert not sink.accepted


@pytest.mark.parametrize("rule", ["tls drop", "starttls reply 454 4.7.0 not now", "tls garbage"])
def test_a_handshake_that_fails_blames_the_relay(make_house, make_sink, authority, rule):
    sink = make_sink(*options(authority.issue(HOST)), "--fault", rule)
    house = tls_house(make_house, sink, authority)
    relay_error(house)
    assert not sink.accepted and house.queue("--state", "failed") == []
    sink.faults()
    sink.wait_for(2, 60)


def test_answers_injected_before_tls_are_not_believed(make_house, make_sink, authority):
    sink = make_sink(*options(authority.issue(HOST)), "--fault", "2x starttls inject")
    house = tls_house(make_house, sink, authority)
    sink.wait_for(2, 60)
    house.wait_digest(sent=2)
    injected = [e["session"] for e in sink.events("fault")]
    assert len(injected) == 2
    assert not {e["session"] for e in sink.accepted} & set(injected)


def login_house(make_house, make_sink, authority, password, *more):
    sink = make_sink(*options(authority.issue(HOST)), "--auth", "news:s3cret word", *more)
    file = sink.folder / "password"
    file.write_text(password + "\n")
    house = tls_house(make_house, sink, authority, username="news", password_file=file)
    return house, sink


def test_the_login_works_and_the_password_is_nowhere_to_be_seen(make_house, make_sink, authority):
    house, sink = login_house(make_house, make_sink, authority, "s3cret word")
    sink.wait_for(2)
    assert all(e["ok"] and e["tls"] for e in sink.events("login"))
    assert "s3cret" not in house.log + house.ctl("--json", "status").out


def test_a_refused_login_blames_the_relay_and_no_reader(make_house, make_sink, authority):
    house, sink = login_house(make_house, make_sink, authority, "mistaken")
    assert "535" in relay_error(house)
    assert house.queue("--state", "failed") == []
    house.wait_digest(queued=2)
    assert not sink.accepted and "mistaken" not in house.log + house.ctl("status").out


def test_a_password_does_not_go_over_a_plain_connection_to_another_machine(make_house):
    house = make_house(25)
    file = house.folder / "password"
    file.write_text("x\n")
    house.relay.update(host="192.0.2.1", tls="none", username="news", password_file=file)
    house.write_config()
    house.launch("-t")
    assert house.wait_end() == 78
    assert "relays[0]" in house.log and "tls" in house.log
