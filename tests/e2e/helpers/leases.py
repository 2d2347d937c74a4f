"""What the activator says: seats, and who holds them."""

from harness.case import expect_equal
from helpers import schema
from helpers.seats import SEAT, is_active


def status(guest):
    """The seats of `coursenetctl status --json`."""
    document = schema.parse("status", guest.run("coursenetctl status --json").stdout)
    return [seat for course in document["courses"] for seat in course["seats"]]


def seat_status(guest, seat=SEAT):
    """What status says of one seat, or None if it is down."""
    return next((each for each in status(guest) if each["seat"] == seat), None)


def leases(guest, seat=None):
    """Active leases, all or one seat's, as status --json tells."""
    return [lease for each in status(guest) if seat in (None, each["seat"]) for lease in each["leases"]]


def ids(guest, seat=None):
    return {lease["id"] for lease in leases(guest, seat)}


def expect_freed(guest, remaining, what):
    """The leases come down to exactly these."""
    guest.wait_until(lambda: ids(guest) == remaining, what=what)


def expect_kept(guest, kept, what):
    """Exactly these leases are there, and the activator has handled all that could have ended one."""
    # This question is answered after each request that was sent before: the activator has one thread.
    expect_equal(ids(guest), kept, what)
    # A login is answered before its unit is up.
    for lease in kept:
        guest.wait_until(lambda lease=lease: is_active(guest, f"coursenet-{lease}.slice"), what=f"{what}: the unit of {lease} is up")
    expect_equal(ids(guest), kept, what)
