"""Waiting for something to become true, with a deadline and never for a fixed time."""

import time

DEADLINE = 30


def wait_until(condition, what, deadline=DEADLINE, pause=0.02):
    """Calls condition() until it returns something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline} s still not: {what}")
        time.sleep(pause)


def stays(condition, what, seconds):
    """For what must not happen: condition() is to be true at every look for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"no longer: {what}"
        time.sleep(0.02)
