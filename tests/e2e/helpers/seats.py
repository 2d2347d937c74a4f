"""The class that most cases use, and what a seat looks like from the host: up, or gone without a trace."""

import contextlib
import os
import re

STUDENT, SEAT, ADDRESS = "cs123-newellz2", "12310", "10.0.123.10"
SECOND, SECOND_SEAT, SECOND_ADDRESS = "cs123-smithj", "12311", "10.0.123.11"
# A course number that does not fit into one byte of an address.
FAR, FAR_SEAT, FAR_ADDRESS = "cs377-doej", "37710", "10.1.121.10"
STRANGER = "cs123-nobody"
PASSWORD = "correct horse"

CLASS_LIST = """\
cs123:
# instructors:
newellz2
# students:
smithj
garciam
"""


ROSTER_FILE = "/etc/coursenet/roster.d/123"
# A unit that is only loaded, because another unit names it, does not count.
STATES = "active,activating,deactivating,reloading,failed"
UNITS = "'netbr@*' 'netns@*' 'nsbr@*' 'cont@*' 'testnetns@*' 'coursenet-*.slice'"


def set_up_class(guest):
    """Accounts and rosters, once a guest: every case calls it."""
    if getattr(guest, "has_class", False):
        return
    guest.has_class = True
    for user in (STUDENT, SECOND, FAR, STRANGER, "alice"):
        guest.add_user(user, password=PASSWORD)
    guest.run("coursenetctl roster import 123 -", input=CLASS_LIST)
    guest.run("coursenetctl roster import 377 -", input="doej\n")


def add_students(guest, course, count):
    """A whole course, once a guest; returns its users, the first of which has seat 10."""
    users = [f"cs{course}-student{number:02}" for number in range(1, count + 1)]
    if course not in guest.__dict__.setdefault("courses", set()):
        guest.courses.add(course)
        guest.run(["sh", "-c", ADD_STUDENTS, "sh", *users])
        guest.run(f"coursenetctl roster import {course} -", input="".join(f"{user.split('-')[1]}\n" for user in users))
    return users


# One shell for all of them: a command in the guest costs more than an account.
ADD_STUDENTS = """
    set -e
    for user; do
        useradd -m -s /bin/bash "$user"
        install -d -o "$user" -g "$user" -m 700 "/home/$user/.ssh"
        install -o "$user" -g "$user" -m 600 /root/.ssh/id_ed25519.pub "/home/$user/.ssh/authorized_keys"
    done
"""


def add_accounts(guest, users):
    """Many accounts at once, for ssh() as well. useradd takes a tenth of a second for each."""
    guest.run(["python3", "-c", ADD_ACCOUNTS, *users])


# A password of "*" cannot be typed, but does not lock the account either.
ADD_ACCOUNTS = """
import os, shutil, sys
FIRST_UID = 20000
with open("/etc/passwd") as passwd:
    uid = max([FIRST_UID] + [int(line.split(":")[2]) + 1 for line in passwd if line.split(":")[2] != "65534"])
with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group, open("/etc/shadow", "a") as shadow:
    for user in sys.argv[1:]:
        passwd.write(f"{user}:x:{uid}:{uid}::/home/{user}:/bin/bash\\n")
        group.write(f"{user}:x:{uid}:\\n")
        shadow.write(f"{user}:*:20000:0:99999:7:::\\n")
        os.makedirs(f"/home/{user}/.ssh", mode=0o700)
        shutil.copy("/root/.ssh/id_ed25519.pub", f"/home/{user}/.ssh/authorized_keys")
        for path in (f"/home/{user}", f"/home/{user}/.ssh", f"/home/{user}/.ssh/authorized_keys"):
            os.chown(path, uid, uid)
        uid += 1
"""


def leftovers(guest):
    """Everything that coursenet has on the host now, as text; empty when no seat is up."""
    # Most of it is visible from outside: nearly each case asks, and a command in the guest costs more than a look.
    with open(f"/proc/{guest.init}/mountinfo", encoding="utf-8") as mounts:
        found = [line.strip() for line in mounts if "/run/netns/" in line]
    found += [name for name in links(guest) if SEAT_LINKS.match(name)]
    found += [f"{folder}/{name}" for folder in FOLDERS_OF_SEATS for name in listed(guest, folder)]
    units = guest.run(f"systemctl list-units --plain --no-legend --state={STATES} {UNITS}").stdout
    return "\n".join([*found, units]).strip()


# Everything that is up and could belong to coursenet.
WHAT_IS_UP = """
    ip -br link show group 25454
    ip -br link | grep -E '^(br-[0-9]|vl-|vr-)'
    nft list tables | grep coursenet
    ip rule | grep -vE 'lookup (local|main|default)$'
    ip -6 rule | grep -vE 'lookup (local|main)$'
    grep -oE '/run/netns[ /].*' /proc/self/mountinfo
    ls /run/netns 2>/dev/null
    ls -d /run/coursenet /run/coursenet-* 2>/dev/null
    find /run/systemd/system -name '*coursenet*' -o -name 'user@*.service.d' -empty
    pgrep -a 'coursenet|dnsmasq'
    systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading,failed \\
        'coursenet*' 'netns@*' 'nsbr@*' 'netbr@*' 'cont@*' 'testnetns@*'
    cat /proc/sys/net/ipv4/conf/*/forwarding | grep -v 0
    true
"""


def what_is_up(guest):
    return guest.run(WHAT_IS_UP).stdout.strip()


# Units that are not inactive have a link here.
UNIT_LINKS = re.compile(r"invocation:((netbr|netns|nsbr|cont|testnetns)@|coursenet-.*\.slice$)")
SEAT_LINKS = re.compile(r"(br|vl|vr)-")
FOLDERS_OF_SEATS = ("/run/netns", "/run/coursenet/state", "/run/coursenet/prepared")


def is_something_left(guest):
    """Whether leftovers() would surely find something. It starts no process in the guest, so it may be called often."""
    return (any(SEAT_LINKS.match(name) for name in links(guest))
            or any(UNIT_LINKS.match(name) for name in listed(guest, "/run/systemd/units"))
            or any(listed(guest, folder) for folder in FOLDERS_OF_SEATS))


def links(guest):
    """The names of the links in the network namespace of the guest's system. Starts no process in the guest."""
    with open(f"/proc/{guest.init}/net/dev", encoding="ascii") as devices:
        return [line.split(":")[0].strip() for line in devices if ":" in line]


def listed(guest, folder):
    try:
        return os.listdir(guest.from_outside(folder))
    except FileNotFoundError:
        return []


def wait_gone(guest, timeout=30):
    """Waits until nothing of any seat is left. The deadline is for slow machines; other cases measure how long it takes."""
    try:
        guest.wait_until(lambda: not is_something_left(guest) and not leftovers(guest), timeout=timeout, what="nothing of any seat is left")
    except AssertionError as error:
        raise AssertionError(f"{error}\nleft over:\n{leftovers(guest)}") from None


def forget_failures(guest):
    """Resets failed units. A unit becomes failed after its clean-up, which goes on when the job of the start has ended: so this
    waits for units that are still stopping."""
    guest.wait_until(f"! systemctl list-units --plain --no-legend --state=activating,deactivating {UNITS} | grep -q .",
                     what="no unit of a seat is on its way")
    guest.run("systemctl reset-failed")


def failed_units(guest):
    return [line.split()[0] for line in guest.run("systemctl list-units --failed --plain --no-legend").stdout.splitlines()]


def expect_nothing_failed(guest):
    """No unit of this guest is failed, or stays failed after the clean-up. A monitor would raise an alarm."""
    guest.wait_until(lambda: not failed_units(guest), timeout=15, what="no unit is failed")


@contextlib.contextmanager
def drop_in(guest, unit, service):
    """Adds lines to the [Service] of a unit, as long as the `with` lasts."""
    path = f"/run/systemd/system/{unit}.service.d/test.conf"
    guest.write(path, f"[Service]\n{service}\n")
    guest.run("systemctl daemon-reload")
    try:
        yield
    finally:
        guest.run(f"rm {path}; systemctl daemon-reload")


@contextlib.contextmanager
def held(guest, unit, step="ExecStartPre"):
    """Each start of a unit (with ExecStopPost: each stop) waits until the function that this gives is called."""
    gate = f"/run/gate-of-{unit}"
    guest.run(["rm", "-f", gate])
    with drop_in(guest, unit, f"{step}=/bin/sh -c 'until test -e {gate}; do sleep 0.05; done'"):
        try:
            yield lambda: guest.run(["touch", gate])
        finally:
            guest.run(["touch", gate])


def is_active(guest, unit):
    return guest.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0


def pings(guest, address, namespace=None):
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    return guest.run([*inside, "ping", "-c", "1", "-W", "5", address], check=False).returncode == 0
