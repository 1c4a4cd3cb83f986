"""A second opinion: servers that hubmail's authors did not write."""

import pytest
from aiosmtpd.controller import Controller

from mail import Mail
from waiting import wait_until

READERS = ["ann@example.org", "bob@example.org", "cy@example.org"]


class Keeper:
    def __init__(self):
        self.kept = []

    async def handle_DATA(self, server, session, envelope):
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 kept"


@pytest.fixture
def aiosmtpd_server():
    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=0, ready_timeout=10)
    # port=0 is not supported by the controller's own check of its server, so it is given one.
    from sink import free_port

    controller.port = free_port()
    controller.start()
    yield controller.port, keeper
    controller.stop()


def test_aiosmtpd_takes_every_message(make_house, aiosmtpd_server):
    port, keeper = aiosmtpd_server
    house = make_house(port)
    house.start()
    house.add(*READERS)
    house.write_post("a.md", "For another server", ".\n\n..\n\n" + "long " * 500)
    wait_until(lambda: len(keeper.kept) == 3, "three messages")
    house.wait_digest(sent=3, queued=0, state="done")
    for mail_from, rcpt_tos, content in keeper.kept:
        assert "@" in mail_from and len(rcpt_tos) == 1
        Mail(content).judge(to=rcpt_tos[0])
    assert sorted(r[0] for _, r, _ in keeper.kept) == READERS
