"""Where the time of one new seat goes, in milliseconds since the module was called, alone and beside many seats.

Nothing in the product says when it does what. systemd's units have the time of each step, and the kernel and the bus are watched: what
`ip monitor` and `dbus-monitor` see has the time at which they read it, some tenths of a millisecond late.
"""

import datetime
import re
import statistics

from helpers.seats import SEAT, SECOND, STUDENT, wait_gone
from growth import students
from programs import LONG, SERVICE, rounds_of

BUS_LOG, LINK_LOG = "/run/bench-bus", "/run/bench-links"
# One line for each message, with a time.
WATCH_BUS = ("exec stdbuf -oL dbus-monitor --system --profile \"type='method_call',member='StartTransientUnit'\" "
             f"\"type='method_call',member='ListUnitsByNames'\" \"type='method_return',sender='org.freedesktop.systemd1'\" \"type='signal',member='JobRemoved'\" >{BUS_LOG}")
WATCH_LINKS = f"exec stdbuf -oL ip -tshort monitor link >{LINK_LOG}"
UNITS = {f"netns@{SEAT}": "netns@", f"nsbr@{SEAT}": "nsbr@", f"coursenet-{SEAT}_*.slice": "the lease's slice"}
STEPS = {"ExecMainStartTimestampMonotonic": "PID 1 begins to start its program", "InactiveExitTimestampMonotonic": "the program is started",
         "ActiveEnterTimestampMonotonic": "up"}


def measure(guest, results, rounds, count):
    alone = medians(guest, rounds)
    users, _ = students(guest, count)
    results.log(f"stages beside {count} seats")
    held = sorted({user[2:5] for user in users})
    try:
        guest.run(["sh", "-ec", 'for course; do coursenetctl start "$course"; done', "sh", *held], timeout=LONG)
        beside = medians(guest, rounds)
    finally:
        guest.run(["sh", "-c", 'for course; do coursenetctl stop "$course"; done', "sh", *held], timeout=LONG, check=False)
        wait_gone(guest, timeout=LONG)
    results.stages = {"alone": alone, "beside": beside, "seats": count}


def medians(guest, rounds):
    """The median of each step."""
    for watch in (WATCH_BUS, WATCH_LINKS):
        guest.popen(watch)
    guest.wait_until(f"test -e {BUS_LOG} && test -e {LINK_LOG}")
    steps, times = [], []
    for _, (start, end, ahead) in rounds_of(guest, "session-bench", "stages", rounds, SERVICE, STUDENT, SECOND,
                                            ask=lambda _: steps.append(unit_steps(guest))):
        times.append((start, end, ahead))
    bus, links = guest.read(BUS_LOG), guest.read(LINK_LOG)
    guest.end_processes()
    for (start, end, ahead), step in zip(times, steps):
        step["the session is open"] = end
        step.update(bus_steps(bus, start, end, ahead))
        step.update(link_steps(links, start, ahead))
    names = {name for step in steps for name in step}
    return {name: statistics.median(step[name] - start for (start, *_), step in zip(times, steps) if name in step) for name in names}


def unit_steps(guest):
    """When systemd did what, in milliseconds of CLOCK_MONOTONIC."""
    guest.wait_until(f"systemctl is-active --quiet nsbr@{SEAT}")
    found = {}
    for pattern, name in UNITS.items():
        for line in guest.run(["systemctl", "show", "-p", ",".join(STEPS), pattern]).stdout.splitlines():
            step, _, usec = line.partition("=")
            if usec not in ("", "0"):
                found[f"{name}: {STEPS[step]}"] = int(usec) / 1000
    found.pop("the lease's slice: the program is started", None)
    return found


# Calls of the activator's, and what their answer tells.
ANSWERS = {"StartTransientUnit": "systemd has accepted the slice", "ListUnitsByNames": "systemd has told how the seat's units are"}


def bus_steps(log, start, end, ahead):
    """What dbus-monitor saw while this login waited."""
    found, answers = {}, {}
    for line in log.splitlines():
        kind, moment, *fields = line.split("\t")
        if kind not in ("mc", "mr", "sig"):
            continue
        when = float(moment) * 1000 - ahead
        if not start <= when <= end + 5:
            continue
        if kind == "mc" and fields[-1] in ANSWERS:
            answers[fields[0]] = ANSWERS[fields[-1]]
            if fields[-1] == "StartTransientUnit":
                found["the activator asks systemd for the slice"] = when
        elif kind == "mr" and fields[-1] in answers:
            found.setdefault(answers[fields[-1]], when)
        elif kind == "sig" and "JobRemoved" in fields:
            found["systemd's last JobRemoved"] = when
    return found


def link_steps(log, start, ahead):
    for moment, rest in re.findall(r"^\[(\S+)\] (.*)", log, re.MULTILINE):
        when = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc).timestamp() * 1000 - ahead
        if when >= start and f"vl-{SEAT}" in rest and " master " in rest:
            return {"the cable is in the bridge": when}
    return {}
