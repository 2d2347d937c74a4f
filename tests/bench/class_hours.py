"""A class that logs in at the same moment, with its seats held before; and what others wait for while seats are being held."""

from helpers.seats import wait_gone
from programs import CROWD_SERVICE, LONG, add_students, rounds_of
from results import Goal

COURSE, OTHER_COURSE = "207", "208"
# libpam-net's pam_usernet needs two seconds for 100 names without a seat behind them.
GOAL = Goal(value=2)


def measure(guest, results, rounds, count):
    students = add_students(guest, COURSE, count)
    [other] = add_students(guest, OTHER_COURSE, 1)
    running = []

    def act(word):
        if word == "hold":
            guest.run(["coursenetctl", "start", COURSE], timeout=LONG)
        elif word == "start":
            running.append(guest.popen(["coursenetctl", "start", COURSE]))
        else:
            if running:
                # A start that ended before the last login would not have been measured.
                results.log(f"{word}: {'still starting' if running[-1].poll() is None else 'the start has ended before'}")
                running.pop().communicate(timeout=LONG)
            guest.run(["coursenetctl", "release", COURSE])
            wait_gone(guest, timeout=LONG)

    rows = {"class": [], "during": []}
    for word, times in rounds_of(guest, "class-bench", rounds, CROWD_SERVICE, other, *students, ask=act):
        rows[word].append(times)
        results.log(f"{word}: {times[0]:.1f} ms, without {times[1]:.1f} ms")
    held, cold = ([time / 1000 for time in column] for column in zip(*rows["class"]))
    results.add(f"{count} logins at once, of one course", "with held seats, until the last one is in", held, unit="s",
                against="the same without a hold", floors=cold, goal=GOAL)
    during, quiet = map(list, zip(*rows["during"]))
    results.add("one login, at the module", f"first seat of a course, during a start of {count} seats", during,
                against="the same without that", floors=quiet)
