"""A course in an exam, and what arrives of attempts to reach more than it allows."""

import contextlib
import itertools

from harness.case import expect
from helpers.network import inside
from helpers.seats import FAR_SEAT, SEAT, set_up_class

_numbers = itertools.count(1)


@contextlib.contextmanager
def exam(guest, *words, course="123"):
    """The course is in an exam, as long as the `with` lasts."""
    set_up_class(guest)
    guest.run(["coursenetctl", "exam", "start", course, *words])
    try:
        yield
    finally:
        guest.run(["coursenetctl", "exam", "stop", course], check=False)


def rules_are_there(guest):
    """Both tables have the rules of an exam of course 123."""
    return guest.run("nft list table inet coursenet | grep -q 'exams {' && nft list table bridge coursenet | grep -q vl-123",
                     check=False).returncode == 0


class Sink:
    """A program in a namespace that notes what it receives at a port of all addresses."""

    def __init__(self, guest, prefix, protocol, port):
        self.guest, self.path = guest, f"/run/sink-{protocol}-{port}"
        address = {"TCP": "TCP6-LISTEN:{},ipv6only=0,reuseaddr,fork", "UDP": "UDP6-RECV:{},ipv6only=0"}[protocol]
        guest.write(self.path, "")
        guest.popen([*prefix, "socat", "-u", address.format(port), f"OPEN:{self.path},append"])
        guest.wait_until(f"{' '.join(prefix)} ss -Hln{protocol[0].lower()} 'sport = :{port}' | grep -q .")

    def has(self, text):
        return text in self.guest.read(self.path)

    def expect(self, text):
        self.guest.wait_until(lambda: self.has(text), what=f"{text!r} has arrived at {self.path}")


def forge(scene, sink, script, *arguments):
    """Root in the seat sends what a script makes, which gets a text; a seat of a course without an exam does the same after it.

    Only the second one's text arrives.
    """
    number = next(_numbers)
    for seat, text in ((SEAT, "attempt"), (FAR_SEAT, "control")):
        scene.guest.run([*inside(seat), "python3", "-c", script, f"{text}-{number}\n", *arguments], check=False)
    sink.expect(f"control-{number}\n")
    expect(not sink.has(f"attempt-{number}\n"), f"{sink.path} has got something from the seat in an exam")
