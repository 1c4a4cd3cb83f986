"""hubmail.conf, the daemon's life, and the control socket."""

import grp
import os
import signal
import stat
import subprocess

import pytest

from conftest import fastest_build
from house import to_libconfig
from sink import find_program, free_port
from waiting import wait_until


def check(house):
    program = find_program(house.build, "hubmaild")
    return subprocess.run([program, "-c", house.file, "-t"], capture_output=True, text=True)


def test_a_right_configuration_passes_the_check(house):
    house.write_config()
    done = check(house)
    assert done.returncode == 0, done.stderr
    assert not (house.folder / "hubmail.db").exists(), "checking makes nothing"


def test_every_mistake_gets_one_line_that_says_where_and_what(house):
    house.news["schedule"] = "weekly moon 08:00"
    house.news["max_posts"] = 0
    house.news["tittle"] = "x"
    house.relay["port"] = "25"
    house.write_config()
    done = check(house)
    assert done.returncode == 78
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 4, done.stderr
    for line in lines:
        assert line.startswith(f"{house.file}:"), line
    text = done.stderr
    assert "schedule" in text and '"moon"' in text and "mon tue wed" in text
    assert "max_posts" in text
    assert "tittle" in text and "title" in text.replace("tittle", ""), "a suggestion"
    assert "relays[0].port" in text


def test_the_daemon_does_not_start_with_a_wrong_one(house):
    house.settings["on_unknown"] = "shrug"
    house.write_config()
    house.launch()
    assert house.wait_end() == 78
    assert "on_unknown" in house.log
    assert house.ctl("lists").code == 78


def test_bad_syntax_and_a_missing_file_are_told_too(house):
    house.file.write_text("lists = (\n{ name = ;\n")
    done = check(house)
    assert done.returncode == 78 and f"{house.file}:2" in done.stderr
    house.file.unlink()
    done = check(house)
    assert done.returncode == 78 and str(house.file) in done.stderr


@pytest.mark.parametrize("program", ["hubmaild", "hubmailctl"])
def test_usage_errors_and_help(house, program):
    def run(*arguments):
        path = find_program(house.build, program)
        return subprocess.run([path, *arguments], capture_output=True, text=True)

    assert run("--no-such-option").returncode == 64
    assert run("--help").returncode == 0 and program in run("--help").stdout
    assert run("--version").stdout.startswith(program)


def test_a_second_daemon_on_the_same_database_is_refused(house, tmp_path):
    house.start()
    first = house.daemon
    house.settings["control"]["socket"] = tmp_path / "other.sock"
    house.settings["web"]["listen"] = f"127.0.0.1:{free_port()}"
    other = house.folder / "other.conf"
    other.write_text("".join(f"{k} = {to_libconfig(v)};\n" for k, v in house.settings.items()))
    program = find_program(house.build, "hubmaild")
    done = subprocess.run([program, "-c", other, "-f"], capture_output=True, text=True, timeout=30)
    assert done.returncode not in (0, 78), done.stderr
    assert "hubmail.db" in done.stderr
    assert first.poll() is None
    assert house.ctl("status").code == 0


def test_the_control_socket_is_for_owner_and_group(house):
    house.settings["control"]["group"] = grp.getgrgid(os.getgid()).gr_name
    house.start()
    mode = os.stat(house.folder / "control.sock").st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_without_a_group_the_control_socket_is_for_the_owner(house):
    house.start()
    assert stat.S_IMODE(os.stat(house.folder / "control.sock").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(house.folder / "secret").st_mode) == 0o600


def test_a_stale_socket_of_a_crash_does_not_keep_it_from_starting(house):
    house.start()
    house.kill()
    assert house.ctl("poll").code == 69, "no daemon runs"
    house.start()
    assert house.ctl("status").code == 0


def test_a_reload_adds_a_list(house, sink):
    house.start()
    more = house.folder / "more"
    more.mkdir()
    house.settings["lists"].append(house.list_of("second", directory=more))
    house.write_config()
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    wait_until(
        lambda: [s for s in house.sources() if s["list"] == "second" and s["state"] == "ok"],
        "the new list's directory was looked at",
    )
    house.add("ann@example.org", list="second")
    house.write_post("x.md", "For the second", folder=more)
    (entry,) = sink.wait_for(1)
    assert "second.example.org" in entry.mail.judge()["List-Id"]


def test_a_reload_of_a_wrong_file_changes_nothing(house, sink):
    house.start()
    house.add("ann@example.org")
    house.write_config("lists = nonsense")
    house.signal(signal.SIGHUP)
    house.wait_log("configuration is wrong")
    house.write_config()
    house.write_post("a.md", "Still here")
    sink.wait_for(1)
    assert "hubmail.conf" in house.status()["config_trouble"], "a refused reload is shown"
    house.write_config()
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    wait_until(lambda: "config_trouble" not in house.status(), "and forgotten with the next good one")


def test_a_reload_in_the_middle_of_a_send_loses_nothing(house, sink):
    house.start()
    readers = house.import_readers(300)
    house.write_post("a.md", "During a reload")
    for _ in range(5):
        seen = len(sink.accepted)
        wait_until(lambda: len(sink.accepted) > seen or seen >= 300, "some more")
        house.signal(signal.SIGHUP)
    sink.wait_for(300, 60)
    assert sorted(sink.recipients()) == sorted(readers)


def test_sigterm_ends_the_current_message_and_then_stops(house, sink):
    house.relay["connections"] = 1
    sink.faults("3+ 1x kept stall 2")
    house.start()
    readers = house.import_readers(20)
    house.write_post("a.md", "Stopped in the middle")
    wait_until(lambda: len(sink.accepted) >= 4, "the fourth message is at its dot")
    house.stop()
    assert len(sink.accepted) == 4
    sent = [d["email"] for d in house.queue("--state", "sent")]
    assert sorted(sent) == sorted(sink.recipients()), "the answer was waited for and recorded"
    house.start()
    sink.wait_for(20)
    assert sorted(sink.recipients()) == sorted(readers)


def test_commands_that_need_no_daemon_work_without_it(house):
    house.write_config()
    house.add("ann@example.org")
    assert [s["email"] for s in house.ask("subscribers")] == ["ann@example.org"]
    assert house.ctl("lists").code == 0
    done = house.ctl("send", "news")
    assert done.code in (1, 69), done


def test_daemon_and_commands_may_make_the_database_at_the_same_time(make_house, sink):
    """An administrator's script starts the service and adds readers in the next line."""
    house = make_house(sink.port, fastest_build())
    house.write_config()
    command = [find_program(house.build, "hubmailctl"), "-c", house.file, "add"]
    for _ in range(30):
        for file in house.folder.glob("hubmail.db*"):
            file.unlink()
        house.launch()
        adding = [
            subprocess.Popen([*command, f"r{i}@example.org"], stderr=subprocess.PIPE, text=True)
            for i in range(6)
        ]
        for process in adding:
            _, words = process.communicate(timeout=60)
            assert process.returncode == 0, words
        wait_until(lambda: house.ctl("--json", "status").code == 0, "the daemon answers")
        assert len(house.ask("subscribers")) == 6
        house.stop()
