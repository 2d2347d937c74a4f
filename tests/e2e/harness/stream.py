"""A stream that something else writes to, read by waiting for what should come: the core of `expect`."""

import os
import re
import threading
import time


class EndOfStream(AssertionError):
    pass


class Stream:
    """Collects all that arrives on a file descriptor, in a thread, so that the writer never blocks.

    Takes the descriptor: it is closed at end-of-file.
    """

    def __init__(self, descriptor, name):
        self.name = name
        self._text = ""
        self._seen = 0
        self._ended = False
        self._arrived = threading.Condition()
        threading.Thread(target=self._collect, args=(descriptor,), daemon=True).start()

    def _collect(self, descriptor):
        while True:
            try:
                data = os.read(descriptor, 65536)
            except OSError:
                # The master of a pty answers EIO when nobody has the other end open any more.
                data = b""
            with self._arrived:
                self._text += data.decode("utf-8", "replace").replace("\r", "")
                self._ended = not data
                self._arrived.notify_all()
            if not data:
                os.close(descriptor)
                return

    def read_until(self, pattern, timeout=60):
        """Waits for a match of the pattern in what was not read yet; returns the match object.

        `.string` up to `.end()` is what came until then; what comes after the match is left for the next call.
        """
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                match = re.search(pattern, self._text[self._seen:], re.MULTILINE)
                if match:
                    self._seen += match.end()
                    return match
                if self._ended:
                    raise EndOfStream(f"{self.name} ended before /{pattern}/ came; it had said:\n{self._unread()}")
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise AssertionError(f"/{pattern}/ did not come from {self.name} in {timeout} s; "
                                         f"it said:\n{self._unread()}")

    def _unread(self):
        return self._text[self._seen:]

    def text(self):
        """All that came since the beginning."""
        with self._arrived:
            return self._text
