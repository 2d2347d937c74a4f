"""The control groups a guest lives in.

Each guest gets a group of its own: two guests started from the same one would share its `payload` child, and their
systemds would mix up each other's units. On a host with only cgroup v2 that is one directory; on a host that still
has the v1 hierarchy of systemd it is a second one there, because systemd-nspawn looks at both.

The names carry the run that made them, so that the next run finds the groups of runs that ended.
"""

import os
import time

PREFIX = "coursenet-e2e"
REMOVE_DEADLINE = 30


def hierarchies():
    """Where groups are made: the v2 mount first, then systemd's v1 mount if this host has one."""
    unified, named = None, None
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, where, kind, options = line.split()[:4]
            if kind == "cgroup2":
                unified = where
            elif kind == "cgroup" and "name=systemd" in options.split(","):
                named = where
    if unified is None:
        raise RuntimeError("no cgroup2 mount: the guests' systemd cannot run here")
    return [unified] + ([named] if named else [])


def create(run_id, name):
    """Makes the groups of one guest and returns their directories, the v2 one first."""
    groups = [f"{root}/{PREFIX}-{run_id}-{name}" for root in hierarchies()]
    for group in groups:
        os.mkdir(group)
    return groups


def processor_time(group):
    """Seconds of processor time that everything in a v2 group has taken, what has ended included."""
    with open(f"{group}/cpu.stat", encoding="ascii") as file:
        return int(dict(line.split() for line in file)["usage_usec"]) / 1e6


def kill(group):
    # cgroup.kill needs Linux 5.14 and v2; elsewhere the death of the run's pid namespace has done the work.
    try:
        with open(f"{group}/cgroup.kill", "w", encoding="ascii") as switch:
            switch.write("1")
    except OSError:
        pass


def remove(group):
    """Ends what still runs in a group and removes it with all its children."""
    kill(group)
    deadline = time.monotonic() + REMOVE_DEADLINE
    while os.path.isdir(group):
        try:
            remove_empty(group)
        except OSError:
            # The kernel refuses while the last process is still on its way out, and offers no event that covers v1.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def remove_empty(group):
    for directory, _, _ in os.walk(group, topdown=False):
        os.rmdir(directory)


def of_run(run_id):
    """The groups a run has made, in every hierarchy."""
    return [path for path, owner in all_ours() if owner == str(run_id)]


def sweep():
    """Removes what killed runs left behind; a run is named after the pid of its outermost process."""
    for path, owner in all_ours():
        if not os.path.exists(f"/proc/{owner}"):
            remove(path)


def all_ours():
    for root in hierarchies():
        for name in sorted(os.listdir(root)):
            if name.startswith(PREFIX + "-") and os.path.isdir(f"{root}/{name}"):
                yield f"{root}/{name}", name[len(PREFIX) + 1:].split("-")[0]
