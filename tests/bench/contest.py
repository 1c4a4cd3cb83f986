"""A run of one sender: from its first message to its last."""

import time

PATIENCE = 600


class Contestant:
    """A sender and the sink it sends to."""

    def __init__(self, sink, sender):
        self.sink, self.sender = sink, sender
        self.name = sender.name

    def prepare(self, size):
        """The exact size of its messages."""
        self.size = self.sender.prepare(size)
        return self.size

    def run(self):
        messages = self.sender.messages
        self.sink.start()
        try:
            self.sender.send(self.sink.port, self.size)
            self._wait_for(messages)
            cost = self.sender.ended()
        finally:
            got, seconds = self.sink.stop()
        assert got == messages, f"{self.name}: {got} messages arrived instead of {messages}"
        return {"rate": (messages - 1) / seconds, "seconds": seconds, **cost}

    def _wait_for(self, messages):
        end = time.monotonic() + PATIENCE
        while self.sink.count() < messages:
            assert time.monotonic() < end, f"{self.name}: {self.sink.count()} of {messages} arrived"
            time.sleep(0.05)

    def close(self):
        self.sender.close()


class Rehearsal:
    """A hubmail whose relay discards: what is counted are the results in its database."""

    def __init__(self, hubmail):
        self.sender = hubmail
        self.name = "discarding"

    def prepare(self, size):
        return self.sender.prepare(size)

    def run(self):
        self.sender.send(None, None)
        (before,) = self.sender.wait_row("sent", "sent > 0", PATIENCE)
        began = time.monotonic()
        (sent,) = self.sender.wait_row("sent", "state = 3", PATIENCE)
        seconds = time.monotonic() - began
        assert sent == self.sender.messages, f"{sent} of {self.sender.messages} were discarded"
        return {"rate": (sent - before) / seconds, "seconds": seconds, **self.sender.ended()}

    def close(self):
        self.sender.close()
