#!/usr/bin/env python3
"""Makes each system call, and each allocation, of a login and a logout fail once, in a booted guest.

    python3 tests/e2e/fault.py [--suite SUITE] [--process TEXT] [--call NAME] [--fault ERRNO] [--part I/N] [--out FILE]

Must run as root. First it records the calls of the module, the daemons and the programs of the units during one login and
one logout. Then it runs one login for each call and each errno that can occur there, and for SIGKILL instead of each call.
After each the login is refused with a sentence or succeeds, its seat is complete, nothing is left, every daemon runs, and the
next login works. Prints a table, and each case in which something was lost.
"""

import argparse
import json
import os
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation, tree
from harness.guest import CommandFailed, Guest
from helpers.fault import FaultFailed, FaultRun, Table, describe
from helpers.fault_plan import sample

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--suite", default=tree.SUITES[0], choices=tree.SUITES)
    parser.add_argument("--process", default="", help="only processes and phases that have this in their name")
    parser.add_argument("--call", help="only this system call, or malloc")
    parser.add_argument("--fault", help="only this errno, SIGKILL, NULL, or action")
    parser.add_argument("--number", type=int, help="only this occurrence of the call")
    parser.add_argument("--actions", action="store_true",
                        help="instead of failing, each call waits while processes are killed, jobs cancelled and units stopped")
    parser.add_argument("--sample", type=int, help="so many faults only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="1/1", help="the I-th of N parts of the list")
    parser.add_argument("--out", help="append each answer to this file, a line of JSON each")
    parser.add_argument("--list", action="store_true", help="print what would be done")
    return parser.parse_args()


def chosen(orders, options):
    part, parts = map(int, options.part.split("/"))
    orders = [order for order in orders if options.process in f"{order['process']}, {order['phase']}"
              and options.call in (None, order["call"]) and options.number in (None, order["n"])
              and options.fault in (None, order["fault"])]
    return sample(orders, options.sample or len(orders), options.seed)[part - 1::parts]


def run_all(run, options):
    calls = run.record()
    table = Table(calls)
    orders = chosen(run.actions() if options.actions else run.orders(), options)
    print(f"# {sum(len(each) for phase in calls.values() for each in phase.values())} calls, {len(orders)} faults", flush=True)
    if options.list:
        print("\n".join(json.dumps(order) for order in orders))
        return 0
    begun = time.monotonic()
    for number, order in enumerate(orders):
        answer = run.fail(order)
        table.add(answer)
        if options.out:
            with open(options.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(answer) + "\n")
        if answer["wrong"]:
            print(describe(answer), flush=True)
        if number % 50 == 49:
            print(f"# {number + 1} of {len(orders)} after {time.monotonic() - begun:.0f} s, {len(table.lost)} lost", flush=True)
    print(table.text())
    return 1 if table.lost else 0


def main():
    options = parse_arguments()

    def log(text):
        print(f"# {text}", flush=True)

    def alone():
        try:
            with Guest.boot(options.suite, PROJECT, "fault", log) as guest:
                return run_all(FaultRun(guest), options)
        except (FaultFailed, CommandFailed) as failure:
            print(failure, flush=True)
            return 1
    return isolation.run(alone)


if __name__ == "__main__":
    sys.exit(main())
