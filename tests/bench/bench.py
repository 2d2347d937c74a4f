"""Runs the benchmarks in a guest of their own and prints their ratios. See docs/performance.md."""

import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

# pylint: disable=wrong-import-position
import isolation
from guest import Guest
from seats import STUDENT, add_accounts, set_up_class

JOURNAL_LINES = 60
SOURCE = "/usr/src/coursenet"
PROGRAMS = "build/tests/bench"
SESSION_SERVICE, SCALE_SERVICE = "coursenet-bench", "coursenet-bench-scale"
SCALE_COURSES = ("201", "202", "203", "404")
EMPTY_UNIT = """\
[Unit]
StopWhenUnneeded=yes
StartLimitIntervalSec=0
{dependency}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
{stop}
"""


def write_empty_units(guest):
    """Pairs of units that do nothing, the first of each pair bound to the second."""
    for last, first, stop in (("b", "a", ""), ("d", "c", "ExecStopPost=-/bin/true")):
        bound = f"BindsTo=coursenetbench-{first}@%i.service\nAfter=coursenetbench-{first}@%i.service"
        for name, dependency in ((last, bound), (first, "")):
            guest.write(f"/etc/systemd/system/coursenetbench-{name}@.service",
                        EMPTY_UNIT.format(dependency=dependency, stop=stop))
    guest.run("systemctl daemon-reload")


def prepare(guest):
    set_up_class(guest)
    guest.write(f"/etc/pam.d/{SESSION_SERVICE}", "session required pam_coursenet.so\n")
    # One process holds many sessions here, and a crowd may take longer than a login should.
    guest.write(f"/etc/pam.d/{SCALE_SERVICE}", "session required pam_coursenet.so join=no timeout=300\n")
    write_empty_units(guest)
    guest.run(["make", "-C", SOURCE, f"{PROGRAMS}/session-bench", f"{PROGRAMS}/scale-bench", "LDLIBS=-lsystemd -lpam"],
              timeout=300)


def scale_users(guest, count):
    """Accounts and rosters, the courses in turn, so that all of their bridges grow alike."""
    users = [f"cs{SCALE_COURSES[i % len(SCALE_COURSES)]}-bench{i:03}" for i in range(count)]
    add_accounts(guest, users)
    for course in SCALE_COURSES:
        names = [user.split("-")[1] for user in users if user.startswith(f"cs{course}-")]
        guest.run(f"coursenetctl roster import {course} -", input="\n".join(names) + "\n")
    return users


def measure(guest, program, *arguments):
    """Prints what the program says when it says it: some of it takes minutes."""
    process = guest.popen([f"{SOURCE}/{PROGRAMS}/{program}", *arguments], stderr=subprocess.STDOUT)
    for line in process.stdout:
        print(line, end="", flush=True)
    if process.wait() != 0:
        raise AssertionError(f"{program} ended with status {process.returncode}; the journal says:\n"
                             + guest.journal(unit="coursenet-activator", lines=JOURNAL_LINES))


def bench(options):
    with Guest.boot(options.suite, ROOT, "bench", lambda text: print(f"# {text}", flush=True)) as guest:
        prepare(guest)
        print(f"# {os.cpu_count()} processors, Linux {os.uname().release}, "
              f"{guest.run('systemctl --version').stdout.splitlines()[0]}", flush=True)
        measure(guest, "session-bench", SESSION_SERVICE, STUDENT, str(options.pairs))
        if options.seats:
            measure(guest, "scale-bench", SCALE_SERVICE, *scale_users(guest, options.seats))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="trixie", help="the Debian release of the guest (default: trixie)")
    parser.add_argument("--pairs", type=int, default=30, help="how many pairs to measure (default: 30)")
    parser.add_argument("--seats", type=int, default=400, help="how many seats at once (default: 400; 0: not measured)")
    options = parser.parse_args()
    return isolation.run(lambda: bench(options))


if __name__ == "__main__":
    sys.exit(main())
