"""Fault injection in a guest: see tests/e2e/fault.py."""

import collections
import json
import os
import subprocess

from harness.product import SOURCE
from helpers.fault_plan import all_actions, all_faults, sample, thin_allocations
from helpers.seats import STUDENT, set_up_class, wait_gone

IN_GUEST = f"{SOURCE}/tests/e2e/in_guest"
TOOLS = "/usr/local/libexec/fault"
PAM_FILE = "/etc/pam.d/coursenet-fault"
PAM_STACK = "session required pam_coursenet.so timeout=30\nsession required pam_permit.so\n"
ALLOCATIONS_MAX = 100

# Starts coursenet-net as the agent's plan says. -D: the program stays systemd's main process.
RUN = f"""#!/bin/sh
program=/usr/libexec/coursenet/coursenet-net
while IFS='	' read -r name how; do
    [ "$name" = "$1 $2" ] || continue
    case $how in
    malloc) exec env LD_PRELOAD={TOOLS}/fail-malloc.so FAIL_MALLOC=/run/fault/malloc.$1-$2 $program "$@" ;;
    *) exec $how -D -o /run/fault/trace.$1-$2 $program "$@" ;;
    esac
done </run/fault/plan
exec $program "$@"
"""
UNITS = {"netbr@": "bridge", "netns@": "netns", "nsbr@": "seat"}
# The filter would forbid the system calls of strace.
UNIT = """
[Service]
SystemCallFilter=
ExecStart=
ExecStart={tools}/run {verb} start %i
ExecStopPost=
ExecStopPost=-{tools}/run {verb} stop %i
"""
# Not for the worker, which must run in the host's mount namespace, and may write to /run anyway.
WRITABLE = {"activator": "ReadWritePaths=/run/fault"}
DAEMON = f"""
[Service]
{{writable}}
Environment=LD_PRELOAD={TOOLS}/fail-malloc.so FAIL_MALLOC=/run/fault/malloc.{{name}}
"""
DAEMONS = {"activator": "coursenet-activator.service", "worker": "coursenet-worker.service"}


class FaultFailed(AssertionError):
    pass


class FaultRun:
    """Records one login and makes others fail."""

    def __init__(self, guest):
        self._guest = guest
        set_up_tools(guest)
        self._agent = guest.popen(["python3", "-B", f"{IN_GUEST}/fault-agent.py"], stderr=subprocess.STDOUT)
        # The agent has made its files in /run by then: the daemons start with them.
        self._actions = self._ask(do="hello")["actions"]
        guest.run("systemctl daemon-reload; systemctl restart " + " ".join(existing_daemons(guest)))
        self.baseline = self._ask(do="baseline")
        self.calls = None

    def _ask(self, **order):
        self._agent.stdin.write(json.dumps(order) + "\n")
        self._agent.stdin.flush()
        noise = []
        while True:
            line = self._agent.stdout.readline()
            if line.startswith("{"):
                answer = json.loads(line)
                break
            noise.append(line)
            if not line:
                raise FaultFailed("the agent in the guest has ended:\n" + "".join(noise))
        if "broken" in answer:
            raise FaultFailed(f"{order}: {answer['broken']}")
        return answer

    def record(self):
        self.calls = self._ask(do="record")["calls"]
        return self.calls

    def fail(self, order):
        return self._ask(do="fail", **order)

    def actions(self):
        """What else can happen at each call that changes something."""
        return all_actions(self.calls, self._actions)

    def orders(self):
        return thin_allocations(all_faults(self.calls), ALLOCATIONS_MAX)

    def close(self):
        self._agent.kill_in_guest()
        self._agent.wait()
        remove_tools(self._guest)


def existing_daemons(guest):
    return [unit for unit in DAEMONS.values() if guest.run(["systemctl", "cat", unit], check=False).returncode == 0]


def set_up_tools(guest):
    set_up_class(guest)
    # The first login of a boot makes folders that stay.
    guest.ssh(STUDENT, "true")
    wait_gone(guest)
    guest.run(f"mkdir -p {TOOLS} /run/fault && cd {IN_GUEST} && gcc -O1 -o {TOOLS}/fault-host fault-host.c -lpam && "
              f"gcc -O1 -fno-builtin -shared -fPIC -o {TOOLS}/fail-malloc.so fail-malloc.c")
    guest.write(f"{TOOLS}/run", RUN, mode=0o755)
    guest.write(PAM_FILE, PAM_STACK)
    for unit, verb in UNITS.items():
        guest.write(f"/run/systemd/system/{unit}.service.d/90-fault.conf", UNIT.format(tools=TOOLS, verb=verb))
    for name, unit in DAEMONS.items():
        guest.write(f"/run/systemd/system/{unit}.d/90-fault.conf", DAEMON.format(name=name, writable=WRITABLE.get(name, "")))


def remove_tools(guest):
    """The other cases of the guest run without them."""
    guest.run("find /run/systemd/system -name 90-fault.conf -delete; find /run/systemd/system -name '*.d' -empty -delete; "
              f"rm -r {PAM_FILE} {TOOLS} /run/fault; systemctl daemon-reload; "
              "systemctl restart " + " ".join(existing_daemons(guest)))


class Table:
    """Counts what came of the faults."""

    COLUMNS = ("calls", "faults", "not reached", "refused", "succeeded", "succeeded, then ended", "killed", "left by a stop", "lost")

    def __init__(self, calls):
        self._rows = collections.defaultdict(collections.Counter)
        self.lost = []
        for phase, processes in calls.items():
            for process, each in processes.items():
                self._rows[f"{process}, {phase}"]["calls"] = len(each)

    def add(self, answer):
        row = self._rows[f"{answer['process']}, {answer['phase']}"]
        row["faults"] += 1
        row["not reached"] += not answer["hit"]
        row[answer.get("outcome", "lost")] += 1
        row["left by a stop"] += bool(answer["left"])
        if answer["wrong"]:
            row["lost"] += 1
            self.lost.append(answer)

    def text(self):
        head = "| process, phase | " + " | ".join(self.COLUMNS) + " |"
        lines = [head, "|" + " --- |" * (len(self.COLUMNS) + 1)]
        total = collections.Counter()
        for name, row in sorted(self._rows.items()):
            lines.append(f"| {name} | " + " | ".join(str(row[column]) for column in self.COLUMNS) + " |")
            total.update(row)
        lines.append("| all | " + " | ".join(str(total[column]) for column in self.COLUMNS) + " |")
        return "\n".join(lines)


def describe(answer):
    what = f"{answer['process']}, {answer['phase']}: {answer['call']} number {answer['n']} fails with {answer['fault']}"
    line = f"\n    {answer['line']}" if answer.get("line") else ""
    return f"{what}{line}\n    " + "\n    ".join(answer["wrong"] or [answer.get("outcome", "?")])


def run_faults(guest, seed, count):
    """A sample of so many faults, the same for the same seed and record. Fails if anything is lost."""
    run = FaultRun(guest)
    try:
        run.record()
        table = Table(run.calls)
        for order in sample(run.orders(), count, seed):
            table.add(run.fail(order))
    finally:
        run.close()
    guest.log(table.text())
    if table.lost:
        raise FaultFailed(f"faults with seed {seed}:\n" + "\n".join(describe(each) for each in table.lost))
