"""SECURITY.md and the tests that it names."""

import glob
import os
import re

from harness.case import case, expect, expect_equal
from harness.product import SOURCE
from helpers.escape import CHECKS

CITED = re.compile(r"`(\w+)\.(\w+)`")


def cited_tests(document):
    """Pairs of module and function: the last cell of each row of the table of attempts names the tests of that row. `escape`
    stands for all modules whose name begins so."""
    attempts = document.split("\n## What was tried\n")[1]
    rows = [line.rstrip("| ") for line in attempts.splitlines() if line.startswith("|")]
    return [each for row in rows for each in CITED.findall(row.rsplit("|", 1)[-1])]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@case("SECURITY.md cites every check of an escape, and no test that is not there", suites=("trixie",))
def document(guest):
    folder = os.path.dirname(os.path.abspath(__file__))
    cited = cited_tests(read(os.path.join(folder, "..", "..", "..", "SECURITY.md")))
    expect_equal(sorted(set(CHECKS) - {name for where, name in cited if where == "escape"}), [], "the checks that are not cited")
    for where, name in cited:
        paths = glob.glob(os.path.join(folder, f"{where}_*.py" if where == "escape" else f"{where}.py"))
        expect(any(f"\ndef {name}(" in read(path) for path in paths), f"there is no test {where}.{name}")
    guest.run(f"test -e {SOURCE}/SECURITY.md && test -e /usr/share/doc/coursenet/SECURITY.md")
