"""Runs the benchmarks in a guest of their own and prints their ratios. See docs/performance.md."""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

# pylint: disable=wrong-import-position
import isolation
from guest import Guest
from seats import STUDENT, set_up_class

PROGRAM = "build/tests/bench/session-bench"
EMPTY_UNIT = """\
[Unit]
StopWhenUnneeded=yes
StartLimitIntervalSec=0
{dependency}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
"""


def prepare(guest):
    set_up_class(guest)
    guest.write("/etc/pam.d/coursenet-bench", "session required pam_coursenet.so\n")
    guest.write("/etc/systemd/system/coursenetbench-a@.service", EMPTY_UNIT.format(dependency=""))
    guest.write("/etc/systemd/system/coursenetbench-b@.service", EMPTY_UNIT.format(
        dependency="BindsTo=coursenetbench-a@%i.service\nAfter=coursenetbench-a@%i.service"))
    guest.run("systemctl daemon-reload")
    guest.run(["make", "-C", "/usr/src/coursenet", PROGRAM], timeout=300)


def bench(options):
    with Guest.boot(options.suite, ROOT, "bench", lambda text: print(f"# {text}", flush=True)) as guest:
        prepare(guest)
        print(guest.run([f"/usr/src/coursenet/{PROGRAM}", "coursenet-bench", STUDENT, str(options.pairs)],
                        timeout=600).stdout, end="")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="trixie", help="the Debian release of the guest (default: trixie)")
    parser.add_argument("--pairs", type=int, default=30, help="how many pairs to measure (default: 30)")
    options = parser.parse_args()
    return isolation.run(lambda: bench(options))


if __name__ == "__main__":
    sys.exit(main())
