"""hubmailctl on a pseudo-terminal: what a person sees."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from house import ENVIRONMENT
from sink import find_program


def on_terminal(house, *arguments, typed="", columns=120, zone="Europe/Zurich", deadline=30):
    """(exit code, what a terminal would be sent): the program runs on a pseudo-terminal, where
    somebody has typed ahead."""
    program = find_program(house.build, "hubmailctl")
    environment = {**os.environ, **ENVIRONMENT, "TERM": "xterm", "TZ": zone}
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [program, "-c", house.file, *map(str, arguments)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    os.write(controller, typed.encode())
    out, end = b"", time.monotonic() + deadline
    while time.monotonic() < end:
        if not select.select([controller], [], [], 1)[0]:
            continue
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(controller)
    return process.wait(deadline), out.decode().replace("\r\n", "\n")
