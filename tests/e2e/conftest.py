"""What the end-to-end tests share: real programs on real sockets in a temporary folder."""

import os
import pathlib
import subprocess

import pytest

from certificates import Authority
from feed import FeedServer
from house import House
from sink import Sink, find_program

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HUBMAIL_BUILD", ROOT / "build" / "dev"))
RELEASE = pathlib.Path(os.environ.get("HUBMAIL_RELEASE", ROOT / "build" / "release"))


def fastest_build():
    """For tests of many thousands of messages."""
    return RELEASE if (RELEASE / "hubmaild").exists() else BUILD


@pytest.fixture
def make_sink(tmp_path):
    """make_sink("--chunking", …) starts one more sink."""
    sinks = []

    def make(*options, build=BUILD):
        program = find_program(build, "hubmail-sink")
        sinks.append(Sink(program, tmp_path / f"sink{len(sinks)}", *options).start())
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.stop()


@pytest.fixture
def sink(make_sink):
    return make_sink()


@pytest.fixture
def make_house(tmp_path):
    """make_house(port) furnishes one; the test starts it."""
    houses = []

    def make(relay_port, build=BUILD):
        folder = tmp_path / f"house{len(houses)}"
        folder.mkdir()
        houses.append(House(folder, build, relay_port))
        return houses[-1]

    yield make
    for house in houses:
        try:
            house.stop()
        finally:
            if house.daemon is not None:
                house.kill()


@pytest.fixture
def house(make_house, sink):
    """One list "news" from one directory, mailed to the sink as each post appears; not started."""
    return make_house(sink.port)


@pytest.fixture
def feeds():
    server = FeedServer().start()
    yield server
    server.stop()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "certificates")


@pytest.fixture
def small_disk(tmp_path):
    """A file system that can be full: of 40 MB, since the daemon's WAL alone may grow to 16."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "hubmail-test", folder],
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        pytest.skip(f"NO FULL DISK TESTED: mounting a small tmpfs failed: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the ends of the daemons' logs."""
    report = (yield).get_result()
    if report.when != "call" or not report.failed:
        return
    folder = item.funcargs.get("tmp_path")
    for log in sorted(folder.glob("*/daemon.log")) if folder else []:
        report.sections.append((str(log), log.read_text(errors="replace")[-6000:]))
