"""A class that logs in at the same moment, without ssh: what the module and everything behind it need."""

from programs import CROWD_SERVICE, add_students, join_libpam_net, rounds_of
from results import Goal

COURSE = "206"
GOAL = Goal(value=2)


def measure(guest, results, rounds, count):
    students = add_students(guest, COURSE, count)
    join_libpam_net(guest, students)
    group = f"{count} logins at once, of one course"
    up, down = [], []
    for word, times in rounds_of(guest, "crowd-bench", rounds, CROWD_SERVICE, *students):
        (up if word == "up" else down).append([time / 1000 for time in times])
    ours, units_up, chains, slices, usernet = map(list, zip(*up))
    for against, floors, goal in (("empty slices", slices, GOAL), ("three empty units each, wired alike", chains, None),
                                  ("pam_usernet", usernet, None)):
        results.add(group, "until the last one is in", ours, unit="s", against=against, floors=floors, goal=goal)
    results.add(group, "until all their units are up", units_up, unit="s", against="three empty units each, wired alike", floors=chains)
    ours, chains = map(list, zip(*down))
    results.add(group, "logout, until the last namespace is gone", ours, unit="s",
                against="three empty units each, which run a program to stop", floors=chains)
