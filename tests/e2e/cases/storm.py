"""A short storm among the cases; storm.py by hand runs a long one."""

import os
import random

from harness.case import case
from helpers.storm import run_storm
from helpers.storm_plan import LOGIN_KINDS

# Those in which no event costs a minute, as restarts of D-Bus and logind may on a busy machine. tests/e2e/storm.py has all.
WEATHERS = ("calm", "kills", "files")
# Without coursenet-enter, which has two leases for a moment if the activator is killed before it reads its answer.
LOGINS = {kind: weight for kind, weight in LOGIN_KINDS.items() if kind != "enter"}


@case("in a storm of logins, kills and edits all records agree, and nothing is left behind")
def storm(guest):
    # `ip netns exec`, which other cases use, makes a mount of /run/netns, and with it two of each namespace in it.
    guest.run("umount /run/netns 2>/dev/null; true")
    # Longer in the suite with fewer cases, which has time left.
    slow = guest.suite == "bookworm" and os.environ.get("CI") == "true"
    run_storm(guest, random.SystemRandom().randrange(1000000), seconds=150 if slow else 40, weathers=WEATHERS, logins=LOGINS)
