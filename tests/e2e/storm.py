#!/usr/bin/env python3
"""A storm: many students log in and out at random while processes are killed, units stopped, files broken, rules flushed.

    python3 -B tests/e2e/storm.py [--events N | --seconds N] [--seed N] [--suite SUITE] [--short] [--no-shrink]
    python3 -B tests/e2e/storm.py --series FOLDER [--events N] [--seed N] [--suite SUITE] [--short]
    python3 -B tests/e2e/storm.py --shrink SEED [--events N] [--suite SUITE]
    python3 -B tests/e2e/storm.py --replay FILE [--times N] [--suite SUITE]

Must run as root. After each 75 events the storm pauses. Then what the activator says, systemd's units, the kernel's links,
namespaces and rules, the records on disk and the logins that are held must agree to the last one, and each seat must reach
its gateway and no other course. The same seed gives the same events in the same order; their timing differs from run to run.

When a run fails, the events that lead to the failure are made few by further runs, and written to a file for --replay.

A series is a long run in slices of 2000 events, each with the next seed. After a failure it goes on in a fresh guest. Its folder has
the failures and a summary; the same command later goes on where it was ended.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation, tree
from harness.guest import Guest
from helpers.storm import StormFailed, in_rounds, kind_of, replay, run_storm
from helpers.storm_series import Series
from helpers.storm_shrink import last_rounds, shrink

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EVENTS = 5000
# How often a list of events is run before it counts as one that does not fail.
TRIES = 3
EVENTS_OF_A_SLICE = 2000
# After so many failures one after the other something else is wrong.
FAILURES_IN_A_ROW_MAX = 10
# The summary of a slice that failed before its first event.
NOTHING = {"events": {}, "happened": {}, "seats probed": 0, "seconds": {}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int, help="one that an earlier run has printed")
    parser.add_argument("--suite", default=tree.SUITES[0], choices=tree.SUITES)
    parser.add_argument("--short", action="store_true", help="only the weathers of the storm among the cases")
    parser.add_argument("--series", metavar="FOLDER", help="slices of 2000 events, also after a failure")
    parser.add_argument("--shrink", type=int, metavar="SEED", help="run the seed, and make the events of its failure few")
    parser.add_argument("--no-shrink", action="store_true", help="write all events of a failure to the file")
    parser.add_argument("--replay", metavar="FILE", help="a list of events, one a line")
    parser.add_argument("--times", type=int, default=1, help="how often to replay")
    parser.add_argument("--out", metavar="FILE", help="where the events of a failure go")
    return parser.parse_args()


def log(text):
    print(f"# {text}", flush=True)


class Runs:
    """Runs lists of events one after the other, in the same guest as long as nothing fails."""

    def __init__(self, suite):
        self._suite = suite
        self._guest = None
        self.count = 0

    def guest(self):
        if not self._guest:
            self.count += 1
            self._guest = Guest.boot(self._suite, PROJECT, f"storm-{self.count}", log)
        return self._guest

    def end(self):
        if self._guest:
            self._guest.poweroff()
            self._guest = None

    def discard(self):
        """Ends a guest at once that may not be able to end by itself."""
        if self._guest:
            self._guest.discard()
            self._guest = None

    def failure_of(self, events):
        """How a list of events fails, or None."""
        try:
            replay(self.guest(), in_rounds(events))
            return None
        except AssertionError as failure:
            # What is left of it must not be part of the next run.
            self.end()
            return failure

    def fails(self, events):
        for _ in range(TRIES):
            failure = self.failure_of(events)
            if failure:
                log(f"{len(events)} events fail: {kind_of(failure)}")
                return True
        log(f"{len(events)} events do not fail")
        return False


def write_events(path, events):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    log(f"{len(events)} events are in {path}: storm.py --replay {path}")


def reduce(runs, rounds, path):
    """Makes the events of a failure few, writes and prints them."""
    events = last_rounds(rounds, runs.fails)
    if not events:
        log("the same events did not fail again")
        return
    events = shrink(events, runs.fails)
    write_events(path, events)
    print("\n".join(map(json.dumps, events)), flush=True)


def print_summary(options, seed, summary):
    print(json.dumps({"seed": seed, "suite": options.suite, **summary}, indent=1), flush=True)


def seed_of(options):
    return next((each for each in (options.shrink, options.seed) if each is not None), random.SystemRandom().randrange(1000000))


def storm_alone(options):
    seed = seed_of(options)
    runs = Runs(options.suite)
    try:
        storm = run_storm(runs.guest(), seed, options.events or (None if options.seconds else EVENTS), options.seconds,
                          options.short)
        print_summary(options, seed, storm.summary())
        return 0
    except StormFailed as failure:
        print(f"storm with seed {seed}:\n{failure}", flush=True)
        print_summary(options, seed, failure.summary)
        runs.end()
        path = options.out or f"storm-{seed}.events"
        write_events(path, [event for events in failure.rounds for event in events])
        if not options.no_shrink:
            reduce(runs, failure.rounds, path)
        return 1
    finally:
        runs.end()


def run_series(options):
    series, runs, failures = Series(options.series), Runs(options.suite), 0
    commit = subprocess.run(["git", "-c", "safe.directory=*", "-C", PROJECT, "describe", "--always", "--dirty"], text=True,
                            stdout=subprocess.PIPE, check=False).stdout.strip()
    try:
        while series.n_events() < (options.events or EVENTS) and failures < FAILURES_IN_A_ROW_MAX:
            failures += 1
            try:
                guest = runs.guest()
            except AssertionError as failure:
                # Nothing of the slice has happened.
                log(f"another try: {kind_of(failure)}")
                continue
            if run_slice(series, guest, series.next_seed(seed_of(options)), commit, options.short):
                failures = 0
            else:
                runs.discard()
            with open(f"{options.series}/summary.md", "w", encoding="utf-8") as file:
                file.write(series.text() + "\n")
    finally:
        runs.discard()
    print(series.text(), flush=True)
    return 1 if any(each["failure"] for each in series.slices) else 0


def run_slice(series, guest, seed, commit, short):
    """Whether it passed. Any error of the storm or of the guest is a failure."""
    try:
        series.add(seed, guest.suite, commit, run_storm(guest, seed, EVENTS_OF_A_SLICE, short=short).summary())
        return True
    except Exception as failure:  # pylint: disable=broad-except
        text = str(failure) if isinstance(failure, StormFailed) else traceback.format_exc()
        kind = kind_of(failure) if str(failure) else type(failure).__name__
        log(f"seed {seed} fails: {kind}")
        series.add(seed, guest.suite, commit, getattr(failure, "summary", NOTHING), kind)
        series.write_failure(seed, text, getattr(failure, "rounds", []))
        return False


def replay_file(options):
    with open(options.replay, encoding="utf-8") as file:
        events = [json.loads(line) for line in file if line.strip()]
    runs = Runs(options.suite)
    try:
        for number in range(options.times):
            failure = runs.failure_of(events)
            if failure:
                print(failure, flush=True)
                return 1
            log(f"run {number + 1} of {options.times}: no failure")
        return 0
    finally:
        runs.end()


def main():
    options = parse_arguments()
    what = replay_file if options.replay else run_series if options.series else storm_alone
    return isolation.run(lambda: what(options))


if __name__ == "__main__":
    sys.exit(main())
