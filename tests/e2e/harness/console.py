"""The guest's console: the terminal a person at the machine would log in on."""

import fcntl
import os
import struct
import termios

from harness.stream import Stream


class Console:
    def __init__(self):
        # The terminal stays open on this side too, or the console would not survive a reboot.
        self._master, self.terminal = os.openpty()
        # Wide, so that no line a test waits for is wrapped.
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._stream = Stream(os.dup(self._master), "the console")

    def read_until(self, pattern, timeout=60):
        """Text up to and including the first match of the pattern in what was not read yet."""
        match = self._stream.read_until(pattern, timeout)
        return match.string[:match.end()]

    def send(self, text):
        os.write(self._master, text.encode())

    def log(self):
        return self._stream.text()

    def login(self, user, password, prompt=r"\$ $"):
        """Logs a user in at the prompt that boot, or the last logout, left there. systemd may have written behind it."""
        self.read_until(r"^guest login: ")
        self.send(f"{user}\n")
        self.read_until(r"Password: $")
        self.send(f"{password}\n")
        return self.read_until(prompt)

    def close(self):
        os.close(self.terminal)
        os.close(self._master)
