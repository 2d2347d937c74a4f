"""Times of day around now, as schedule = and exam = have them. A guest has the clock of the machine."""

import time


def clock(seconds):
    """The time of day, in UTC, that many seconds from now."""
    return time.strftime("%H:%M:%S", time.gmtime(time.time() + seconds))


def hours(start, end):
    return f"{clock(start)}-{clock(end)} UTC"
