"""One login at a time: the first of a course, the next one, one more of the same student, and the whole of ssh."""

from helpers.network import seats_up
from helpers.seats import SECOND, SEAT, STUDENT, add_accounts, wait_gone
from helpers.settings import settings
from programs import SERVICE, add_students, columns_of, join_libpam_net
from results import Goal

GROUP, SSH_GROUP, PEERS_GROUP = "one login, at the module", "ssh, until the prompt", "one login, beside libpam-net"
SSH_COURSE = "205"

CHAIN, SLICE = "three empty units, wired alike", "an empty slice"
FIRST_GOAL = Goal(value=25)
NEW_GOAL = Goal(value=12, ratio=5)
CHAIN_GOAL = Goal(ratio=1.15)
SECOND_GOAL = Goal(ratio=1.5)


def measure(guest, results, pairs):
    ours, chain, empty = columns_of(guest, "session-bench", "first", pairs, SERVICE, STUDENT)
    results.add(GROUP, "first seat of a course", ours, against=SLICE, floors=empty, goal=FIRST_GOAL)
    results.add(GROUP, "first seat of a course", ours, against=CHAIN, floors=chain)
    ours, chain, empty = columns_of(guest, "session-bench", "new", pairs, SERVICE, STUDENT, SECOND)
    results.add(GROUP, "new seat of a live course", ours, against=SLICE, floors=empty, goal=NEW_GOAL)
    results.add(GROUP, "new seat of a live course", ours, against="two empty units, a third is up", floors=chain, goal=CHAIN_GOAL)
    measure_second(guest, results, pairs)


def measure_second(guest, results, pairs):
    """A second lease while the first is live, while an administrator holds the seat, and on a seat that lingers."""
    def add(what, scene):
        ours, empty = columns_of(guest, "session-bench", scene, pairs, SERVICE, STUDENT)
        results.add(GROUP, f"second lease, {what} seat", ours, against=SLICE, floors=empty, goal=SECOND_GOAL)

    add("live", "second")
    with seats_up(guest, SEAT):
        add("held", "again")
    with settings(guest, "[course 123]\nlinger = 60\n"):
        add("lingering", "again")
        guest.run(["coursenetctl", "stop", SEAT], check=False)
        wait_gone(guest)


def measure_peers(guest, results, pairs):
    """Namespaces by Debian's libpam-net: they have no cable, no address and no rules, and pam_usernet never removes one."""
    join_libpam_net(guest, [STUDENT])
    ours, usernet, newnet = columns_of(guest, "session-bench", "peers", pairs, SERVICE, STUDENT, SECOND)
    results.add(PEERS_GROUP, "new seat of a live course", ours, against="pam_usernet: a namespace with a name", floors=usernet)
    results.add(PEERS_GROUP, "new seat of a live course", ours, against="pam_newnet: a namespace", floors=newnet)


def measure_ssh(guest, results, rounds, crowd):
    """What a student waits for, and what an ordinary user waits for, who has no seat."""
    first, *students = add_students(guest, SSH_COURSE, 1 + rounds + 2 * crowd)
    others = [f"plain{number:03}" for number in range(len(students))]
    add_accounts(guest, others)
    with seats_up(guest, first):
        for at_once, users in ((1, slice(rounds)), (crowd, slice(rounds, None))):
            with_seat, without = columns_of(guest, "login-bench", at_once, *students[users], "--", *others[users])
            what = "one login" if at_once == 1 else f"{at_once} logins at once, the last one"
            results.add(SSH_GROUP, f"{what}, with a seat", with_seat, against="an ordinary user", floors=without)
