"""What everybody says at a quiet point: systemd, the activator, the kernel, the records, the seats themselves."""

import os
import select
import socket
import struct
import subprocess
import time

from strikes import SERVICES, list_units, listing, processes_of, read_record, STATE_DIRECTORY

WIRING = "/run/systemd/system/nsbr@{}.service.d/50-coursenet.conf"
OURS = ("activator", "network", "dns", "worker")
JOBS_DEADLINE = 60
PROBE_DEADLINE = 5
CLONE_NEWNET = 0x40000000

# --- processes and files ------------------------------------------------------------------------------------------------


def run_text(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def wait_for_jobs():
    """Until systemd has no job; returns those that are left at the deadline."""
    deadline = time.monotonic() + JOBS_DEADLINE
    while time.monotonic() < deadline:
        if run_text("systemctl", "show", "--property=NJobs").strip() == "NJobs=0":
            return []
        time.sleep(0.02)
    return run_text("systemctl", "list-jobs", "--no-legend", "--plain").splitlines()


def inode(path):
    try:
        return os.stat(path).st_ino
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None


def namespace_mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line.split()[4] for line in file if " /run/netns/" in line)


def read_records():
    records = {}
    for name in listing(STATE_DIRECTORY):
        try:
            records[name] = read_record(name)
        except FileNotFoundError:
            continue
        # One that is being written.
        if "seat" not in records[name]:
            records[name] = {"seat": "none", "user": "nobody"}
    return records


def read_wiring(seats):
    wiring = {}
    for seat in seats:
        try:
            with open(WIRING.format(seat), encoding="utf-8") as file:
                wiring[seat] = file.read()
        except FileNotFoundError:
            wiring[seat] = ""
    return wiring


def memory_of(pid):
    """Without pages of files: the kernel takes these from a process that is idle, and gives them back when it works."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def look_at_daemons():
    """Of each daemon's first process: its number, open descriptors, and memory in KiB."""
    daemons = {}
    for name in OURS:
        for pid in processes_of(SERVICES[name])[:1]:
            try:
                daemons[name] = [pid, len(os.listdir(f"/proc/{pid}/fd")), memory_of(pid)]
            except (FileNotFoundError, ProcessLookupError):
                pass
    return daemons


def parse_shown(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


# --- the seats ------------------------------------------------------------------------------------------------------------

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ping(address, number):
    """A socket with one echo request under way."""
    echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    echo.setblocking(False)
    packet = struct.pack("!BBHHH", 8, 0, 0, 0x5354, number)
    packet = struct.pack("!BBHHH", 8, 0, checksum(packet), 0x5354, number)
    try:
        echo.sendto(packet, (address, 0))
    except OSError:
        pass
    return echo


def answered(echo, address, number):
    while True:
        try:
            data, (sender, _) = echo.recvfrom(512)
        except BlockingIOError:
            return False
        header = (data[0] & 15) * 4
        kind, _, _, token, sequence = struct.unpack("!BBHHH", data[header:header + 8])
        if kind == 0 and sender == address and (token, sequence) == (0x5354, number):
            return True


def has_address(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.bind((address, 0))
            return True
        except OSError:
            return False


def enter(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os_setns(descriptor, CLONE_NEWNET)
    finally:
        os.close(descriptor)


def os_setns(descriptor, kind):
    # Python has os.setns() from 3.12 on.
    import ctypes  # pylint: disable=import-outside-toplevel
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, kind) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class Prober:
    """Asks from inside of each seat: is this its address, does the gateway answer, does nobody of another course answer?"""

    def __init__(self):
        self._own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._number = 0

    def probe(self, seats):
        """seats: for each seat its address, its gateway, and an address that it must not reach, or None. Returns pairs of a
        seat and a fault."""
        faults, wanted, unwanted = [], [], []
        for seat, (address, gateway, stranger) in sorted(seats.items()):
            try:
                enter(f"/run/netns/ns{seat}")
            except OSError as error:
                faults.append((seat, f"its namespace cannot be entered: {error}"))
                continue
            try:
                if not has_address(address):
                    faults.append((seat, f"it does not have the address {address}"))
                # The stranger first: its answer would be here before the gateway's.
                if stranger:
                    unwanted.append(self._ask(seat, stranger))
                wanted.append(self._ask(seat, gateway))
            finally:
                os_setns(self._own, CLONE_NEWNET)
        faults += [(seat, f"it does not reach {address}") for seat, address in self._wait(wanted)]
        faults += [(seat, f"it reaches {address}") for seat, echo, address, number in unwanted
                   if answered(echo, address, number)]
        for _, echo, _, _ in wanted + unwanted:
            echo.close()
        return faults

    def _ask(self, seat, address):
        self._number = (self._number + 1) & 0xffff
        return seat, ping(address, self._number), address, self._number

    @staticmethod
    def _wait(wanted):
        """Those without an answer at the deadline."""
        deadline = time.monotonic() + PROBE_DEADLINE
        waiting = list(wanted)
        while waiting and time.monotonic() < deadline:
            select.select([echo for _, echo, _, _ in waiting], [], [], max(0, deadline - time.monotonic()))
            waiting = [each for each in waiting if not answered(*each[1:])]
        return [(seat, address) for seat, _, address, _ in waiting]


# --- all -------------------------------------------------------------------------------------------------------------------

def gather(order, prober):
    namespaces = listing("/run/netns")
    shown = parse_shown(run_text("systemctl", "show", "--property=NFileDescriptorStore", SERVICES["activator"]))
    return {
        "units": list_units(),
        "failed": [line.split()[0] for line in
                   run_text("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()],
        "status": run_text("coursenetctl", "status", "--json"),
        "links": [name for name in listing("/sys/class/net") if name[:3] in ("br-", "vl-", "vr-")],
        "rules": run_text("nft", "list", "tables") + run_text("nft", "list", "ruleset", "netdev"),
        "namespaces": {name: inode(f"/run/netns/{name}") for name in namespaces},
        "mounts": namespace_mounts(),
        "records": read_records(),
        "receipts": listing("/run/coursenet/prepared"),
        "seats": listing("/run/coursenet/seats"),
        "wiring": read_wiring(order["wired"]),
        "inside": {str(pid): inode(f"/proc/{pid}/ns/net") for pid in order["inside"]},
        "probes": prober.probe(order["probe"]),
        "daemons": look_at_daemons(),
        "stored": int(shown.get("NFileDescriptorStore", 0)),
    }
