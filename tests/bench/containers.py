"""A seat with a container, beside podman, which makes a network and a container for a command as well."""

from helpers.image import MAKE_IMAGE, ROOT, SIF
from helpers.seats import SEAT, wait_gone
from helpers.settings import settings
from programs import LONG, add_students

GROUP = "containers"
COURSE = "209"
NAME = "coursenet-bench"

# Prints how long a command takes, in microseconds; the clock is bash's own.
TIMED = 'before=${EPOCHREALTIME/.}; %s; echo $((${EPOCHREALTIME/.} - before))'
# The guest may have no pids controller, which the limit would need.
PODMAN_RUN = f"podman run --detach --network podman --pids-limit 0 --name {NAME} {NAME} sleep 1000"
ACTIVE = "until systemctl is-active --quiet cont@{seat}; do sleep 0.01; done"


def timed(guest, line, timeout=LONG):
    """Milliseconds that a line for bash takes. What it prints is dropped."""
    output = guest.run(["bash", "-c", TIMED % f"{{ set -e; {line}; }} >/dev/null"], timeout=timeout).stdout
    return int(output) / 1000


def measure(guest, results, rounds, count):
    guest.run(MAKE_IMAGE, timeout=LONG)
    # Its storage may not be on the overlay that the guest's root is on.
    guest.run(f"mount -t tmpfs tmpfs /var/lib/containers; tar -C {ROOT} -c . | podman import --quiet - {NAME}", timeout=LONG)
    add_students(guest, COURSE, count)
    containers, podman = [], []
    with settings(guest, f"[course 123]\nimage = {SIF}\n[course {COURSE}]\nimage = {SIF}\n"):
        for _ in range(rounds):
            containers.append(timed(guest, f"coursenetctl start {SEAT}; {ACTIVE.format(seat=SEAT)}"))
            guest.run(["coursenetctl", "stop", SEAT])
            wait_gone(guest)
            podman.append(timed(guest, PODMAN_RUN))
            guest.run(f"podman rm --force --time 0 {NAME}")
        results.add(GROUP, "a seat and its container, until it runs", containers, against="podman run, as root, with its bridge",
                    floors=podman)
        measure_many(guest, results, count)


def measure_many(guest, results, count):
    """A whole course's seats at once. Containers start a few at a time."""
    all_run = (f"until [ $(systemctl list-units --plain --no-legend --state=active 'cont@{COURSE}*' | wc -l) = {count} ]; "
               "do sleep 0.05; done")
    seats = timed(guest, f"coursenetctl start {COURSE}")
    results.add(GROUP, f"{count} seats at once, until all are up", [seats / 1000], unit="s")
    results.add(GROUP, f"{count} seats at once, until all containers run", [(seats + timed(guest, all_run)) / 1000], unit="s")
    guest.run(["coursenetctl", "stop", COURSE], timeout=LONG)
    wait_gone(guest, timeout=LONG)
