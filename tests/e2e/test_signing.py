"""DKIM signatures, judged by somebody else's verifier, and the logins by token and by TLS from the
first byte."""

import re
import subprocess

import dkim

from waiting import wait_until

HOST = "localhost"


def make_key(house, folder, kind, selector):
    """A key by hubmailctl; its DNS record as dkimpy asks for it."""
    path = folder / f"{selector}.pem"
    (key,) = house.ask(
        "dkim", "keygen", "--type", kind, "--domain", "example.org", "--selector", selector, "-o", path
    )
    return path, key["value"]


def signed_house(make_house, sink, tmp_path, *kinds):
    house = make_house(sink.port)
    house.write_config()
    records, groups = {}, []
    for kind in kinds:
        path, record = make_key(house, tmp_path, kind, f"s{kind}")
        records[f"s{kind}._domainkey.example.org."] = record
        groups.append({"domain": "example.org", "selector": f"s{kind}", "key_file": path})
    house.settings["dkim"] = groups[0] if len(groups) == 1 else groups
    house.write_config()
    house.start()
    return house, records


def check(entry, records, signatures):
    def dns(name, timeout=5):
        return records[name.decode()].encode()

    assert len(re.findall(rb"(?m)^DKIM-Signature:", entry.raw)) == signatures
    for i in range(signatures):
        assert dkim.DKIM(entry.raw).verify(i, dnsfunc=dns), entry.to


def test_both_signatures_hold_for_every_reader(make_house, sink, tmp_path):
    house, records = signed_house(make_house, sink, tmp_path, "rsa", "ed25519")
    house.ctl("add", "ann@example.org", "--name", "安妮 O'Hara")
    house.import_readers(20)
    house.write_post("a.md", "签名 signed", "A line.\n\n.\n\n..dots, and a very " + "long " * 300)
    for entry in sink.wait_for(21):
        check(entry, records, 2)
        signed = re.search(rb"h=([^;]*);", entry.raw).group(1).lower()
        assert b"list-unsubscribe:" in re.sub(rb"\s", b"", signed) + b":"
        assert b"list-unsubscribe-post" in re.sub(rb"\s", b"", signed)


def test_a_signature_survives_a_retry_and_a_restart(make_house, sink, tmp_path):
    house, records = signed_house(make_house, sink, tmp_path, "rsa")
    house.add("451-1+ann@example.org", "bob@example.org")
    house.write_post("a.md", "Signed again")
    wait_until(lambda: len(sink.accepted) == 1, "the first is there")
    house.restart()
    assert house.ctl("retry").code == 0
    for entry in sink.wait_for(2):
        check(entry, records, 1)


def test_a_key_that_is_none_stops_the_start_and_a_reload_keeps_the_old(make_house, sink, tmp_path):
    house, records = signed_house(make_house, sink, tmp_path, "ed25519")
    path = house.settings["dkim"]["key_file"]
    good = path.read_text()
    path.write_text("no key at all\n")
    test = subprocess.run(
        [house.build + "/hubmaild" if isinstance(house.build, str) else house.build / "hubmaild"]
        + ["-c", house.file, "-t"],
        capture_output=True,
        text=True,
    )
    assert test.returncode == 78 and "dkim" in test.stderr
    house.daemon.send_signal(1)
    house.wait_log("the old one stays")
    path.write_text(good)
    house.add("ann@example.org")
    house.write_post("a.md", "Still signed")
    check(sink.wait_for(1)[0], records, 1)


def test_a_list_of_another_domain_is_not_signed(make_house, sink, tmp_path):
    house, _ = signed_house(make_house, sink, tmp_path, "rsa")
    house.news["from"] = "Other <news@other.example>"
    house.write_config()
    house.restart()
    house.add("ann@example.org")
    house.write_post("a.md", "Unsigned")
    assert b"DKIM-Signature" not in sink.wait_for(1)[0].raw


# ---- logins ----


def test_implicit_tls_from_the_first_byte(make_house, make_sink, authority):
    cert, key = authority.issue(HOST)
    sink = make_sink("--implicit-tls", "--cert", str(cert), "--key", str(key), "--auth", "news:s3cret")
    house = make_house(sink.port)
    (house.folder / "password").write_text("s3cret\n")
    house.relay.update(
        host=HOST, tls="implicit", tls_ca_file=authority.file, username="news",
        password_file=house.folder / "password",
    )  # fmt: skip
    house.start()
    house.import_readers(30)
    house.write_post("a.md", "Encrypted throughout")
    assert all(e["tls"] for e in sink.wait_for(30))


def test_a_login_by_token(make_house, make_sink, authority):
    cert, key = authority.issue(HOST)
    sink = make_sink("--starttls", "--cert", str(cert), "--key", str(key), "--auth", "news:tok3n")
    house = make_house(sink.port)
    house.relay.update(
        host=HOST, tls="starttls", tls_ca_file=authority.file, username="news",
        token_command="echo tok3n",
    )  # fmt: skip
    house.start()
    house.add("ann@example.org")
    house.write_post("a.md", "By token")
    sink.wait_for(1)
    assert "tok3n" not in house.log


def test_a_token_that_is_refused_or_missing_pauses_the_relay(make_house, make_sink, authority):
    cert, key = authority.issue(HOST)
    sink = make_sink("--starttls", "--cert", str(cert), "--key", str(key), "--auth", "news:tok3n")
    house = make_house(sink.port)
    house.relay.update(
        host=HOST, tls="starttls", tls_ca_file=authority.file, username="news",
        token_command="echo stale",
    )  # fmt: skip
    house.start()
    house.add("ann@example.org")
    house.write_post("a.md", "By token")

    def error():
        return next((r["error"] for r in house.status()["relays"] if r["error"]), "")

    wait_until(lambda: "535" in error(), "the refusal is shown")
    assert "stale" not in house.log
    house.relay["token_command"] = "exit 7"
    house.write_config()
    house.restart()
    wait_until(lambda: "exit code 7" in error(), "the command's failure is shown")
    house.wait_digest(queued=1, failed=0, deferred=0)
