"""A login that is held open: a test sends lines to its shell, looks at what came of them, and ends it."""

import itertools
import os
import signal

from harness.stream import Stream

_numbers = itertools.count(1)


class Session:
    """Wraps a started ssh client. Without a terminal the shell reads its commands from the connection, silently;
    with one it is a real interactive shell, whose echo and prompt are turned off first."""

    def __init__(self, process, name, tty):
        self._process = process
        self._tty = tty
        self._stream = Stream(os.dup(process.stdout.fileno()), name)
        self.status = None
        self.greeting = self.run("stty -echo -onlcr; PS1= PS2=" if tty else ":")

    def run(self, line, timeout=60):
        """Output of a shell command line in the session; its exit status is in .status afterwards."""
        mark = f"end-of-command-{next(_numbers)}"
        # Split, so that a terminal that still echoes does not show the mark itself.
        report = f"printf '\\n%s-%s:%d:\\n' {mark[:6]} {mark[7:]} $?\n"
        # Without a terminal the commands to come are on stdin: this command must not swallow them.
        self.send(f"{line}\n{report}" if self._tty else f"{{ {line}\n}} </dev/null\n{report}")
        match = self._stream.read_until(f"\n{mark}:(\\d+):\n", timeout)
        self.status = int(match[1])
        return match.string[:match.start()].strip("\n")

    def send(self, text):
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def read_until(self, pattern, timeout=60):
        match = self._stream.read_until(pattern, timeout)
        return match.string[:match.end()]

    def wait(self, timeout=60):
        """Waits for an end that comes from elsewhere; returns ssh's exit status."""
        return self._process.wait(timeout)

    def close(self, timeout=60):
        """Logs out, and returns ssh's exit status: that of the session's last command, or 255."""
        try:
            self.send("exit\n")
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        return self._process.wait(timeout)

    def kill(self, number=signal.SIGKILL):
        """Kills the ssh client, as a laptop that is closed or a crash would."""
        self._process.kill_in_guest(number)
        self._process.wait()

    def ended(self):
        return self._process.poll() is not None
