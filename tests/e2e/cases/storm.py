"""A short storm among the cases; storm.py by hand runs a long one."""

import os
import random

from harness.case import case
from helpers.storm import run_storm


@case("during a storm of logins, kills and stops all records agree, and nothing is left behind")
def storm(guest):
    # `ip netns exec`, which other cases use, makes a mount of /run/netns, and with it two of each namespace in it.
    guest.run("umount /run/netns 2>/dev/null; true")
    # In the suite with fewer cases, which has time left.
    thorough = guest.suite == "bookworm" and os.environ.get("CI") == "true"
    run_storm(guest, random.SystemRandom().randrange(1000000), 120 if thorough else 30)
