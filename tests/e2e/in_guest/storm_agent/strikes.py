"""What the storm does to the system: kills, restarts, stops, edits, limits.

A strike is told before it begins and after it has ended, with its scope: "*", a course, a seat, a user, or the process that
opened a lease. "may" says what may come of it: "refuse" logins, "cut" leases, "scar" the kernel until the next start of the
unit. storm.py decides what is a fault.
"""

import errno
import os
import resource
import signal
import subprocess

CGROUP = "/sys/fs/cgroup/system.slice"
SERVICES = {"activator": "coursenet-activator.service", "network": "coursenet-network.service",
            "dns": "coursenet-dns.service", "worker": "coursenet-worker.service", "bus": "dbus.service",
            "logind": "systemd-logind.service", "sshd": "ssh.service"}
BUS_NAMES = {"logind": "org.freedesktop.login1"}
STATE_DIRECTORY = "/run/coursenet/state"
UNITS = ["netbr@*", "netns@*", "nsbr@*", "coursenet-*.slice"]
ETC = "/etc/coursenet"
SETTINGS = f"{ETC}/coursenet.conf"

# --- looking for something to strike ----------------------------------------------------------------------------------


def listing(directory):
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []


def processes_of(service):
    try:
        with open(f"{CGROUP}/{service}/cgroup.procs", encoding="ascii") as file:
            return [int(line) for line in file]
    except (FileNotFoundError, OSError):
        return []


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def read_record(name):
    with open(f"{STATE_DIRECTORY}/{name}", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(" = ", 1) for line in file if " = " in line)


def list_units():
    output = subprocess.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", *UNITS],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return {words[0]: words[2] for words in map(str.split, output.splitlines())}


def scope_of_lease(slice_name):
    """The process that opened it; the whole seat if there is no record any more."""
    name = slice_name[len("coursenet-"):-len(".slice")]
    try:
        return f"process {read_record(name)['opener']} {name.split('_')[0]}"
    except (FileNotFoundError, KeyError):
        return name.split("_")[0]


def scope_of(unit):
    return scope_of_lease(unit) if unit.startswith("coursenet-") else unit.split("@")[1].split(".")[0]


def quietly(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False, **options)


# --- helpers of units, which live for some milliseconds -------------------------------------------------------------------

THINGS = {"bridge": "netbr", "netns": "netns", "seat": "nsbr"}


def helper_command(pid):
    """What a unit's coursenet-net is about, as ["netns", "start", "20110"]; None if the process is another."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read() != "coursenet-net\n":
                return None
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            command = file.read().split("\0")[1:-1]
        return command if len(command) == 3 and command[0] in THINGS else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def newest_helper():
    # Numbers rise, so the newest processes are the last ones.
    for pid in sorted((int(name) for name in listing("/proc") if name.isdigit()), reverse=True)[:16]:
        command = helper_command(pid)
        if command:
            return pid, command
    return None, None


# --- edits --------------------------------------------------------------------------------------------------------------

# What a variant adds to the settings as they were, and what may come of it.
SETTINGS_VARIANTS = {
    "linger": ("[site]\nlinger = 1\n", []),
    "keep": ("[site]\nleftover = keep\nleftover-max = 2s\n", []),
    "kill": ("[site]\nleftover = kill\n", []),
    "course-linger": ("[course 201]\nlinger = 1\n", []),
    "isolation": ("[site]\nisolation = seat\n", []),
    "no-nat": ("[site]\nnat = no\nnat6 = no\n", []),
    "rate": ("[site]\nrate = 1G\n", []),
    "ports": ("[site]\nhost-ports = 8000/tcp *:443\n", []),
    "no-dns": ("[site]\ndns = off\n", []),
    "no-names": ("[course 202]\nnames = none\n", []),
    "no-fence": ("[site]\nfence = no\n", []),
    "unknown": ("[site]\nlingr = 1\n", ["refuse"]),
    "bad-value": ("[site]\nprefix = forty\n", ["refuse"]),
    "torn": ("[site\nlinger", ["refuse"]),
}


def write(path, text):
    """As an editor does: a new file that takes the name of the old one. Without room for it, the old one stays."""
    try:
        with open(f"{path}.storm", "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        os.rename(f"{path}.storm", path)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def roster_path(course):
    return f"{ETC}/roster.d/{course}"


def move_line(text, student, number):
    """The roster with another number for a student; who has that number gets the student's."""
    lines = [line.split() for line in text.splitlines()]
    former = next((words[1] for words in lines if words[:1] == [student] and len(words) == 2), None)
    if not former:
        return text
    for words in lines:
        if words[1:] == [number]:
            words[1] = former
        elif words[:1] == [student]:
            words[1] = number
    return "".join(" ".join(words) + "\n" for words in lines)


class Environment:
    """Files and limits that were changed, and how they were before."""

    def __init__(self):
        self.settings = read(SETTINGS)
        self.rosters = {course: read(roster_path(course)) for course in listing(f"{ETC}/roster.d") if course.isdigit()}
        self.sizes = {}
        self.starved = []
        self.downed = set()
        self.deleted = set()
        self.touched = set()

    # Each returns what may come of it.

    def edit_settings(self, variant):
        text, may = SETTINGS_VARIANTS[variant]
        self.touched.add(SETTINGS)
        write(SETTINGS, text)
        return may

    def open_settings(self):
        """Everybody may write to the file, so nobody may rely on it."""
        self.touched.add(SETTINGS)
        os.chmod(SETTINGS, 0o666)

    def edit_roster(self, course, change):
        path = roster_path(course)
        self.touched.add(path)
        write(path, change(read(path)))

    def run_roster(self, course, *words):
        self.touched.add(roster_path(course))
        quietly("coursenetctl", "roster", words[0], course, *words[1:])

    def fill(self, where):
        """The file system has no more room than it uses."""
        if where in self.sizes:
            return
        stat = os.statvfs(where)
        self.sizes[where] = stat.f_blocks * stat.f_frsize // 1024
        used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize // 1024
        quietly("mount", "-o", f"remount,size={max(used, 4)}k", where)

    def starve(self, service):
        """Its processes get no more memory than they have."""
        for pid in processes_of(SERVICES[service]):
            try:
                with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                    size = int(file.read().split()[0]) * resource.getpagesize()
                resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
                self.starved.append(pid)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass

    def set_link(self, name, down):
        if down:
            self.downed.add(name)
            quietly("ip", "link", "set", name, "down")
        else:
            self.deleted.add(name)
            quietly("ip", "link", "delete", name)

    # Back

    def repair(self):
        for where, size in self.sizes.items():
            quietly("mount", "-o", f"remount,size={size}k", where)
        self.sizes.clear()
        for pid in self.starved:
            try:
                resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except ProcessLookupError:
                pass
        # After jobs that failed the watch waits for minutes before it tries again. A new one does not.
        if self.starved:
            quietly("systemctl", "try-restart", SERVICES["network"])
        self.starved.clear()
        self._repair_files()
        for name in self.downed:
            quietly("ip", "link", "set", name, "up")
        self.downed.clear()

    def _repair_files(self):
        if SETTINGS in self.touched:
            write(SETTINGS, self.settings)
        for course, text in self.rosters.items():
            if roster_path(course) in self.touched:
                write(roster_path(course), text)
        self.touched.clear()

    def take_deleted(self):
        """Links that were deleted under their units: only a new start of these makes them again."""
        deleted, self.deleted = sorted(self.deleted), set()
        return deleted
