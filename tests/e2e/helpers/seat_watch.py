#!/usr/bin/env python3
"""Looks from outside at which seats are live on which members, ten times a second. It runs beside the guests, not in them.

A seat is live on a member where the server's end of its cable, vl-SEAT, is there and up. Commands on stdin:

    add HOST PID     looks into the network namespace of this process from now on, until the process ends

Prints, with the seconds of CLOCK_MONOTONIC before each line:

    TIME HOST added | gone
    TIME HOST SEAT up | down
    TIME twice SEAT HOST HOST     the seat is live on two members
"""

import ctypes
import os
import select
import socket
import struct
import sys
import time

INTERVAL = 0.1
CLONE_NEWNET = 0x40000000
RTM_NEWLINK, RTM_GETLINK, NLMSG_DONE, NLMSG_ERROR = 16, 18, 3, 2
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
IFLA_IFNAME, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS = 3, 29, 8
IFF_UP = 1
HEADER, INTERFACE = struct.Struct("=IHHII"), struct.Struct("=BxHiII")
ATTRIBUTE = struct.Struct("=HH")

libc = ctypes.CDLL(None, use_errno=True)


def setns(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Member:
    """A socket of the member's namespace. It would keep the namespace, so it goes with the process that the member is."""

    def __init__(self, name, pid):
        self.name = name
        self.live = frozenset()
        self.process = os.pidfd_open(pid)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        theirs = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        setns(theirs)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        setns(own)
        os.close(theirs)
        os.close(own)

    def look(self):
        """The seats that are live at this moment."""
        attribute = ATTRIBUTE.pack(8, IFLA_EXT_MASK) + struct.pack("=I", RTEXT_FILTER_SKIP_STATS)
        body = INTERFACE.pack(0, 0, 0, 0, 0) + attribute
        self.socket.send(HEADER.pack(HEADER.size + len(body), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, 0) + body)
        found = set()
        while True:
            data = self.socket.recv(1 << 17)
            while data:
                length, kind, *_ = HEADER.unpack_from(data)
                if kind == NLMSG_DONE:
                    return frozenset(found)
                if kind == NLMSG_ERROR:
                    raise OSError("the kernel refused a dump of the links")
                found.update(live_seat(data[HEADER.size:length]))
                data = data[(length + 3) & ~3:]

    def close(self):
        self.socket.close()
        os.close(self.process)


def live_seat(message):
    """The seat, if a link is a cable's end that is up."""
    _, _, _, flags, _ = INTERFACE.unpack_from(message)
    at = INTERFACE.size
    while at + ATTRIBUTE.size <= len(message):
        length, kind = ATTRIBUTE.unpack_from(message, at)
        if kind == IFLA_IFNAME:
            name = message[at + ATTRIBUTE.size:at + length].rstrip(b"\0").decode()
            return [name[3:]] if name.startswith("vl-") and flags & IFF_UP else []
        at += max((length + 3) & ~3, ATTRIBUTE.size)
    return []


def say(*words):
    print(f"{time.monotonic():.3f}", *words, flush=True)


def look_at_all(members):
    for member in members:
        before, member.live = member.live, member.look()
        for seat in sorted(before ^ member.live):
            say(member.name, seat, "up" if seat in member.live else "down")
    for number, member in enumerate(members):
        for other in members[number + 1:]:
            for seat in sorted(member.live & other.live):
                # The other member was looked at later: it counts only if the first has the seat still.
                if seat in member.look():
                    say("twice", seat, *sorted((member.name, other.name)))


def obey(members, line):
    _, name, pid = line.split()
    members.append(Member(name, int(pid)))
    say(name, "added")


def remove_gone(members, gone):
    for member in [each for each in members if each.process in gone]:
        for seat in sorted(member.live):
            say(member.name, seat, "down")
        say(member.name, "gone")
        member.close()
        members.remove(member)


def main():
    members, commands = [], b""
    following = time.monotonic()
    while True:
        ready, _, _ = select.select([0, *(member.process for member in members)], [], [], max(0, following - time.monotonic()))
        remove_gone(members, ready)
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                return
            *lines, commands = (commands + data).split(b"\n")
            for line in lines:
                obey(members, line.decode())
        if time.monotonic() >= following:
            look_at_all(members)
            following = max(following + INTERVAL, time.monotonic())


if __name__ == "__main__":
    sys.exit(main())
