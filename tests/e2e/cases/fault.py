"""A system call or an allocation fails during a login; the module under valgrind. fault.py by hand makes every call fail."""

import os

from harness import product
from harness.case import THOROUGH, case, expect, expect_equal, expect_in, skip
from harness.product import SOURCE
from helpers.fault import run_faults
from helpers.memcheck import OURS, CheckedSshd, logs, reports
from helpers.seats import STRANGER, STUDENT, set_up_class, wait_gone

SEED = int(os.environ.get("COURSENET_SEED", "20261129"))
FAULTS = 400 if THOROUGH else 16
LEAK = "/usr/lib/pam-leak.so"


@case(f"{FAULTS} faults, a system call or an allocation of each: a login is refused with a sentence or works, nothing is left")
def faults(guest):
    if product.kind.finds_errors:
        skip("AddressSanitizer ends a program in which a preloaded library replaces malloc()")
    # Others in each suite.
    run_faults(guest, f"{SEED} {guest.suite}", FAULTS)


# OpenSSH 9.2 opens the session in the process that valgrind cannot run, because its other half allows itself few system calls.
@case("the module in an sshd under valgrind, at logins that work and that are refused: no error, no leak, no open descriptor",
      suites=("trixie",))
def memory(guest):
    set_up_class(guest)
    stack = guest.read("/etc/pam.d/sshd")
    guest.run(f"gcc -shared -fPIC -g -o {LEAK} {SOURCE}/tests/e2e/in_guest/pam-leak.c")
    guest.write("/etc/pam.d/sshd", stack + f"session optional {LEAK}\n")
    try:
        with CheckedSshd(guest) as sshd:
            since = guest.journal_position()
            sshd.login(STUDENT)
            expect_in(f"given to {STUDENT}", guest.journal(since=since))
            guest.wait_until(lambda: f"given back by {STUDENT}" in guest.journal(since=since), timeout=60, what="the seat is given back")
            sshd.login(STRANGER)
            expect_in(f"{STRANGER}: no seat", guest.journal(since=since))
            guest.run("systemctl stop coursenet-activator.socket coursenet-query.socket coursenet-activator.service")
            sshd.login(STUDENT)
            expect_in(f"{STUDENT}: cannot reach the activator", guest.journal(since=since))
            guest.run("systemctl start coursenet-activator.socket coursenet-query.socket")
        texts = logs(guest)
    finally:
        guest.write("/etc/pam.d/sshd", stack)
        guest.run(f"rm {LEAK}; systemctl start coursenet-activator.socket coursenet-query.socket")
    wait_gone(guest)
    found = reports(texts, "pam-leak")
    expect(any("lost" in block for block in found) and any("Open file descriptor" in block for block in found),
           "valgrind does not see the leaks of pam-leak.c:\n" + "\n\n".join(found))
    expect_equal(reports(texts, OURS), [], "what valgrind says of the module")
