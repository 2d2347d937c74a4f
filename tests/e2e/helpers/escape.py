"""Attempts of a student to get out of a seat, or into other seats.

Each attempt is a check of its own, under the name that SECURITY.md has for it. A check has a control where that is possible:
the same thing done by a user who may do it, so that what is refused is refused for the right reason. A case runs its checks
on one scene and names those that failed.
"""

import contextlib
import re
import shlex

from harness.case import expect, expect_equal
from helpers.logins import OWN_NAMESPACE
from helpers.network import address6, attempt, seat_address6, seats_up
from helpers.seats import FAR_SEAT, SECOND_SEAT, STUDENT

CHECKS = {}
METADATA = "169.254.169.254"
REFUSED = r"(?i)not permitted|permission denied|authentication required|access denied"
IMAGINARY_MAC = "02:00:00:00:00:99"


def check(function):
    """Registers an attempt; its name is the function's."""
    CHECKS[function.__name__] = function
    return function


def run_checks(scene, *checks):
    failed = []
    for each in checks:
        try:
            each(scene)
        except Exception as error:  # pylint: disable=broad-except
            failed.append(f"{each.__name__}: {type(error).__name__}: {error}")
    expect(not failed, "these checks failed:\n" + "\n".join(failed))


class Scene:
    """A student's ssh login, beside seats that an administrator holds."""

    def __init__(self, guest, world=None):
        self.guest, self.world = guest, world
        self.session = guest.ssh_popen(STUDENT)
        self.session.run("PATH=$PATH:/usr/sbin")
        self.namespace = self.session.run(OWN_NAMESPACE)
        self.gateway6, self.second6 = address6(guest, "br-123"), seat_address6(guest, SECOND_SEAT)

    def run(self, line):
        """Output of a line in the student's shell, with stderr."""
        return self.session.run(f"{{ {line}\n}} 2>&1")

    def python(self, script, *arguments):
        return self.run(shlex.join(["python3", "-c", script, *arguments]))

    def denied(self, line, reason=REFUSED):
        """The line fails, and for that reason."""
        said = self.run(line)
        expect(self.session.status != 0, f"`{line}` succeeded, which it must not:\n{said}")
        expect(re.search(reason, said), f"`{line}` failed for another reason than {reason!r}:\n{said}")

    def done(self, line):
        said = self.run(line)
        expect_equal(self.session.status, 0, f"the status of the control `{line}`, which says {said!r},")
        return said

    def reaches(self, *targets):
        """Like reaches() of network.py, in the student's shell."""
        script = "\n".join(f"{{ {attempt(target)} && echo '{target}'; }} &" for target in targets)
        answered = self.run(f"{script}\nwait").splitlines()
        return [target for target in targets if target in answered]

    def expect_only(self, reached, refused):
        """The student reaches the targets of the first list, and none of the second."""
        expect_equal(self.reaches(*reached, *refused), list(reached), "what the student reaches")


@contextlib.contextmanager
def scene(guest, world=None, seats=(SECOND_SEAT, FAR_SEAT)):
    with seats_up(guest, *seats):
        try:
            yield Scene(guest, world)
        finally:
            guest.end_processes()


def become(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]


def sleeper(guest, user, *prefix):
    """The pid of a process of a user, once it has become `sleep`."""
    pid = guest.popen([*prefix, "sleep", "600"], user=user).guest_pid()
    guest.wait_until(f"test \"$(cat /proc/{pid}/comm)\" = sleep")
    return pid


def link_local(guest, link, prefix=()):
    return guest.run([*prefix, "ip", "-6", "-br", "address", "show", "dev", link, "scope", "link"]).stdout.split()[2].split("/")[0]
