"""SECURITY.md and the tests that it names."""

import glob
import os
import re

from harness.case import case, expect, expect_equal
from harness.product import SOURCE
from helpers.escape import CHECKS

SCORE = re.compile(r"Overall exposure level for (\S+): (\d+\.\d)")
CITED = re.compile(r"`(\w+)\.(\w+)`")


def cited_tests(document):
    """Pairs of module and function: the last cell of each row of the table of attempts names the tests of that row. `escape`
    stands for all modules whose name begins so."""
    attempts = document.split("\n## What was tried\n")[1]
    rows = [line.rstrip("| ") for line in attempts.splitlines() if line.startswith("|")]
    return [each for row in rows for each in CITED.findall(row.rsplit("|", 1)[-1])]


def score_limits(document):
    """The table of SECURITY.md: the highest score that a unit may have, by its name."""
    chapter = document.split("\n## How the units are confined\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in chapter.splitlines() if line.startswith("| `")]
    return {unit: float(row[2]) for row in rows if re.fullmatch(r"\d+\.\d", row[2]) for unit in re.findall(r"`(.*?)`", row[1])}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@case("SECURITY.md cites every check of an escape, and no test that is not there", suites=("trixie",))
def document(guest):
    folder = os.path.dirname(os.path.abspath(__file__))
    cited = cited_tests(read(os.path.join(folder, "..", "..", "..", "SECURITY.md")))
    of_escapes = {name for where, name in cited if where in ("escape", "hosts_escapes")}
    expect_equal(sorted(set(CHECKS) - of_escapes), [], "the checks that are not cited")
    for where, name in cited:
        paths = glob.glob(os.path.join(folder, f"{where}_*.py" if where == "escape" else f"{where}.py"))
        expect(any(f"\ndef {name}(" in read(path) for path in paths), f"there is no test {where}.{name}")
    guest.run(f"test -e {SOURCE}/SECURITY.md && test -e /usr/share/doc/coursenet/SECURITY.md")


@case("no unit is less confined than SECURITY.md says, and the daemon is at most at 1.5")
def scores(guest):
    folder = os.path.dirname(os.path.abspath(__file__))
    limits = score_limits(read(os.path.join(folder, "..", "..", "..", "SECURITY.md")))
    # example.service has only a program, because it is there to be copied.
    shipped = {path.removesuffix(".service") for path in guest.run(f"cd {SOURCE}/units && ls *.service").stdout.split()} - {"example"}
    expect_equal(sorted(limits), sorted(shipped), "the units of the table")
    expect(limits["coursenet-activator"] <= 1.5, "SECURITY.md allows the activator more than 1.5")
    units = [f"{unit}12310" if unit.endswith("@") else unit for unit in shipped]
    report = guest.run(["systemd-analyze", "security", "--no-pager", *(f"{unit}.service" for unit in units)]).stdout
    found = {unit: float(score) for unit, score in SCORE.findall(report)}
    expect_equal(len(found), len(shipped), "the number of units with a score")
    too_high = {unit: score for unit, score in found.items()
                if score > limits[unit.removesuffix(".service").replace("@12310", "@")]}
    expect_equal(too_high, {}, "the units whose score is higher than in SECURITY.md")
