"""A short storm among the cases; storm.py by hand runs a long one."""

from harness.case import case
from helpers.storm import run_storm

# Always the same events: only their timing differs from run to run, and a failure comes back with the command that it prints.
SEEDS = {"trixie": 344481, "bookworm": 779284}
# Five minutes in all, and longer if the other guests leave it little of the processors.
SECONDS, EVENTS = 150, 2600


@case("in a storm of logins, kills and edits all records agree, and nothing is left behind")
def storm(guest):
    # `ip netns exec`, which other cases use, makes a mount of /run/netns, and with it two of each namespace in it.
    guest.run("umount /run/netns 2>/dev/null; true")
    run_storm(guest, SEEDS[guest.suite], seconds=SECONDS, short=True, at_least=EVENTS)
