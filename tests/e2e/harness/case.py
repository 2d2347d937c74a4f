"""Cases: what each proves, on which suites, and how one is run and reported."""

import dataclasses
import os
import sys
import time
import traceback

from harness import tree

JOURNAL_LINES = 60

# With COURSENET_THOROUGH=1 all cases run on all suites, and those that repeat something do so more often.
THOROUGH = os.environ.get("COURSENET_THOROUGH") == "1"
# For a case whose promise does not depend on the versions of systemd, sshd, libpam and so on: tests/README.md says which these are.
ONE_SUITE = tree.SUITES if THOROUGH else tree.SUITES[:1]


class Skipped(Exception):
    """Raised by skip(): this machine or suite lacks what the case needs."""


@dataclasses.dataclass
class Case:
    promise: str
    suites: tuple
    function: object
    module: str


_cases = []


def case(promise, suites=tree.SUITES):
    """Registers a function of one guest under the sentence it proves."""
    # Not the function's __module__: a decorator of a helper may have wrapped the function.
    module = sys._getframe(1).f_globals["__name__"].rpartition(".")[2]  # pylint: disable=protected-access

    def register(function):
        _cases.append(Case(promise, tuple(suites), function, module))
        return function
    return register


def selected(suite, texts):
    """The cases for a suite whose promise or module's name has one of the texts; all, if there are no texts."""
    return [each for each in _cases if suite in each.suites
            and (not texts or any(text in each.promise or text in each.module for text in texts))]


def by_module(cases, together=()):
    """Lists of cases: those of one module together, all in the order in which they were registered. together: tuples of modules that
    count as one."""
    first = {module: group[0] for group in together for module in group}
    modules = {}
    for each in cases:
        modules.setdefault(first.get(each.module, each.module), []).append(each)
    return list(modules.values())


def run_case(each, guest):
    """Runs one case; returns its outcome (ok, not ok, skip), the text to show, and the processor time that it took in guests."""
    started, processor_time, began = time.monotonic(), guest.processor_time(), time.time()
    try:
        each.function(guest)
        outcome, detail = "ok", ""
    except Skipped as reason:
        outcome, detail = "skip", f": {reason}"
    except Exception:  # pylint: disable=broad-except
        outcome, detail = "not ok", "\n" + explain_failure(guest, began)
    reports = guest.take_reports()
    if reports:
        outcome, detail = "not ok", f"{detail}\n{indent(reports)}"
    took, processor_time = time.monotonic() - started, guest.processor_time() - processor_time
    guest.end_processes()
    return outcome, f"{each.promise} ({took:.1f} s, {processor_time:.1f} s of processor time){detail}", processor_time


def explain_failure(guest, began):
    text = traceback.format_exc()
    try:
        text += f"the guest's journal since the case began:\n{guest.journal(since=began, lines=JOURNAL_LINES)}"
        for other in guest.running_others():
            text += f"the journal of {other.name}:\n{other.journal(lines=JOURNAL_LINES // 2)}"
    except Exception as error:  # pylint: disable=broad-except
        text += f"the guest's journal cannot be read: {error}\nits console said:\n{guest.console.log()}"
    return indent(text)


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def skip(reason):
    raise Skipped(reason)


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(actual, expected, what="the value"):
    expect(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


def expect_in(part, whole, what="the text"):
    expect(part in whole, f"{what} lacks {part!r}; it is:\n{whole}")


def expect_not_in(part, whole, what="the text"):
    expect(part not in whole, f"{what} has {part!r}, which it must not; it is:\n{whole}")


def expect_status(result, expected, what="the command"):
    """A completed process of run(check=False) or ssh(check=False) ended with this status."""
    expect(result.returncode == expected,
           f"{what} ended with status {result.returncode}, expected {expected}\n{result.stdout}{result.stderr}")


def expect_failure(result, what="the command"):
    expect(result.returncode != 0, f"{what} succeeded, which it must not\n{result.stdout}{result.stderr}")
