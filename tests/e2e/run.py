#!/usr/bin/env python3
"""Boots guests of each suite and runs the cases in them.

    python3 tests/e2e/run.py [--suite SUITE]... [--case TEXT]... [--guests N] [--source DIR] [--sanitize LIST]
            [--coverage DIR] [--list] [--keep] [--shell]

Must run as root. TEXT is a part of a case's promise or of its module's name. N guests of a suite work side by side, and more
when no case of another suite waits; the cases of one module stay together and in order. Prints a line for each case and
closes with `N passed, N failed, N skipped`; the exit status is 1 if a case failed, a guest did not boot, or nothing ran. A
guest in which a case has failed is replaced by a fresh one, unless --keep is given.
"""

import argparse
import collections
import contextlib
import functools
import importlib
import os
import queue
import sys
import threading

# Root runs this, and must leave no files of its own in a developer's checkout.
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import case, isolation, product, tree
from harness.coverage import Coverage
from harness.guest import Guest
from harness.runner import Runner
from harness.sanitizer import Sanitizer

# The modules of cases/, in the order in which they run. Those that take longest come first, so that the guests of a suite
# end at about the same time. The second group of hosts_ begins when the first one has ended, because all guests together have
# too few inotify instances for both (see MASKED in harness/guest.py).
MODULES = (
    "hosts", "hosts_escapes", "hosts_exam", "hosts_files", "hosts_frr", "package", "storm", "jupyterhub",
    "hosts_claims", "hosts_history", "hosts_seats", "stay", "cockpit", "guest",
    "login", "lifetime", "races", "leftover", "container", "crossings", "early",
    "programs", "firewall", "network", "names", "fence", "fault", "directory", "escape_frames", "escape_inside", "escape_reach",
    "escape_outside", "escape_activator", "escape_exam", "exam", "security", "removal", "readme", "limits",
    "resources", "enter", "capture", "units", "worker", "privacy", "history", "admin", "backup")

# These share three guests, which take long to boot. Two groups take half as long as one: their cases wait for most of the time.
TOGETHER = (("hosts", "hosts_escapes", "hosts_exam", "hosts_files", "hosts_frr"), ("hosts_claims", "hosts_history", "hosts_seats"))

# The cases of one guest leave a processor idle for most of the time, because they wait for logins and logouts.
GUESTS_OF_A_SUITE = 3

# How many cases are listed at the end by the processor time that they took.
DEAREST = 20

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))


class Report:
    """Counts outcomes and prints whole blocks, so that the suites' lines do not mix."""

    def __init__(self):
        self.counts = collections.Counter()
        self._processor_times = []
        self._lock = threading.Lock()

    def add(self, suite, outcome, text):
        with self._lock:
            self.counts[outcome] += 1
            print(f"{outcome} {suite}: {text}", flush=True)

    def log(self, suite):
        def write(text):
            with self._lock:
                print("\n".join(f"# {suite}: {line}" for line in text.splitlines()), flush=True)
        return write

    def record(self, suite, each, processor_time):
        with self._lock:
            self._processor_times.append((processor_time, f"{suite}: {each.module}: {each.promise}"))

    def dearest(self):
        """Lines of the cases that took the most processor time, which is what a whole run is short of."""
        times = sorted(self._processor_times, reverse=True)
        total = sum(processor_time for processor_time, _ in times)
        return [f"# {len(times)} cases took {total:.0f} s of processor time in their guests. The most was taken by:",
                *(f"# {processor_time:7.1f} s {name}" for processor_time, name in times[:DEAREST])]

    def close(self):
        if len(self._processor_times) > DEAREST:
            print("\n".join(self.dearest()))
        passed, failed, skipped = (self.counts[outcome] for outcome in ("ok", "not ok", "skip"))
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
        return 1 if failed or not passed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(usage=" ".join(" ".join(__doc__.split("\n")[2:4]).split()))
    parser.add_argument("--suite", action="append", choices=tree.SUITES)
    parser.add_argument("--case", action="append", metavar="TEXT")
    parser.add_argument("--guests", type=int, default=GUESTS_OF_A_SUITE, metavar="N")
    parser.add_argument("--source", default=PROJECT, metavar="DIR")
    parser.add_argument("--sanitize", metavar="LIST", help="build the product with these sanitizers of the compiler")
    parser.add_argument("--coverage", metavar="DIR", help="count in DIR how often each line of the product runs")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    parser.add_argument("--keep", action="store_true", help="leave the guests up after the cases until Enter")
    parser.add_argument("--shell", action="store_true", help="run no case; open a shell in a guest")
    return parser.parse_args()


def taken_from(waiting):
    """Takes one item after the other from a queue that other threads empty too."""
    with contextlib.suppress(queue.Empty):
        while True:
            yield waiting.get_nowait()


def run_guest(suite, name, modules, options, report):
    """Runs modules from the queue in one guest after the other until the queue is empty."""
    log = report.log(name)
    runner = Runner(lambda: Guest.boot(suite, options.source, name, log),
                    functools.partial(report.add, suite), log, options.keep, functools.partial(report.record, suite))
    try:
        runner.run(taken_from(modules))
        if options.keep and runner.guest:
            keep(runner.guest)
    finally:
        runner.close()


def keep(guest):
    processes = guest.cgroup_directory("init.scope") + "/cgroup.procs"
    guest.log(f"still up; from another terminal: nsenter -a -r -w -t $(head -n 1 {processes})\nEnter ends it")
    sys.stdin.readline()


def run_turns(turns, options, report):
    for suite, name, modules in turns:
        run_guest(suite, name, modules, options, report)


def guest_name(suite, number):
    return suite if number == 1 else f"{suite}-{number}"


def threads_of(options, report):
    """A thread for each guest that has something to do. When no module of its suite waits, it boots a guest of another suite."""
    suites = options.suite or tree.SUITES
    waiting = {suite: queue.SimpleQueue() for suite in suites}
    for suite in suites:
        modules = case.by_module(case.selected(suite, options.case), TOGETHER)
        for module in modules:
            waiting[suite].put(module)
        for number in range(1, min(options.guests, len(modules)) + 1):
            turns = [(suite, guest_name(suite, number), waiting[suite])]
            if not options.keep:
                turns += [(other, guest_name(other, number + options.guests), waiting[other]) for other in suites if other != suite]
            yield threading.Thread(target=run_turns, args=(turns, options, report), daemon=True)


def run_cases(options):
    report = Report()
    threads = list(threads_of(options, report))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report.close()


def open_shell(options):
    suite = (options.suite or tree.SUITES)[0]
    with Guest.boot(suite, options.source, suite, lambda text: print(f"# {text}", flush=True)) as guest:
        return guest.shell()


def list_cases(options):
    for suite in options.suite or tree.SUITES:
        for each in case.selected(suite, options.case):
            print(f"{suite}: {each.promise}")
    return 0


def load_cases():
    """Imports the modules of cases, which registers what they have."""
    found = {name.removesuffix(".py") for name in os.listdir(os.path.join(HERE, "cases")) if name.endswith(".py")}
    if found != set(MODULES):
        sys.exit(f"MODULES in {__file__} and the folder cases/ differ: {', '.join(sorted(found ^ set(MODULES)))}")
    for name in MODULES:
        importlib.import_module(f"cases.{name}")


def main():
    options = parse_arguments()
    if options.sanitize:
        product.kind = Sanitizer(options.sanitize)
    elif options.coverage:
        product.kind = Coverage(options.coverage)
    load_cases()
    if options.list:
        return list_cases(options)
    return isolation.run(lambda: open_shell(options) if options.shell else run_cases(options))


if __name__ == "__main__":
    sys.exit(main())
