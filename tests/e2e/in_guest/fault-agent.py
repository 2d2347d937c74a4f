#!/usr/bin/env python3
"""Makes one system call, or one allocation, of one process fail during a login; runs in the guest.

tests/e2e/helpers/fault.py writes orders to stdin, a line of JSON each, and reads the answers the same way:

    {"do": "baseline"}                           two logins without a fault; what they leave is what every later one must leave
    {"do": "record"}                             the system calls and allocations of each process during a login and a logout
    {"do": "fail", "process": ..., "phase": "open" or "close", "call": ..., "n": ..., "fault": ...}

A fault is the name of an errno, SIGKILL, NULL for an allocation, or one of ACTIONS: the process is stopped before the call, and
goes on when the action has been done. A "+" behind an errno means that all later calls fail too.
The process is "module", a daemon of DAEMONS, or a program of the units, such as "netns start".
"""

import collections
import contextlib
import json
import mmap
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time

DIRECTORY = "/run/fault"
TOOLS = "/usr/local/libexec/fault"
PLAN = f"{DIRECTORY}/plan"
SERVICE = "coursenet-fault"
USER, COURSE, SEAT, ADDRESS = "cs123-newellz2", "123", "12310", "10.0.123.10"

DAEMONS = {"activator": "coursenet-activator.service", "worker": "coursenet-worker.service"}
PROGRAMS = {"open": ("bridge start", "netns start", "seat start"), "close": ("seat stop", "netns stop", "bridge stop")}

STATES = "active,activating,deactivating,reloading,failed"

# What happens beside a process that is stopped. With those of the second list a login that has succeeded may lose its seat.
ACTIONS = {
    "kill the activator": "kill -KILL $(systemctl show -P MainPID coursenet-activator.service)",
    "kill the worker": "kill -KILL $(systemctl show -P MainPID coursenet-worker.service)",
    "kill the host": f"kill -KILL $(pidof {TOOLS}/fault-host)",
    "reload systemd": "timeout 5 systemctl daemon-reload",
}
HOSTILE_ACTIONS = {
    **{f"cancel {unit}": f"systemctl list-jobs --no-legend --plain | sed -n 's/^\\([0-9]*\\) {unit}.*/\\1/p' | xargs -r -n 1 systemctl cancel"
       for unit in ("coursenet-", "netbr@", "netns@", "nsbr@")},
    **{f"stop {unit}": f"systemctl list-units --plain --no-legend --state={STATES} '{unit}*' | cut -d' ' -f1 | xargs -r systemctl --no-block stop"
       for unit in ("coursenet-1", "netbr@", "netns@", "nsbr@")},
    "cancel coursenet- and kill the worker": "systemctl list-jobs --no-legend --plain | sed -n 's/^\\([0-9]*\\) .*/\\1/p' | "
                                             "xargs -r -n 1 systemctl cancel; kill -KILL $(systemctl show -P MainPID coursenet-worker.service)",
    "kill the host and the activator": f"kill -KILL $(pidof {TOOLS}/fault-host) $(systemctl show -P MainPID coursenet-activator.service)",
    "stop the seat": f"timeout 5 coursenetctl stop {SEAT}",
}

PAM_SYSTEM_ERR, PAM_BUF_ERR, PAM_PERM_DENIED = 4, 5, 6

PATIENCE = 60
AGREE_SECONDS = 40
UP_SECONDS = 15

UNITS = "'netbr@*' 'netns@*' 'nsbr@*' 'cont@*' 'coursenet-*'"
# What is on the host without a login, beside what facts_down() reads from files.
DOWN = """
echo == units; systemctl list-units --plain --no-legend --full
echo == jobs; systemctl list-jobs --no-legend --plain
echo == daemons; systemctl show -p Id,MainPID,NFileDescriptorStore $(systemctl list-units --plain --no-legend 'coursenet-activator.service' \
    'coursenet-worker.service' | cut -d' ' -f1)
echo == rules; nft -s list ruleset
echo == routing; echo 'rule\nroute' | ip -batch -; echo 'rule\nroute' | ip -6 -batch -
"""
FAILED_BRIDGE = re.compile(rf"^netbr@{COURSE}.service +loaded +failed .*\n", re.M)
OURS = re.compile(r"(netbr@|netns@|nsbr@|cont@|coursenet-)")

# What a seat has. Numbers that differ from login to login are removed. Without ping_group_range: a seat in which only root may ping
# is better than none, and the journal has a warning.
UP = f"""
echo == host; for link in br-{COURSE} vl-{SEAT}; do ip -o -d addr show dev $link; tc qdisc show dev $link; done
echo == seat; ip -n ns{SEAT} -o -d addr; ip -n ns{SEAT} route; ip -n ns{SEAT} -6 route; ip -n ns{SEAT} rule
echo == sysctl; nsenter --net=/run/netns/ns{SEAT} cat /proc/sys/net/ipv4/conf/vr-{SEAT}/route_localnet
echo == ping; nsenter --net=/run/netns/ns{SEAT} ping -q -c 1 -W 2 10.0.{COURSE}.1 | grep -o '1 received'
echo == rules; nft -s list ruleset
echo == routing; ip rule; ip route | grep br-{COURSE}
echo == units; systemctl list-units --plain --no-legend --state={STATES} 'netbr@*' 'netns@*' 'nsbr@*'
echo == failed; systemctl list-units --failed --plain --no-legend
"""
NUMBERS = re.compile(r"^\d+: |@if\d+|link-netnsid \d+|(valid|preferred)_lft \w+|\b(numtxqueues|numrxqueues|gso_\w+|gro_\w+|tso_\w+) \d+"
                     r"| tentative\b|\b(hello|tcn|topology_change|gc)_timer +[\d.]+|fdb_n_learned \d+|port_(id|no) \w+|qdisc noqueue|root refcnt \d+", re.M)


class Wrong(Exception):
    """Something that must not be; the text says what."""


def tell(answer):
    print(json.dumps(answer), flush=True)


# --- what is there ----------------------------------------------------------------------------------------------------

def look(script):
    text = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    parts = re.split(r"^== (\w+)\n", text, flags=re.M)
    return {name: NUMBERS.sub("", part) for name, part in zip(parts[1::2], parts[2::2])}


def main_pid(unit):
    return int(subprocess.run(["systemctl", "show", "-P", "MainPID", unit], stdout=subprocess.PIPE, text=True, check=True).stdout)


def running_daemons():
    return {name: pid for name, unit in DAEMONS.items() if (pid := main_pid(unit))}


def open_files(pid):
    """How many descriptors of each kind a process has."""
    kinds = collections.Counter()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            kinds[re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{name}"))] += 1
    except FileNotFoundError:
        return ""
    return "".join(f"{count} {kind}\n" for kind, count in sorted(kinds.items()))


def tree_of(directory, skip=(), part=""):
    """Paths and modes. Contents are left out: times and random numbers are in some files."""
    lines = ""
    for folder, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if name not in skip]
        for name in folders + files:
            path = f"{folder}/{name}"
            if part in path:
                try:
                    lines += f"{path} {os.lstat(path).st_mode:o}\n"
                except FileNotFoundError:
                    pass
    return lines


def namespaces():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line.split()[4] for line in file if " /run/netns/" in line]
    return "".join(f"{name}\n" for name in [*(os.listdir("/run/netns") if os.path.isdir("/run/netns") else ()), *mounts])


def namespace_of_seat():
    with contextlib.suppress(FileNotFoundError):
        return os.stat(f"/run/netns/ns{SEAT}").st_ino
    return None


def records():
    return "".join(os.listdir("/run/coursenet/state"))


def seems_up():
    """A look that costs nothing, before facts_down()."""
    return bool(namespaces() or records() or os.path.exists(f"/sys/class/net/br-{COURSE}"))


def split_units(facts):
    """Of all units: those of ours that are not merely inactive, and all that have failed."""
    lines = [line for line in facts["units"].splitlines() if line.split()[2:3] != ["inactive"]]
    facts["units"] = "".join(f"{line}\n" for line in lines if OURS.match(line))
    facts["failed"] = "".join(f"{line}\n" for line in lines if line.split()[2:3] == ["failed"])


# Neither goes at the moment at which its seat does.
SKIPPED = ("names", "owners")


def facts_down():
    facts = look(DOWN)
    split_units(facts)
    facts.update(links="".join(f"{name}\n" for name in os.listdir("/sys/class/net")), namespaces=namespaces(),
                 files=tree_of("/run/coursenet", skip=SKIPPED), wiring=tree_of("/run/systemd/system", part="coursenet"))
    daemons = facts.pop("daemons")
    facts["store"] = "".join(re.findall(r"NFileDescriptorStore=.*\n", daemons))
    for pid, unit in re.findall(r"MainPID=(\d+)(?:\n.+)*?\nId=(.*)", daemons):
        facts[f"files of {unit}"] = open_files(pid)
    return facts


def facts_up():
    return look(UP)


def more_files(old, new):
    """Whether a process has more descriptors of any kind than before."""
    before, after = ({kind: int(count) for count, kind in (line.split(" ", 1) for line in lines)} for lines in (old, new))
    return any(count > before.get(kind, 0) for kind, count in after.items())


def difference(expected, found):
    texts = []
    for name in sorted(expected.keys() | found.keys()):
        old, new = (facts.get(name, "").splitlines() for facts in (expected, found))
        # Order does not count: systemd and the kernel list what they have in any order.
        lost, added = collections.Counter(old), collections.Counter(new)
        if name.startswith("files of "):
            # A daemon that was restarted has not opened all of them yet.
            if not more_files(old, new):
                continue
        texts += [f"{name}: -{line.strip()}" for line in lost - added] + [f"{name}: +{line.strip()}" for line in added - lost]
    return texts


def on_the_way(facts):
    """Whether systemd has something to do."""
    return facts["jobs"] or re.search(r" (de)?activating |reloading ", facts["units"])


def await_end(seconds):
    """Waits until the seat seems to be down."""
    deadline = time.monotonic() + seconds
    while seems_up() and time.monotonic() < deadline:
        time.sleep(0.03)


def wait_until_quiet(expected):
    """What differs when nothing is under way, at two looks in a row."""
    await_end(1)
    deadline = time.monotonic() + AGREE_SECONDS
    before = None
    while True:
        found = facts_down()
        texts = difference(expected, found)
        if not texts or (texts == before and not on_the_way(found)) or time.monotonic() > deadline:
            return texts
        before = texts
        time.sleep(0.3)


def wait_for(expected, facts, seconds=AGREE_SECONDS):
    """What still differs after that time."""
    if facts is not facts_up:
        await_end(2)
    deadline = time.monotonic() + seconds
    while True:
        found = difference(expected, facts())
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


# --- strace -----------------------------------------------------------------------------------------------------------

def injection(order):
    """strace's options for a fault; everything is traced without one."""
    if not order:
        return []
    call, n, fault = order["call"], order["n"], order["fault"]
    onwards = "+" if fault.endswith("+") else ""
    fault = fault.rstrip("+")
    if fault == "SIGKILL":
        how = "signal=KILL"
    elif fault in ACTIONS or fault in HOSTILE_ACTIONS:
        how = "signal=STOP"
    elif call == "brk":
        # The kernel reports a failure by the old end of the heap.
        how = "retval=0"
    else:
        how = f"error={fault}"
    return [f"--trace={call}", f"--inject={call}:{how}:when={n}{onwards}"]


def calls_of(text):
    """Names and lines of the system calls in a trace."""
    for line in text.splitlines():
        match = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if match:
            yield match[1], line


def count_calls(calls, skip=0):
    """The calls after the first ones, each with its number among all of its name. The kernel itself repeats one that it
    has to restart, hundreds of times if it waits for a lock."""
    counts = collections.Counter()
    result = []
    for position, (name, line) in enumerate(calls):
        counts[name] += 1
        if position >= skip and "= ? ERESTART" not in line:
            result.append({"call": name, "n": counts[name], "line": line[:200]})
    return result


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Attached:
    """strace on a daemon that runs."""

    def __init__(self, pid, order):
        self.path = f"{DIRECTORY}/trace.daemon"
        self._strace = subprocess.Popen(["strace", "-o", self.path, *injection(order), "-p", str(pid)], stderr=subprocess.PIPE)
        said = self._strace.stderr.readline().decode()
        if "attached" not in said:
            raise RuntimeError(f"strace: {said}")

    def detach(self):
        """The trace."""
        if self._strace.poll() is None:
            self._strace.send_signal(signal.SIGINT)
        self._strace.wait()
        self._strace.stderr.close()
        return read_text(self.path)


# --- allocations ------------------------------------------------------------------------------------------------------

class Allocations:
    """The memory that fail-malloc.c shares with a process: active, n_calls, fail_at, n_failed."""

    def __init__(self, name):
        self.path = f"{DIRECTORY}/malloc.{name}"
        with open(self.path, "wb") as file:
            file.write(struct.pack("llll", 0, 0, 0, 0))
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 32)

    def begin(self, active, fail_at):
        self._memory[:32] = struct.pack("llll", active, 0, fail_at, 0)

    def end(self):
        """How many calls there were, and how many of them failed."""
        _, n_calls, _, n_failed = struct.unpack("llll", self._memory[:32])
        self._memory[:8] = struct.pack("l", 0)
        return n_calls, n_failed


# --- one login --------------------------------------------------------------------------------------------------------

class Host:
    """The program that has the PAM session: fault-host.c."""

    def __init__(self, order=None, trace=False, allocations=None):
        self.path = f"{DIRECTORY}/trace.module"
        command = [f"{TOOLS}/fault-host", SERVICE, USER]
        if order or trace:
            command = ["strace", "-o", self.path, *injection(order), *command]
        environment = dict(os.environ)
        if allocations:
            environment.update(LD_PRELOAD=f"{TOOLS}/fail-malloc.so", FAIL_MALLOC=allocations.path)
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._rest = b""
        self.files = self._read()["files"]

    def step(self, watch=None):
        """Lets it go on; what it says, or None if it has ended. watch is called again and again meanwhile."""
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._read(watch)

    def _read(self, watch=None):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if not select.select([self._process.stdout], [], [], min(max(0, left), 0.02 if watch else PATIENCE))[0]:
                if watch and left > 0:
                    watch()
                    continue
                raise Wrong(f"the module has not returned after {PATIENCE} s")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return None
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        step, result, namespace, files, said = line.decode().split("\t")
        return {"step": step, "result": int(result), "namespace": int(namespace), "files": sorted(files.split(",")), "said": said}

    def end(self):
        """Its trace."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        return read_text(self.path)


class Trial:
    """A login and a logout with one fault."""

    def __init__(self, agent, order):
        self._agent, self._order = agent, order
        self._phase, self._process = order["phase"], order["process"]
        self._is_malloc = order["call"] == "malloc"
        self._allocations = self._attached = None
        self._trace = ""
        self._action = {**ACTIONS, **HOSTILE_ACTIONS}.get(order["fault"])
        # The units start after the answer. If one of them fails, the lease ends, and the user is told. It ends, too, if the activator
        # then cannot watch the process of the login.
        self._may_end = order["fault"] in HOSTILE_ACTIONS or self._process in (*PROGRAMS["open"], "activator")
        self._traced = f"{DIRECTORY}/trace." + ("daemon" if self._process in DAEMONS else self._process.replace(" ", "-"))
        self.answer = {**order, "hit": False, "wrong": [], "left": []}

    # The fault

    def _arm(self):
        number = self._order["n"]
        if self._is_malloc:
            self._allocations = self._agent.allocations[self._process]
            self._allocations.begin(0 if self._process == "module" else 1, number)
        elif self._process in DAEMONS:
            self._attached = Attached(self._agent.daemon(self._process), self._order)
        if self._process in PROGRAMS[self._phase]:
            self._agent.plan({self._process: self._order})

    def _disarm(self):
        if self._allocations:
            self.answer["hit"] |= self._allocations.end()[1] > 0
            self._allocations = None
        if self._attached:
            self._act()
            self._trace += self._attached.detach()
            self._attached = None
            # A stop that came too late for the action.
            continue_stopped()
        if self._process in PROGRAMS[self._phase]:
            self._trace += read_text(trace_of(self._process))
            self._agent.plan({})

    def _act(self):
        """Does the action once the process is stopped, and lets the process go on."""
        text = read_text(self._traced)
        if not self._action or "--- stopped by SIGSTOP ---" not in text:
            return
        subprocess.run(["sh", "-c", self._action], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        self._action = None
        continue_stopped()

    def _wait_quiet(self):
        self._act()
        deadline = time.monotonic() + AGREE_SECONDS
        while self._action and time.monotonic() < deadline and difference(self._agent.down, facts_down()):
            self._act()
        return wait_until_quiet(self._agent.down)

    # The login

    def run(self):
        begun = time.monotonic()
        for name in (f"{DIRECTORY}/trace.module", f"{DIRECTORY}/trace.daemon", *map(trace_of, PROGRAMS[self._phase])):
            if os.path.exists(name):
                os.unlink(name)
        strace = self._order if self._process == "module" and not self._is_malloc else None
        host = Host(strace, allocations=self._agent.allocations["module"] if self._is_malloc and self._process == "module" else None)
        try:
            self._login(host)
        except Wrong as wrong:
            self.answer["wrong"].append(str(wrong))
        self._disarm()
        self._trace += host.end()
        self.answer["hit"] |= any(mark in self._trace for mark in ("(INJECTED", "killed by SIGKILL", "stopped by SIGSTOP"))
        self._look_after()
        self.answer["seconds"] = round(time.monotonic() - begun, 1)
        return self.answer

    def _login(self, host):
        if self._phase == "open":
            self._arm()
        began = time.monotonic()
        opened = host.step(self._act if self._action and self._phase == "open" else None)
        self.answer["login_seconds"] = round(time.monotonic() - began, 1)
        # The units start after the answer.
        self._judge(opened)
        if self._phase == "open":
            self._disarm()
        if not opened:
            return
        if self._phase == "close":
            self._arm()
        closed = host.step(self._act if self._action and self._phase == "close" else None)
        if self._phase == "close":
            self._note_close(closed)
            # The units stop in the background.
            self._wait_quiet()
            self._disarm()
        ended = host.step()
        # A fault that lasts is still there when the host program lists its descriptors.
        if ended and ended["files"] != host.files and not (self._process == "module" and self._order["fault"].endswith("+")):
            self._complain(f"the module leaves descriptors open: {set(ended['files']) ^ set(host.files)}")

    def _judge(self, opened):
        if not opened:
            self.answer["outcome"] = "killed"
            if not (self._order["fault"] == "SIGKILL" and self._process == "module" or self._order["fault"].startswith("kill the host")):
                self._complain("the host program has ended")
        elif opened["result"] == 0:
            self.answer["outcome"] = "succeeded"
            self._judge_seat(opened)
        else:
            self.answer["outcome"] = "refused"
            self.answer["said"] = opened["said"]
            # libpam itself refuses what it cannot write to the audit log, also after the module's success. Without memory
            # for its own list of results it does not call the module.
            silent = opened["result"] == PAM_BUF_ERR and opened["said"] == " |"
            if opened["result"] != PAM_SYSTEM_ERR and not silent:
                if opened["result"] != PAM_PERM_DENIED or "Your course network" not in opened["said"]:
                    self._complain(f"refused with result {opened['result']} and the words {opened['said']!r}")
                if not opened["said"].endswith("| |"):
                    self._complain("a refused session has the variables of a seat")
            self.answer["log"] = self._agent.journal()

    def _judge_seat(self, opened):
        if not opened["said"].endswith(f"|{SEAT} {ADDRESS}|") and opened["said"] != f"{SEAT} {ADDRESS}|":
            self._complain(f"the session's variables are {opened['said']!r}")
        texts = self._wait_up(opened["namespace"])
        if texts is None:
            self.answer["outcome"] = "succeeded, then ended"
            return
        for text in texts:
            self._complain(f"the seat is not as it should be: {text}")

    def _wait_up(self, joined):
        """What is wrong with the seat; None if it has ended, and may have.

        A unit that does not find what the worker made makes it again. The login is in the namespace from before then, and its
        lease ends, with the seat.
        """
        deadline = time.monotonic() + UP_SECONDS
        while True:
            self._act()
            texts = difference(self._agent.up, facts_up())
            if not texts and joined != namespace_of_seat():
                texts = ["the login is in another namespace"]
            if not texts or time.monotonic() > deadline:
                return texts
            if self._may_end and not seems_up() and not self._differs_from_down():
                return None

    def _differs_from_down(self):
        found = facts_down()
        for name in ("units", "failed"):
            found[name] = FAILED_BRIDGE.sub("", found[name])
        return difference(self._agent.down, found)

    def _note_close(self, closed):
        self.answer["close"] = "ended" if not closed else "left" if closed["result"] == 0 else f"result {closed['result']}"
        if closed and closed["namespace"] != self._agent.namespace:
            self.answer["close"] = "still in the namespace of the seat"

    def _complain(self, text):
        self.answer["wrong"].append(text)

    # Afterwards

    def _look_after(self):
        left = wait_until_quiet(self._agent.down) if self._phase == "close" else self._wait_gone()
        if self._phase == "close":
            # What could not be stopped, the next start and stop clear up.
            self.answer["left"] = left
            self.answer["log"] = self._agent.journal() if left else ""
        else:
            self.answer["wrong"] += [f"left behind: {text}" for text in left]
            if left and "log" not in self.answer:
                self.answer["log"] = self._agent.journal()
        if left or self.answer.get("outcome") != "succeeded" or self.answer["wrong"]:
            self.answer["wrong"] += self._agent.clean_login()
        if self.answer["wrong"]:
            self._agent.heal()
        self._agent.note_journal()


    def _wait_gone(self):
        """A bridge whose start has failed stays failed until it starts, so that monitoring sees it."""
        def facts():
            found = facts_down()
            for name in ("units", "failed") if self.answer.get("outcome") != "succeeded" else ():
                found[name] = FAILED_BRIDGE.sub("", found[name])
            return found
        return wait_for(self._agent.down, facts)


def continue_stopped():
    """SIGCONT to every process that is stopped."""
    for name in os.listdir("/proc"):
        if name.isdigit() and re.search(r"^State:\s+[tT] ", read_text(f"/proc/{name}/status"), re.M):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(name), signal.SIGCONT)


def trace_of(program):
    return f"{DIRECTORY}/trace.{program.replace(' ', '-')}"


# --- all of it --------------------------------------------------------------------------------------------------------

class Agent:
    def __init__(self):
        self.down = self.up = None
        self.namespace = os.stat("/proc/self/ns/net").st_ino
        self.allocations = {name: Allocations(name.replace(" ", "-"))
                            for name in ("module", *DAEMONS, *PROGRAMS["open"], *PROGRAMS["close"])}
        self._cursor = ""
        self.note_journal()

    # The journal

    def note_journal(self):
        text = subprocess.run(["journalctl", "--quiet", "-n", "1", "--show-cursor"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self._cursor = text.rsplit("-- cursor: ", 1)[1].strip()

    def journal(self):
        subprocess.run(["journalctl", "--sync"], check=False)
        text = subprocess.run(["journalctl", "--quiet", "--no-pager", "-o", "cat", f"--after-cursor={self._cursor}"],
                              stdout=subprocess.PIPE, text=True, errors="replace", check=True).stdout
        return text

    # Faults

    @staticmethod
    def plan(orders):
        """Tells the units' programs how to start: see helpers/fault.py. One line for each program of a plan."""
        lines = []
        for program, order in orders.items():
            if order and order["call"] == "malloc":
                lines.append(f"{program}\tmalloc")
            else:
                lines.append(f"{program}\t{' '.join(['strace', *injection(order)])}")
        with open(f"{PLAN}.new", "w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
        os.rename(f"{PLAN}.new", PLAN)

    @staticmethod
    def daemon(name):
        deadline = time.monotonic() + PATIENCE
        while not (pid := main_pid(DAEMONS[name])):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the {name} does not run")
            time.sleep(0.05)
        return pid

    # Orders

    def clean_login(self):
        """A login without a fault; what is wrong with it, and with what it leaves."""
        host = Host()
        opened = host.step()
        if not opened or opened["result"] != 0:
            wrong = [f"the next login is refused: {opened}"]
        else:
            wrong = [f"the next login's seat: {text}" for text in wait_for(self.up, facts_up, 10)] if self.up else []
        host.step()
        ended = host.step()
        if not ended or ended["files"] != host.files:
            wrong.append(f"descriptors after the next login: {ended}, before: {host.files}")
        host.end()
        return wrong + ([f"left behind by the next login: {text}" for text in wait_for(self.down, facts_down)] if self.down else [])

    def heal(self):
        """What one fault has left must not be counted against the next one."""
        subprocess.run(["systemctl", "restart", *(DAEMONS[name] for name in running_daemons())], check=False)
        self.clean_login()
        self._settle()
        self.down = facts_down()

    def do_hello(self, _order):
        self.plan({})
        daemons = running_daemons()
        return {"actions": [name for name in (*ACTIONS, *HOSTILE_ACTIONS) if "the worker" not in name or "worker" in daemons]}

    def do_baseline(self, _order):
        self.plan({})
        for _ in range(2):
            wrong = self.clean_login()
            if wrong:
                raise RuntimeError(f"a login without a fault: {wrong}\n{self.journal()}")
        self._settle()
        self.down = facts_down()
        host = Host()
        opened = host.step()
        time.sleep(1)
        self.up = facts_up()
        host.step()
        host.step()
        host.end()
        return {"opened": opened, "left": wait_for(self.down, facts_down), "up": self.up, "down": self.down,
                "daemons": sorted(running_daemons())}

    @staticmethod
    def _settle():
        """Until two looks in a row agree."""
        before, deadline = facts_down(), time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            time.sleep(0.5)
            found = facts_down()
            if found == before and f"netns@{SEAT}" not in found["units"]:
                return
            before = found

    def do_record(self, _order):
        """Every call of each process, by phase: first with strace, then allocations."""
        calls = {"open": {}, "close": {}}
        self.plan({program: None for phase in PROGRAMS.values() for program in phase})
        host = Host(trace=True)
        for phase in ("open", "close"):
            attached = {name: Attached(pid, None) for name, pid in list(running_daemons().items())[:1]}
            self._step(host, phase)
            for name, each in attached.items():
                calls[phase][name] = count_calls(list(calls_of(each.detach())))
        host.step()
        module = list(calls_of(host.end()))
        for phase in ("open", "close"):
            calls[phase]["module"] = between_marks(module, phase)
            for program in PROGRAMS[phase]:
                # The first call is strace's own execve().
                calls[phase][program] = count_calls(list(calls_of(read_text(trace_of(program)))), skip=1)
        self.plan({})
        self._record_daemons_left(calls)
        self._record_allocations(calls)
        return {"calls": calls, "left": wait_for(self.down, facts_down)}

    def _step(self, host, phase):
        """The units start and stop after the answer."""
        host.step()
        texts = wait_for(*((self.up, facts_up) if phase == "open" else (self.down, facts_down)))
        if texts:
            raise RuntimeError(f"a login without a fault: {texts}\n{self.journal()}")

    def _record_daemons_left(self, calls):
        """One login for each further daemon: two at once would need two files."""
        for name, pid in list(running_daemons().items())[1:]:
            host = Host()
            for phase in ("open", "close"):
                attached = Attached(pid, None)
                self._step(host, phase)
                calls[phase][name] = count_calls(list(calls_of(attached.detach())))
            host.step()
            host.end()

    def _record_allocations(self, calls):
        self.plan({program: {"call": "malloc"} for phase in PROGRAMS.values() for program in phase})
        host = Host(allocations=self.allocations["module"])
        for phase in ("open", "close"):
            names = ["module", *running_daemons(), *PROGRAMS[phase]]
            for name in names:
                self.allocations[name].begin(0 if name == "module" else 1, 0)
            self._step(host, phase)
            for name in names:
                n_calls = self.allocations[name].end()[0]
                calls[phase].setdefault(name, []).extend({"call": "malloc", "n": n + 1, "line": ""} for n in range(n_calls))
        host.step()
        host.end()
        self.plan({})

    def do_fail(self, order):
        return Trial(self, order).run()

    def run(self):
        for line in sys.stdin:
            order = json.loads(line)
            try:
                tell(getattr(self, "do_" + order.pop("do"))(order))
            except Exception as error:  # pylint: disable=broad-except
                import traceback
                tell({"broken": f"{error!r}\n{traceback.format_exc()}"})


def between_marks(calls, phase):
    """The calls between the two marks of fault-host.c, counted from the start of the program."""
    begun = ended = None
    for position, (name, line) in enumerate(calls):
        if name == "write" and line.startswith("write(-1, "):
            mark = line.split('"')[1]
            begun = position if mark == phase else begun
            ended = position if mark in ("opened", "closed") and begun is not None and ended is None else ended
    return count_calls(calls[:ended], skip=begun + 1)


if __name__ == "__main__":
    os.makedirs(DIRECTORY, exist_ok=True)
    Agent().run()
