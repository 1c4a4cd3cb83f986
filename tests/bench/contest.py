"""A run of one sender: from the first message at its sink to the last."""

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
