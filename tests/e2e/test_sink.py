"""The sink itself, talked to by Python's SMTP client: what it says of a message must be true."""

import hashlib
import smtplib
import socket
import ssl

import pytest

from waiting import wait_until

TEXT = b"Subject: x\r\n\r\n.\r\n..dots\r\n.x\r\n" + b"y" * 5000 + b"\r\nend\r\n"


def client(sink):
    return smtplib.SMTP("127.0.0.1", sink.port, timeout=10)


def test_it_keeps_what_was_sent(sink):
    with client(sink) as c:
        c.sendmail("news@example.org", ["ann@example.org"], TEXT)
        c.sendmail("", ["bob@example.org"], b"second\r\n")
    first, second = sink.accepted
    assert first.raw == TEXT
    assert first["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert (first["mail"], first.to) == ("news@example.org", "ann@example.org")
    assert second.raw == b"second\r\n" and second["mail"] == ""
    assert first["session"] == second["session"]


def test_pipelined_transactions_in_one_packet(sink):
    words = b"EHLO me\r\n" + b"MAIL FROM:<a@b.c>\r\nRCPT TO:<x@y.z>\r\nDATA\r\nhi\r\n.\r\n" * 2 + b"QUIT\r\n"
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as s:
        s.sendall(words)
        answers = b"".join(iter(lambda: s.recv(65536), b""))
    assert answers.count(b"250 2.0.0 kept") == 2 and answers.endswith(b"221 2.0.0 bye\r\n")
    assert [e.raw for e in sink.accepted] == [b"hi\r\n"] * 2


def test_a_text_in_single_bytes(sink):
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(b"EHLO me\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<x@y.z>\r\nDATA\r\n")
        for byte in b"a\r\n..\r\n.\r\n":
            s.sendall(bytes([byte]))
        wait_until(lambda: sink.accepted, "the message is kept")
    assert sink.accepted[0].raw == b"a\r\n.\r\n"


def test_chunks(make_sink):
    sink = make_sink("--chunking")
    with client(sink) as c:
        c.ehlo()
        assert c.has_extn("chunking")
        c.docmd("MAIL FROM:<a@b.c>")
        c.docmd("RCPT TO:<x@y.z>")
        c.send(b"BDAT 6\r\n.\r\n..\nBDAT 3 LAST\r\n.\r\n")
        assert c.getreply()[0] == c.getreply()[0] == 250
    assert sink.accepted[0].raw == b".\r\n..\n.\r\n"


@pytest.mark.parametrize("phase, code", [("mail", 550), ("data", 451), ("dot", 554), ("greeting", 421)])
def test_a_rule_changes_an_answer_so_many_times(sink, phase, code):
    sink.faults(f"1x {phase} reply {code} no")
    with pytest.raises(smtplib.SMTPException):
        with client(sink) as c:
            c.sendmail("a@b.c", ["x@y.z"], TEXT)
    assert not sink.accepted
    with client(sink) as c:
        c.sendmail("a@b.c", ["x@y.z"], TEXT)
    assert len(sink.accepted) == 1


def test_rules_can_wait_for_their_turn(sink):
    sink.faults("2+ 1x dot drop")
    for expected in (1, 2, 2, 3):
        try:
            with client(sink) as c:
                c.sendmail("a@b.c", ["x@y.z"], TEXT)
        except smtplib.SMTPServerDisconnected:
            pass
        assert len(sink.accepted) == expected


def test_addresses_ask_for_themselves(sink):
    for address, codes in (("550+x@y.z", [550, 550]), ("451-1+x@y.z", [451, 250]), ("x+tag@y.z", [250])):
        for code in codes:
            with client(sink) as c:
                c.ehlo()
                c.mail("a@b.c")
                assert c.rcpt(address)[0] == code


def test_kept_but_not_answered(sink):
    sink.faults("1x kept drop")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client(sink).sendmail("a@b.c", ["x@y.z"], TEXT)
    assert [e["answered"] for e in sink.accepted] == [False]


def test_size_is_enforced(make_sink):
    sink = make_sink("--size", "1000")
    with pytest.raises(smtplib.SMTPSenderRefused):
        client(sink).sendmail("a@b.c", ["x@y.z"], TEXT)
    with client(sink) as c:
        c.ehlo()
        c.mail("a@b.c")
        c.rcpt("x@y.z")
        assert c.data(TEXT * 50)[0] == 552
        c.sendmail("a@b.c", ["x@y.z"], b"small\r\n")
    assert [e["size"] for e in sink.accepted] == [7]


def test_tls_and_login(make_sink, authority):
    certificate, key = authority.issue("localhost")
    sink = make_sink("--starttls", "--cert", str(certificate), "--key", str(key), "--auth", "u:p w")
    context = ssl.create_default_context(cafile=authority.file)
    with smtplib.SMTP("localhost", sink.port, timeout=10) as c:
        c.starttls(context=context)
        with pytest.raises(smtplib.SMTPSenderRefused):
            c.sendmail("a@b.c", ["x@y.z"], TEXT)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            c.login("u", "wrong")
        c.login("u", "p w")
        c.sendmail("a@b.c", ["x@y.z"], TEXT)
    assert sink.accepted[0]["tls"] and sink.events("login")[-1]["ok"]


@pytest.mark.parametrize("days, self_signed, host", [(-1, False, "localhost"), (9, True, "localhost"), (9, False, "x")])
def test_certificates_are_wrong_in_the_way_they_should(make_sink, authority, days, self_signed, host):
    certificate, key = authority.issue(host, days, self_signed)
    sink = make_sink("--implicit-tls", "--cert", str(certificate), "--key", str(key))
    context = ssl.create_default_context(cafile=authority.file)
    with pytest.raises(ssl.SSLCertVerificationError) as e:
        smtplib.SMTP_SSL("localhost", sink.port, context=context, timeout=10)
    words = {-1: "expired"}.get(days, "self" if self_signed else "mismatch")
    assert words in str(e.value)


def test_old_tls(make_sink, authority):
    certificate, key = authority.issue("localhost")
    sink = make_sink(
        "--implicit-tls", "--cert", str(certificate), "--key", str(key), "--tls-max", "1.0"
    )
    context = ssl.create_default_context(cafile=authority.file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    with smtplib.SMTP_SSL("localhost", sink.port, context=context, timeout=10) as c:
        assert c.sock.version() == "TLSv1"
