#!/usr/bin/env python3
"""A storm: many students log in and out at random while processes are killed and units stopped under them.

    python3 tests/e2e/storm.py [--seconds N] [--seed N] [--suite SUITE]

Must run as root. About every ten seconds the storm pauses. Then what the activator says, systemd's units, the kernel's
links and namespaces, the records on disk and the logins that are held must agree to the last one. The same seed gives
the same actions in the same order; their timing differs from run to run.
"""

import argparse
import os
import random
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation, tree
from harness.guest import CommandFailed, Guest
from helpers.storm import StormFailed, run_storm

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, help="one that an earlier run has printed")
    parser.add_argument("--suite", default=tree.SUITES[0], choices=tree.SUITES)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1000000)
    return isolation.run(lambda: storm_alone(options, seed))


def storm_alone(options, seed):
    def log(text):
        print(f"# {text}", flush=True)
    try:
        with Guest.boot(options.suite, PROJECT, "storm", log) as guest:
            run_storm(guest, seed, options.seconds)
    except (StormFailed, CommandFailed) as failure:
        print(failure, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
