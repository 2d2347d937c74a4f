"""What makes a server again: the commands of docs/administration.md, run as they are written there."""

import ipaddress
import os
import re

from harness.case import ONE_SUITE, case, expect, expect_equal
from helpers.seats import SECOND, STUDENT, add_accounts, set_up_class, wait_gone

HEADING = "Back up, and restore on another server"
SETTINGS = "/etc/coursenet/coursenet.conf"
COURSE = "388"
USERS = [f"cs{COURSE}-{name}" for name in ("first", "second", "third")]


def blocks():
    """The two blocks of commands: on the old server, and on the new one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "administration.md")
    with open(path, encoding="utf-8") as file:
        section = re.search(rf"^## {HEADING}\n(.*?)^## ", file.read(), re.MULTILINE | re.DOTALL)[1]
    found = [re.findall(r"^    (.+)\n", block, re.MULTILINE) for block in section.split("On the other server")]
    expect(all(found), f"no command in a part of '{HEADING}'")
    return found


def addresses(guest, user):
    """A login's addresses of its seat: IPv4 and IPv6."""
    found = guest.ssh(user, "ip -br address show scope global | grep ^vr-").stdout.split()[2:]
    expect_equal(len(found), 2, f"how many addresses {user} has")
    return found


@case("a server is made again of /etc/coursenet: each student has the same seat and addresses", suites=ONE_SUITE)
def restored(guest):
    set_up_class(guest)
    add_accounts(guest, USERS)
    # Numbers that no import of the class list would give out again.
    names = [user.split("-")[1] for user in USERS]
    guest.run(["coursenetctl", "roster", "import", COURSE, "-"], input="\n".join(["gone", *names]) + "\n")
    guest.run(["coursenetctl", "roster", "remove", COURSE, "gone"])
    save, restore = blocks()
    other = guest.boot_another(f"{guest.name}-restored")
    try:
        before = {user: addresses(guest, user) for user in (*USERS, STUDENT, SECOND)}
        held = guest.ssh_popen(STUDENT)
        for line in save:
            guest.run(f"cd /root; {line}")
        archive = guest.run("base64 /root/coursenet.tgz").stdout
        held.close()

        # The other machine has coursenet and its accounts, but no course.
        for user in (STUDENT, SECOND):
            other.add_user(user)
        add_accounts(other, USERS)
        other.run("base64 -d >/root/coursenet.tgz", input=archive)
        network = ipaddress.ip_interface(before[STUDENT][1]).network.supernet(new_prefix=48)
        for line in restore:
            if line.startswith("systemctl"):
                other.run(f"sed -i 's|^.site.$|&\\nnetwork6 = {network}|' {SETTINGS}; grep -q ^network6 {SETTINGS}")
            other.run(f"cd /root; {line}")
        expect_equal({user: addresses(other, user) for user in before}, before, "the addresses of each student")
        rosters = "coursenetctl roster list 123; coursenetctl roster list 377; coursenetctl roster list 388"
        expect_equal(other.run(rosters).stdout, guest.run(rosters).stdout, "the rosters")
        wait_gone(other)
    finally:
        other.poweroff()
    wait_gone(guest)
