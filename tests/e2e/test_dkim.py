"""Keys that sign the mails: `hubmailctl dkim`."""

import base64
import os
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from terminal import on_terminal


@pytest.fixture
def quiet(make_house):
    house = make_house(25)
    house.write_config()
    return house


def declare(house, *keys):
    """Names keys in hubmail.conf, as (selector, file)."""
    house.settings["dkim"] = [
        {"domain": "example.org", "selector": s, "key_file": str(f)} for s, f in keys
    ]
    house.write_config()


def public_half(file, kind):
    """What somebody else's library makes of the private key, as the record should have it."""
    with open(file, "rb") as pem:
        public = serialization.load_pem_private_key(pem.read(), None).public_key()
    if kind == "ed25519":
        form = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    else:
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public.public_bytes(*form)).decode()}"


def test_keygen_makes_a_key_and_says_what_to_publish_and_to_write(quiet):
    (key,) = quiet.ask("dkim", "keygen")
    file = quiet.folder / "dkim.pem"
    assert key["key_file"] == str(file) and key["type"] == "rsa"
    assert file.stat().st_mode & 0o777 == 0o600
    assert key["domain"] == "example.org" and key["selector"] == "hubmail"
    assert key["name"] == "hubmail._domainkey.example.org"
    assert key["value"] == public_half(file, "rsa")
    assert key["record"].startswith('hubmail._domainkey.example.org. IN TXT ( "v=DKIM1; ')
    assert all(len(part) <= 255 for part in key["record"].split('"')[1::2])
    assert "".join(key["record"].split('"')[1::2]) == key["value"]


def test_what_keygen_prints_can_be_pasted_into_the_configuration(quiet):
    code, text = on_terminal(quiet, "dkim", "keygen", "--type", "both", columns=60)
    assert code == 0
    begin = text.index("dkim = (")
    setting = text[begin : text.index(");\n", begin) + 2]
    quiet.file.write_text(quiet.file.read_text() + setting)
    keys = quiet.ask("dkim", "show")
    assert [(k["selector"], k["type"]) for k in keys] == [
        ("hubmail", "rsa"),
        ("hubmail-ed25519", "ed25519"),
    ]
    for key in keys:
        assert key["value"] == public_half(key["key_file"], key["type"])
        assert f"{key['record']}\n" in text, "whole, on however narrow a terminal"
        assert f"{key['record']}\n" in on_terminal(quiet, "dkim", "show", columns=60)[1]
    code, text = on_terminal(
        quiet, "dkim", "keygen", "--selector", "next", "-o", quiet.folder / "next.pem"
    )
    assert code == 0 and text.count("key_file") == 3, "the setting as a whole, with what is there"


def test_keygen_makes_the_key_that_the_configuration_misses(quiet):
    file = quiet.folder / "keys" / "mine.pem"
    declare(quiet, ("mine", file))
    done = quiet.ctl("dkim", "show")
    assert done.code == 1 and "hubmailctl dkim keygen" in done.err
    done = quiet.ctl("dkim", "keygen")
    assert done.code == 74 and "No such file" in done.err, "the folder is not made"
    file.parent.mkdir()
    code, text = on_terminal(quiet, "dkim", "keygen", "--type", "ed25519")
    assert code == 0 and "mine._domainkey.example.org. IN TXT" in text
    assert "Then write into" not in text, "it stands there already"
    assert quiet.ask("dkim", "show")[0]["value"] == public_half(file, "ed25519")
    daemon = subprocess.run(
        [quiet.build / "hubmaild", "-t", "-c", quiet.file], capture_output=True, text=True
    )
    assert daemon.returncode == 0, daemon.stderr


def test_a_key_is_never_overwritten(quiet):
    quiet.ask("dkim", "keygen")
    file = quiet.folder / "dkim.pem"
    before = file.read_bytes()
    done = quiet.ctl("dkim", "keygen", "--selector", "other")
    assert done.code == 1 and done.out == "" and f"{file}: is there already" in done.err
    link = quiet.folder / "link.pem"
    link.symlink_to("nowhere.pem")
    assert quiet.ctl("dkim", "keygen", "-o", link).code == 1
    assert file.read_bytes() == before and not (quiet.folder / "nowhere.pem").exists()


def test_keygen_needs_no_configuration_if_it_is_told_the_domain(quiet):
    quiet.file.unlink()
    file = quiet.folder / "k.pem"
    assert quiet.ctl("dkim", "keygen").code == 78
    (key,) = quiet.ask("dkim", "keygen", "--domain", "Example.ORG", "-o", file)
    assert key["name"] == "hubmail._domainkey.example.org" and file.exists()
    quiet.file.write_text("this is no configuration")
    more = ["--selector", "x", "-o", quiet.folder / "x.pem"]
    assert quiet.ctl("dkim", "keygen", "--domain", "example.org", *more).code == 0
    assert quiet.ctl("dkim", "keygen", "--domain", "example.org").code == 78


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "keygen|show is missing"),
        (["make"], "not one of: keygen show"),
        (["keygen", "--type", "dsa"], "rsa ed25519 both"),
        (["keygen", "--domain", "a b"], "is no domain"),
        (["keygen", "--selector", "a b"], "selector"),
        (["show", "--type", "rsa"], "takes no option"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_nothing(quiet, arguments, says):
    done = quiet.ctl("dkim", *arguments)
    assert done.code == 64 and says in done.err, done
    assert not (quiet.folder / "dkim.pem").exists()


def test_show_tells_each_key_that_it_cannot_show(quiet):
    assert quiet.ask("dkim", "show") == []
    code, text = on_terminal(quiet, "dkim", "show")
    assert code == 0 and "hubmailctl dkim keygen" in text
    (quiet.folder / "bad.pem").write_text("no key")
    (key,) = quiet.ask("dkim", "keygen")
    declare(quiet, ("bad", "bad.pem"), ("hubmail", "dkim.pem"))
    done = quiet.ctl("dkim", "show")
    assert done.code == 78 and "bad.pem" in done.err
    assert done.lines[0].split("\t")[4:6] == [key["name"], key["value"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_that_root_makes_belongs_to_its_folder_s_owner(quiet):
    folder = quiet.folder / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    quiet.ask("dkim", "keygen", "-o", folder / "k.pem")
    assert (folder / "k.pem").stat().st_uid == 65534
