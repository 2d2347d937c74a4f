"""One login to a course that three servers share, beside one to a course of the server's own."""

import programs
from helpers.hosts import PLAIN, PLAIN_COURSE, STUDENTS, Members
from helpers.seats import add_accounts
from programs import SERVICE, columns_of

GROUP, AGAINST = "one login, at the module, on one of three servers", "a course that is not shared"
SECOND_PLAIN = "cs124-secondp"
# So many rounds of the one course take turns with so many of the other.
ROUNDS = 2


def measure(guest, results, pairs):
    members = Members(guest)
    try:
        host = members.a
        programs.prepare_host(host)
        add_accounts(host, [SECOND_PLAIN])
        host.run(["coursenetctl", "roster", "add", PLAIN_COURSE, SECOND_PLAIN.split("-")[1]])
        for what, scene, shared, plain in (("first seat of a course", "first", STUDENTS[:1], [PLAIN]),
                                           ("new seat of a live course", "new", STUDENTS[:2], [PLAIN, SECOND_PLAIN])):
            ours, theirs = [], []
            for _ in range(pairs // ROUNDS):
                ours += columns_of(host, "session-bench", scene, ROUNDS, SERVICE, *shared)[0]
                theirs += columns_of(host, "session-bench", scene, ROUNDS, SERVICE, *plain)[0]
            results.add(GROUP, what, ours, against=AGAINST, floors=theirs)
    finally:
        members.close()
        guest.discard_others()
