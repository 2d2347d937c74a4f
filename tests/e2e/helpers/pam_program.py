"""A program in the guest that opens and closes PAM sessions as a case says: see in_guest/pam-session.py."""

import contextlib
import os

from harness.case import expect_equal
from harness.stream import Stream

PROGRAM = "/usr/local/libexec/pam-session.py"
SERVICE = "coursenet-program"

# PERM_DENIED is this module's denial, SESSION_ERR pam_deny's.
SUCCESS, PERM_DENIED, SESSION_ERR = 0, 6, 14


def install(guest, options="join=no", lines=(), service=SERVICE):
    """A PAM service of this module, with options, and of the lines behind it; returns the program's command line."""
    # Only once: a program that has just been started must not find a file that is being replaced.
    if guest.run(["test", "-e", PROGRAM], check=False).returncode:
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "in_guest", "pam-session.py"), encoding="utf-8") as file:
            guest.write(PROGRAM, file.read(), mode=0o755)
    stack = [f"session required pam_coursenet.so {options}", "session required pam_permit.so", *lines]
    guest.write(f"/etc/pam.d/{service}", "\n".join(stack) + "\n")
    return ["python3", PROGRAM]


@contextlib.contextmanager
def other_services_away(guest):
    """For a case about all of /etc/pam.d: moves away the stacks that other cases have put there. Those of coursenet's own profile are in
    common-*."""
    guest.run("mkdir /root/pam.d; cd /etc/pam.d; for name in $(grep -l pam_coursenet.so * | grep -v ^common-); do mv $name /root/pam.d; done")
    try:
        yield
    finally:
        guest.run("find /root/pam.d -type f -exec mv -t /etc/pam.d {} +; rmdir /root/pam.d")


class PamProgram:
    """Holds the program; leaving the `with` kills it, and the activator must then free what it had open."""

    def __init__(self, guest, options="join=no", lines=()):
        self.process = guest.popen(install(guest, options, lines))
        self._stream = Stream(os.dup(self.process.stdout.fileno()), "the PAM program")

    def send(self, command):
        """Begins a command that takes its time; answer() waits for its end."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def answer(self, timeout=60):
        """What PAM returned."""
        return int(self._stream.read_until(r"^returned (-?\d+)\n", timeout)[1])

    def ask(self, command, timeout=60):
        """What PAM returned to a command."""
        self.send(command)
        return self.answer(timeout)

    def do(self, command, timeout=60):
        """A command that must succeed."""
        expect_equal(self.ask(command, timeout), SUCCESS, f"the result of `{command}`")

    def start(self, handle, user):
        self.do(f"start {handle} {SERVICE} {user}")

    def open(self, handle, user):
        """Starts a handle and opens its session."""
        self.start(handle, user)
        self.do(f"open {handle}")

    def kill(self):
        self.process.kill_in_guest()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
