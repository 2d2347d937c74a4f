"""Measures coursenet in a guest of its own and prints one table: what, how long, beside what, the goal, and whether it is met."""

import argparse
import os
import subprocess
import sys
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

# pylint: disable=wrong-import-position
import class_hours
import containers
import crowd
import growth
import logins
import members
import programs
import sessions
import stages
import traffic
from harness import isolation
from harness.guest import Guest
from helpers.seats import wait_gone
from results import Results, stages_as_text

# How often, and how long: the first is for ten minutes, the second for a night.
QUICK = {"pairs": 20, "ssh": 10, "ssh_crowd": 10, "sessions": 60, "crowd": 3, "class": 2, "sample": 30, "throughput": 7, "seconds": 2, "fence": 6,
         "members": 20, "containers": 5}
THOROUGH = {"pairs": 150, "ssh": 50, "ssh_crowd": 50, "sessions": 200, "crowd": 9, "class": 6, "sample": 60, "throughput": 25, "seconds": 4,
            "fence": 20, "members": 60, "containers": 15}
CROWD_SIZE, COURSE_WITH_CONTAINERS = 100, 16

# The groups, in order. Each gets the guest, the results, and how often it measures.
GROUPS = {
    "logins": lambda guest, results, counts: logins.measure(guest, results, counts["pairs"]),
    "peers": lambda guest, results, counts: logins.measure_peers(guest, results, counts["pairs"]),
    "ssh": lambda guest, results, counts: logins.measure_ssh(guest, results, counts["ssh"], counts["ssh_crowd"]),
    "sessions": lambda guest, results, counts: sessions.measure(guest, results, counts["sessions"]),
    "crowd": lambda guest, results, counts: crowd.measure(guest, results, counts["crowd"], CROWD_SIZE),
    "class": lambda guest, results, counts: class_hours.measure(guest, results, counts["class"], CROWD_SIZE),
    "growth": lambda guest, results, counts: growth.measure(guest, results, counts["seats"], counts["sample"]),
    "stages": lambda guest, results, counts: stages.measure(guest, results, counts["pairs"], counts["seats"]),
    "throughput": lambda guest, results, counts: traffic.measure_throughput(guest, results, counts["throughput"], counts["seconds"]),
    "fence": lambda guest, results, counts: traffic.measure_fence(guest, results, counts["fence"]),
    "members": lambda guest, results, counts: members.measure(guest, results, counts["members"]),
    "containers": lambda guest, results, counts: containers.measure(guest, results, counts["containers"], COURSE_WITH_CONTAINERS),
}


def about(options):
    commit = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return {"commit": commit, "suite": options.suite, "thorough": options.thorough, "processors": os.cpu_count(),
            "kernel": os.uname().release, "load": os.getloadavg()}


def bench(options):
    results = Results(about(options))
    counts = {**(THOROUGH if options.thorough else QUICK), "seats": options.seats}
    with Guest.boot(options.suite, ROOT, "bench", results.log, programs.PACKAGES) as guest:
        results.about["systemd"] = guest.run("systemctl --version").stdout.split("(")[1].split(")")[0]
        programs.prepare(guest)
        failed = [name for name in options.groups if not measure(guest, results, name, counts)]
    return report(results, options, failed)


def measure(guest, results, name, counts):
    """Measures one group. What fails costs its own rows only."""
    results.log(f"{name}:")
    try:
        GROUPS[name](guest, results, counts)
        guest.end_processes()
        wait_gone(guest, timeout=programs.LONG)
        return True
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        guest.end_processes()
        # What a program holds while it measures.
        guest.run("systemctl stop 'coursenetbench-*.slice'", check=False)
        return False


def report(results, options, failed):
    print(results.text())
    print(", ".join(f"{name} {value}" for name, value in results.about.items()), flush=True)
    if results.stages:
        print(stages_as_text(results.stages), flush=True)
    if options.json:
        results.write_json(options.json)
    if failed:
        print(f"not measured, because of an error: {', '.join(failed)}", flush=True)
    return 1 if failed or (options.strict and results.missed()) else 0


def parse_groups(text):
    names = text.split(",")
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no group {', '.join(unknown)}; the groups are {', '.join(GROUPS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="trixie", help="the Debian release of the guest (default: trixie)")
    parser.add_argument("--json", metavar="FILE", help="write all samples to a file; tests/README.md has the schema")
    parser.add_argument("--only", dest="groups", metavar="GROUP,...", type=parse_groups,
                        help=f"measure only these: {', '.join(GROUPS)}")
    parser.add_argument("--seats", type=int, default=400, help="how many seats for growth (default: 400, at most 1000)")
    parser.add_argument("--stages", action="store_true", help="also print where the time of one new seat goes")
    parser.add_argument("--thorough", action="store_true", help="measure everything more often; takes about an hour")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a goal is missed")
    options = parser.parse_args()
    options.groups = options.groups or [name for name in GROUPS if name != "stages" or options.stages]
    if options.json:
        options.json = os.path.abspath(options.json)
    return isolation.run(lambda: bench(options))


if __name__ == "__main__":
    sys.exit(main())
