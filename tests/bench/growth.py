"""Many seats: what a login, a logout and a daemon-reload cost beside them, and what the activator needs."""

import statistics

from programs import CROWD_SERVICE, LONG, add_students, rounds_of
from results import Goal

COURSE_SIZE = 100
FIRST_COURSE = 210

LOGOUT_GOAL = Goal(ratio=1.25)


def growth_goal(count):
    return Goal(ratio=1.1 if count <= 400 else 1.25)


def measure(guest, results, count, sample):
    users, courses = students(guest, count)
    found = {}
    memory = {"without a lease": activator(guest)}

    def look(_):
        # Logins are answered before their units are up.
        up = "systemctl list-units --plain --no-legend --state=active 'nsbr@*' | wc -l"
        guest.wait_until(lambda: int(guest.run(up).stdout) == count, timeout=LONG, what="all seats are up")
        memory[f"with {count} leases"] = activator(guest)
    for word, times in rounds_of(guest, "growth-bench", sample, courses, CROWD_SERVICE, *users, ask=look):
        if word not in found:
            results.log(f"{count} seats: {word}")
        found.setdefault(word, []).append(times)
    group = f"{count} seats"
    add_growth(results, group, count, found)
    results.add(group, "logout of all, until the last namespace is gone", seconds(found["down"]), unit="s",
                against="three empty units each, which run a program to stop", floors=seconds(found["chains-down"]), goal=LOGOUT_GOAL)
    add_reload(results, group, found)
    for when, (kib, files) in memory.items():
        results.add(group, f"the activator {when}: resident", [kib / 1024], unit="MiB")
        results.add(group, f"the activator {when}: open files", [files], unit="files")


def students(guest, count):
    """Students of courses of equal size; one of each course comes first."""
    courses = -(-count // COURSE_SIZE)
    classes = [add_students(guest, str(FIRST_COURSE + number), count // courses) for number in range(courses)]
    return [user for row in zip(*classes) for user in row], courses


def seconds(lines):
    return [times[0] / 1000 for times in lines]


# Words of growth-bench, and whose logins they are.
SAMPLES = {"": "new seat", "boot-": "new seat, first login since boot"}


def add_growth(results, group, count, found):
    for prefix, login in SAMPLES.items():
        first, last = ([list(column) for column in zip(*found[prefix + word])] for word in ("first", "last"))
        for number, against in ((1, "two empty units, a third is up"), (2, "an empty slice")):
            for what, times in ((f"{login}, beside few", first), (f"{login}, beside {count}", last)):
                results.add(group, what, times[0], against=against, floors=times[number])
            results.add(group, f"{login}: growth", [growth(first[0], last[0])], unit="x",
                        against=f"growth of {against}", floors=[growth(first[number], last[number])], goal=growth_goal(count),
                        ratios=[growth_ratio(first, last, number)])


def growth(first, last):
    return statistics.median(last) / statistics.median(first)


def growth_ratio(first, last, number):
    """By the ratios of pairs: a pair meets the same machine."""
    return growth([ours / floor for ours, floor in zip(first[0], first[number])],
                  [ours / floor for ours, floor in zip(last[0], last[number])])


def add_reload(results, group, found):
    none, seats, chains = ([times[0] for times in found[f"reload-{word}"]] for word in ("none", "seats", "chains"))
    results.add(group, "daemon-reload without a seat", none)
    results.add(group, "daemon-reload with all seats", seats, against="with as many slices over empty units", floors=chains)
    ours = statistics.median(seats) - statistics.median(chains)
    results.add(group, "daemon-reload: the part that empty units do not have", [ours], against="the whole",
                floors=[statistics.median(seats)])


def activator(guest):
    """Its resident memory in KiB and how many files it has open."""
    pid = guest.run("systemctl show --value -p MainPID coursenet-activator").stdout.strip()
    status = guest.run(f"cat /proc/{pid}/status").stdout
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(resident), len(guest.run(f"ls /proc/{pid}/fd").stdout.split())
