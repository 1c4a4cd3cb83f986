"""Readers by hand and by CSV."""

import csv
import io

import pytest


@pytest.fixture
def house(house):
    house.write_config()
    return house


@pytest.mark.parametrize(
    "address",
    [
        "no-at-sign",
        "two@at@example.org",
        "@example.org",
        "x@",
        "spa ce@example.org",
        "x@-example.org",
        "x@example..org",
        "x@example.org>\r\nRCPT TO:<evil@example.org",
        "x" * 65 + "@example.org",
        "x@" + "a" * 64 + ".org",
        "jörg@example.org",
    ],
)
def test_an_invalid_address_is_refused_with_the_reason_and_not_kept(house, address):
    done = house.ctl("add", address)
    assert done.code not in (0, 99), done
    assert done.err.strip(), "it says why"
    assert house.ask("subscribers") == []


def test_a_domain_in_chinese_is_kept_as_it_goes_over_the_wire(house):
    house.add("li@例子.中国")
    (reader,) = house.ask("subscribers")
    assert reader["email"] == "li@xn--fsqu00a.xn--fiqs8s"


def test_adding_twice_is_no_error_and_says_so(house):
    house.add("Ann@Example.ORG")
    done = house.ctl("add", "ann@example.org")
    assert done.code == 0 and (done.out + done.err).strip()
    assert len(house.ask("subscribers")) == 1


def test_an_import_keeps_the_good_lines_and_names_the_bad_ones(house):
    path = house.folder / "r.csv"
    path.write_text(
        'E-Mail,Name\nann@example.org,"Ann, the first"\nnonsense,Nobody\n'
        'li@example.org,李雷\nann@example.org,Again\n',
        encoding="utf-8",
    )
    rejects = house.folder / "rejects.csv"
    done = house.ctl("import", path, "--rejects", rejects)
    assert "3" in done.out + done.err and "nonsense" in done.err + rejects.read_text()
    readers = {s["email"]: s["name"] for s in house.ask("subscribers")}
    assert set(readers) == {"ann@example.org", "li@example.org"}
    assert readers["li@example.org"] == "李雷"
    assert house.ctl("import", path).code == done.code, "it is safe to repeat"
    assert len(house.ask("subscribers")) == 2


def test_an_import_can_be_tried_without_storing_anything(house):
    done = house.ctl("import", "-", "--dry-run", stdin="email\nann@example.org\n")
    assert done.code == 0, done
    assert house.ask("subscribers") == []


def test_an_export_is_what_import_reads(house, make_house):
    house.add("ann@example.org", name="Ann")
    house.add("li@example.org", name="李雷 \"x\", y")
    text = house.ctl("export").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(r["email"] for r in rows) == ["ann@example.org", "li@example.org"]
    other = make_house(25)
    other.write_config()
    assert other.ctl("import", "-", stdin=text).code == 0
    names = {s["email"]: s["name"] for s in other.ask("subscribers")}
    assert names == {"ann@example.org": "Ann", "li@example.org": '李雷 "x", y'}


def test_a_pipe_gets_lines_with_tabs_and_no_header(house):
    house.add("ann@example.org", "bob@example.org")
    lines = house.ctl("subscribers").lines
    assert len(lines) == 2
    assert all("\t" in line and "@example.org" in line for line in lines)


def test_show_tells_everything_and_a_stranger_is_not_found(house):
    house.add("ann@example.org", name="Ann")
    done = house.ctl("show", "ann@example.org")
    assert done.code == 0 and "Ann" in done.out and "news" in done.out
    assert house.ctl("show", "nobody@example.org").code == 1
