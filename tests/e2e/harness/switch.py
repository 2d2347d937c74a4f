"""A network that guests are plugged into: a bridge in a namespace of its own, whose ports can be cut and joined.

It goes with the run, because a process of the run holds the namespace.
"""

import os
import subprocess
import time

from harness.guest import DEADLINE, POLL_INTERVAL

# States of a bridge's port. A disabled port passes nothing, and the link keeps its carrier: nobody is told that the cable is cut.
DISABLED, FORWARDING = "0", "3"


class Switch:
    def __init__(self):
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        self._wait_namespace()
        self.run("ip", "link", "add", "switch", "up", "type", "bridge", "mcast_snooping", "0")

    def _wait_namespace(self):
        deadline, own = time.monotonic() + DEADLINE, os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == own:
            if time.monotonic() > deadline:
                raise AssertionError("unshare has made no network namespace")
            time.sleep(POLL_INTERVAL)

    def run(self, *command):
        """Runs a program of this side in the network in the middle."""
        return self._run(self._holder.pid, *command)

    @staticmethod
    def _run(pid, *command, check=True):
        result = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *command],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"`{' '.join(command)}` failed: {result.stdout}")
        return result.stdout

    def plug(self, guest, link, address):
        """A cable to a guest, which may still be booting. It goes with the guest's network."""
        # The kernel takes its time to remove the network of the boot before, and with it that boot's cable.
        self._run(self._holder.pid, "ip", "link", "delete", port(guest), check=False)
        self.run("ip", "link", "add", port(guest), "up", "master", "switch", "type", "veth",
                 "peer", "name", link, "netns", str(guest.init))
        self._run(guest.init, "ip", "link", "set", link, "up")
        self._run(guest.init, "ip", "address", "add", address, "dev", link)

    def cut(self, guest):
        """What this guest sends reaches nobody, and the other way round."""
        self._set_state(guest, DISABLED)

    def heal(self, guest):
        self._set_state(guest, FORWARDING)

    def _set_state(self, guest, state):
        self.run("bridge", "link", "set", "dev", port(guest), "state", state)

    def close(self):
        self._holder.kill()
        self._holder.wait()


def port(guest):
    # The name of a link has at most 15 bytes. Guests of one switch differ at the ends of their names.
    return f"to-{guest.name[-12:]}"
