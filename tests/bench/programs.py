"""The guest that the benchmarks run in: its users, its PAM services, its units that do nothing, and its programs."""

import subprocess

from harness.product import SOURCE
from helpers.seats import add_accounts, set_up_class

PROGRAMS = "build/tests/bench"
JOURNAL_LINES = 60
# For what takes as long as there are seats, on a slow machine.
LONG = 900

# The last two modules are Debian's libpam-net, see logins.h.
SERVICE, CROWD_SERVICE = "coursenet-bench", "coursenet-bench-crowd"
STACKS = {
    SERVICE: "session required pam_coursenet.so\n",
    # One process may hold many sessions, and a crowd may take longer than a login should.
    CROWD_SERVICE: "session required pam_coursenet.so join=no timeout=300\n",
    # They ignore the close, and a stack that ignores everything fails.
    "coursenet-bench-usernet": "session required pam_usernet.so\nsession required pam_permit.so\n",
    "coursenet-bench-newnet": "session required pam_newnet.so\nsession required pam_permit.so\n",
}
PACKAGES = ("libpam-net", "podman", "netavark", "aardvark-dns", "crun", "passt")

# As many as the units of a seat, and bound to each other in the same way. See bench.h.
EMPTY_UNIT = """\
[Unit]
StopWhenUnneeded=yes
StartLimitIntervalSec=0
{dependencies}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStopPost=-/bin/true
"""
EMPTY_UNITS = {
    "bridge": "",
    "netns": "",
    "cable": "BindsTo=coursenetbench-bridge@1.service coursenetbench-netns@%i.service\n"
             "After=coursenetbench-bridge@1.service coursenetbench-netns@%i.service\n",
}


def prepare(guest):
    set_up_class(guest)
    prepare_host(guest)


def prepare_host(guest):
    """Without users."""
    for name, stack in STACKS.items():
        guest.write(f"/etc/pam.d/{name}", stack)
    for name, dependencies in EMPTY_UNITS.items():
        guest.write(f"/etc/systemd/system/coursenetbench-{name}@.service", EMPTY_UNIT.format(dependencies=dependencies))
    guest.run("systemctl daemon-reload; systemctl stop podman-auto-update.timer; true")
    guest.run(["make", "-C", SOURCE, "bench-programs"], timeout=LONG)


def add_students(guest, course, count):
    """A course with so many students, who can log in by ssh, made once a guest; returns their users."""
    names = [f"bench{number:03}" for number in range(count)]
    users = [f"cs{course}-{name}" for name in names]
    sizes = guest.__dict__.setdefault("course_sizes", {})
    if sizes.get(course, count) != count:
        raise AssertionError(f"course {course} has {sizes[course]} students already: another group uses it")
    if course not in sizes:
        sizes[course] = count
        add_accounts(guest, users)
        guest.run(["coursenetctl", "roster", "import", course, "-"], input="\n".join(names) + "\n")
    return users


def join_libpam_net(guest, users):
    """pam_usernet and pam_newnet are for users of these groups, and pam_usernet refuses a user without this folder."""
    guest.run("groupadd -f usernet; groupadd -f newnet")
    guest.run(["gpasswd", "-M", ",".join(users), "usernet"])
    guest.run(["gpasswd", "-M", ",".join(users), "newnet"])
    guest.run(["mkdir", "-p", *(f"/etc/netns/{user}" for user in users)])


def program(name):
    return f"{SOURCE}/{PROGRAMS}/{name}"


def rounds_of(guest, name, *arguments, ask=None):
    """What a program measures, as it comes: a word and times in milliseconds for each line. ask is called for a line without times;
    then the program goes on."""
    process = guest.popen([program(name), *map(str, arguments)], stderr=subprocess.STDOUT)
    said = []
    for line in process.stdout:
        word, *numbers = line.split()
        if not all(number.isdigit() for number in numbers):
            said.append(line)
        elif numbers:
            yield word, [int(number) / 1000 for number in numbers]
        else:
            ask(word)
            process.stdin.write("\n")
            process.stdin.flush()
    if process.wait() != 0:
        raise AssertionError(f"{name} ended with status {process.returncode}: {''.join(said)}; the journal says:\n"
                             + guest.journal(unit="coursenet-activator", lines=JOURNAL_LINES))


def columns_of(guest, name, *arguments):
    """The rounds of a program that has only one kind of line, by column."""
    return [list(column) for column in zip(*(times for _, times in rounds_of(guest, name, *arguments)))]
