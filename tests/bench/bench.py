"""Runs the benchmarks in a guest of their own and prints their ratios. See docs/performance.md."""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

# pylint: disable=wrong-import-position
import isolation
from guest import Guest
from network import inside, seats_up
from seats import SEAT, STUDENT, add_accounts, set_up_class
from world import World

JOURNAL_LINES = 60
SOURCE = "/usr/src/coursenet"
PROGRAMS = "build/tests/bench"
SETTINGS = "/etc/coursenet/coursenet.conf"
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


def gigabits(guest, client, server, seconds):
    """TCP from one namespace to another: iperf3's server runs for one client and ends."""
    listener = guest.popen([*server[0], "iperf3", "--server", "--one-off"])
    guest.wait_until(lambda: guest.run([*server[0], "ss", "-Hltn", "sport = :5201"]).stdout, what="iperf3 listens")
    command = [*client, "iperf3", "--client", server[1], "--time", str(seconds), "--omit", "1", "--json"]
    report = json.loads(guest.run(command, timeout=60).stdout)
    listener.wait_output()
    return report["end"]["sum_received"]["bits_per_second"] / 1e9


def measure_throughput(guest, rounds, seconds):
    """A seat to its gateway and to the world beside a veth pair without anything, in turns: the medians of their ratios."""
    guest.run("ip netns add bare-a; ip netns add bare-b; ip link add bare-a netns bare-a type veth peer name bare-b netns bare-b;"
              "ip -n bare-a addr add 198.51.100.1/24 dev bare-a; ip -n bare-b addr add 198.51.100.2/24 dev bare-b;"
              "ip -n bare-a link set bare-a up; ip -n bare-b link set bare-b up")
    before = guest.read(SETTINGS)
    guest.write(SETTINGS, f"{before}\n[site]\nhost-ports = 5201\n")
    with World(guest) as world, seats_up(guest, SEAT):
        seat = inside(SEAT)
        bare = (["ip", "netns", "exec", "bare-a"], (["ip", "netns", "exec", "bare-b"], "198.51.100.2"))
        ways = {"gateway": (seat, ([], "10.0.123.1")), "world": (seat, (world.prefix(), world.web4))}
        ratios = {name: [] for name in ways}
        for _ in range(rounds):
            floor = gigabits(guest, *bare, seconds)
            for name, (client, server) in ways.items():
                measured = gigabits(guest, client, server, seconds)
                ratios[name].append((measured / floor, measured, floor))
        guest.run("ip netns del bare-a; ip netns del bare-b")
    guest.write(SETTINGS, before)
    for name, found in ratios.items():
        ratio, measured, floor = sorted(found)[len(found) // 2]
        print(f"{'seat to ' + name:15} {measured:5.1f} Gbit/s   a bare veth pair {floor:5.1f} Gbit/s   ratio {ratio:.2f}   "
              f"(median of {rounds}; {min(found)[0]:.2f} to {max(found)[0]:.2f})", flush=True)


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
        if options.rounds:
            measure_throughput(guest, options.rounds, options.seconds)
        if options.seats:
            measure(guest, "scale-bench", SCALE_SERVICE, *scale_users(guest, options.seats))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="trixie", help="the Debian release of the guest (default: trixie)")
    parser.add_argument("--pairs", type=int, default=30, help="how many pairs to measure (default: 30)")
    parser.add_argument("--rounds", type=int, default=5, help="how often to measure throughput (default: 5; 0: not at all)")
    parser.add_argument("--seconds", type=int, default=3, help="how long each time (default: 3)")
    parser.add_argument("--seats", type=int, default=400, help="how many seats at once (default: 400; 0: not measured)")
    options = parser.parse_args()
    return isolation.run(lambda: bench(options))


if __name__ == "__main__":
    sys.exit(main())
