"""Runs the benchmarks in a guest of their own and prints their ratios. See docs/performance.md."""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

# pylint: disable=wrong-import-position
from harness import isolation
from harness.guest import Guest
from helpers.network import inside, seats_up
from helpers.seats import SEAT, SECOND, STUDENT, add_accounts, set_up_class
from helpers.world import World

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
    """Units that do nothing: the first of each line is bound to the others, which are started side by side."""
    for (last, *others), stop in (("b", "a"), ""), (("d", "c"), "ExecStopPost=-/bin/true"), (("f", "e1", "e2"), ""):
        needed = " ".join(f"coursenetbench-{name}@%i.service" for name in others)
        for name, dependency in ((last, f"BindsTo={needed}\nAfter={needed}"), *((name, "") for name in others)):
            guest.write(f"/etc/systemd/system/coursenetbench-{name}@.service",
                        EMPTY_UNIT.format(dependency=dependency, stop=stop))
    guest.run("systemctl daemon-reload")


def prepare(guest):
    set_up_class(guest)
    guest.write(f"/etc/pam.d/{SESSION_SERVICE}", "session required pam_coursenet.so\n")
    # One process holds many sessions here, and a crowd may take longer than a login should.
    guest.write(f"/etc/pam.d/{SCALE_SERVICE}", "session required pam_coursenet.so join=no timeout=300\n")
    write_empty_units(guest)
    programs = [f"{PROGRAMS}/{name}-bench" for name in ("packet", "session", "scale")]
    guest.run(["make", "-C", SOURCE, *programs, "LDLIBS=-lsystemd -lpam"], timeout=300)


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


BARE = """
for name in a b router c; do ip netns add bare-$name; done
connect() {  # a veth pair between two namespaces: SUBNET NAMESPACE NAMESPACE
    ip link add to-$3 netns bare-$2 type veth peer name to-$2 netns bare-$3
    ip -n bare-$2 address add 198.51.100.$1/30 dev to-$3; ip -n bare-$2 link set to-$3 up
    ip -n bare-$3 address add 198.51.100.$(($1 + 1))/30 dev to-$2; ip -n bare-$3 link set to-$2 up
}
connect 1 a b; connect 5 a router; connect 9 router c
ip netns exec bare-router sysctl -qw net.ipv4.ip_forward=1
ip -n bare-a route add 198.51.100.8/30 via 198.51.100.6
ip -n bare-c route add 198.51.100.4/30 via 198.51.100.9
# As on hosts without Docker; where it is on, everything that is bridged passes the firewall twice.
sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 || true
"""


def bare(name):
    return ["ip", "netns", "exec", f"bare-{name}"]


def print_throughput(name, floor_name, pairs):
    ratios = sorted((measured / floor, measured, floor) for measured, floor in pairs)
    ratio, measured, floor = ratios[len(ratios) // 2]
    print(f"{name:15} {measured:5.1f} Gbit/s   {floor_name} {floor:5.1f} Gbit/s   ratio {ratio:.2f}   "
          f"(median of {len(ratios)}; {ratios[0][0]:.2f} to {ratios[-1][0]:.2f})", flush=True)


def measure_throughput(guest, rounds, seconds):
    """A seat to its gateway and to the world, alternating with bare namespaces."""
    before = guest.read(SETTINGS)
    guest.write(SETTINGS, f"{before}\n[site]\nhost-ports = 5201\n")
    with World(guest) as world, seats_up(guest, SEAT):
        guest.run(BARE)
        seat = inside(SEAT)
        ways = {
            "pair": (bare("a"), (bare("b"), "198.51.100.2")),
            "router": (bare("a"), (bare("c"), "198.51.100.10")),
            "gateway": (seat, ([], "10.0.123.1")),
            "world": (seat, (world.prefix(), world.web4)),
        }
        found = [{name: gigabits(guest, *way, seconds) for name, way in ways.items()} for _ in range(rounds)]
        guest.run("for name in a b router c; do ip netns del bare-$name; done")
    guest.write(SETTINGS, before)
    print_throughput("seat to gateway", "a bare veth pair           ", [(each["gateway"], each["pair"]) for each in found])
    print_throughput("seat to world", "a bare veth pair           ", [(each["world"], each["pair"]) for each in found])
    print_throughput("seat to world", "two of them and a router   ", [(each["world"], each["router"]) for each in found])


# The students' uids, in one range as useradd gives them, or each by itself: a directory may number as it likes.
FENCES = {"2000 students, one range": range(50000, 52000), "2000 students, 2000 ranges": range(50000, 54000, 2)}
FENCE = "/run/coursenet/fence"
PACKETS_MS = 200


def set_fence(guest, uids):
    """The fence around these, or none. The watch is stopped meanwhile."""
    guest.write(SETTINGS, "" if uids else "[site]\nfence = no\n")
    guest.write("/run/uids", "".join(f"{uid}\n" for uid in uids))
    guest.run(f"rm -rf {FENCE} {FENCE}.uids; mkdir -m 700 {FENCE}; cd {FENCE} && xargs -r touch </run/uids; "
              "/usr/libexec/coursenet/coursenet-host fence local", timeout=60)


def measure_fence(guest, rounds):
    """Packets of those who are not fenced, with a fence around others and without any, alternately."""
    before = guest.read(SETTINGS)
    with World(guest) as world, seats_up(guest, SEAT):
        guest.run("systemctl stop coursenet-network")
        ways = {"of root's": [], "of a seat's, forwarded": inside(SEAT)}
        for fence, uids in FENCES.items():
            rates = {(way, there): [] for way in ways for there in (False, True)}
            for number in range(rounds):
                for there in (False, True) if number % 2 else (True, False):
                    set_fence(guest, uids if there else ())
                    for way, prefix in ways.items():
                        command = [*prefix, f"{SOURCE}/{PROGRAMS}/packet-bench", world.gateway4, str(PACKETS_MS)]
                        rates[way, there].append(int(guest.run(command).stdout))
            for way in ways:
                # Whatever else runs only makes it slower.
                measured, floor = max(rates[way, True]), max(rates[way, False])
                print(f"packets {way:24} {measured / 1000:5.0f} k/s   without the fence {floor / 1000:5.0f} k/s   "
                      f"ratio {measured / floor:.2f}   ({fence}; the best of {rounds} each)", flush=True)
        guest.write(SETTINGS, before)
        guest.run(f"rm -rf {FENCE} {FENCE}.uids; systemctl start coursenet-network")


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
        measure(guest, "session-bench", SESSION_SERVICE, STUDENT, SECOND, str(options.pairs))
        if options.rounds:
            measure_fence(guest, 3 * options.rounds)
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
