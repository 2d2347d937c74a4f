#!/usr/bin/env python3
"""Sends and watches raw frames: an attacker who is far stronger than a student. It runs in the guest, as root.

    raw-frames.py send LINK FRAME...    sends each; a FRAME is a KIND with what is to differ from the truth, as in
                                    udp4,src=10.0.123.99,text=spoofed
    raw-frames.py watch LINK TEXT       prints "watching", then what comes in at LINK, a line a frame, until one has the TEXT; fails if
                                    none has it for a minute
    raw-frames.py flood LINK COUNT      sends true datagrams, but each with a MAC of its own

KINDs and their words:
    udp4, udp6    src, dst, sport, dport, text: a datagram to everybody
    arp           op (1 asks, 2 answers), sha, spa, tpa
    ns, na        neighbour solicitation and advertisement: src, target, lladdr; na also solicited=1
    ra            router advertisement: src, lladdr
    redirect      src, target
    ether         proto, text: a frame of another protocol
    vxlan         src, dst, port, vni, inner: the frame within it, with semicolons in the place of commas
All have smac and dmac; udp6, ns, na, ra and redirect also hop=1, which hides them behind another header; and all vlan=ID, or
vlan=ID.ID for two tags.
"""

import fcntl
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import time

EVERYBODY = "ff:ff:ff:ff:ff:ff"
EVERYBODY4 = "255.255.255.255"
ALL_NODES = "ff02::1"
ETHER = {"ip": 0x0800, "arp": 0x0806, "vlan": 0x8100, "ip6": 0x86dd, "outer": 0x88a8}
UDP, ICMP6, DESTINATION_OPTIONS = 17, 58, 60
PORT = 4242
ICMP6_TYPES = {"ra": 134, "ns": 135, "na": 136, "redirect": 137}
ICMP6_NAMES = {number: name for name, number in ICMP6_TYPES.items()}
VXLAN_PORT = 4789
OUTGOING = 4
SIOCGIFHWADDR = 0x8927
SO_RCVBUFFORCE = 33
BUFFER = 8 << 20
WATCH_SECONDS = 60


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(raw):
    return raw.hex(":")


def ip(text):
    return ipaddress.ip_address(text).packed


def checksum(raw):
    raw += b"\0" * (len(raw) % 2)
    total = sum(struct.unpack(f"!{len(raw) // 2}H", raw))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


class Link:
    """A link of the namespace that this runs in, with the addresses that are truly its own."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((name, 0))
        self.mac = mac_text(fcntl.ioctl(self.socket, SIOCGIFHWADDR, struct.pack("16s16x", name.encode()))[18:24])
        shown = json.loads(subprocess.run(["ip", "-json", "address", "show", "dev", name], check=True,
                                          capture_output=True).stdout)
        addresses = [entry for entry in shown[0]["addr_info"] if "local" in entry]
        self.ip4 = self.first(addresses, "inet", "global")
        self.ip6 = self.first(addresses, "inet6", "global")
        self.link_local = self.first(addresses, "inet6", "link")

    @staticmethod
    def first(addresses, family, scope):
        return next((entry["local"] for entry in addresses if (entry["family"], entry["scope"]) == (family, scope)), None)


# Building


def build(link, text):
    kind, *pairs = text.split(",")
    words = dict(pair.split("=", 1) for pair in pairs)
    proto, payload, group = BUILDERS[kind](link, kind, words)
    head = mac(words.get("dmac", group)) + mac(words.get("smac", link.mac))
    tags = words["vlan"].split(".") if "vlan" in words else []
    for number, tag in enumerate(tags):
        head += struct.pack("!HH", ETHER["vlan" if number == len(tags) - 1 else "outer"], int(tag))
    return (head + struct.pack("!H", proto) + payload).ljust(60, b"\0")


def datagram_of(words, data):
    return struct.pack("!HHHH", int(words.get("sport", PORT)), int(words.get("dport", PORT)), 8 + len(data), 0) + data


def packet4(source, target, datagram):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, UDP, 0) + ip(source) + ip(target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + datagram


def build_udp4(link, _kind, words):
    datagram = datagram_of(words, words.get("text", "").encode())
    return ETHER["ip"], packet4(words.get("src", link.ip4), words.get("dst", EVERYBODY4), datagram), EVERYBODY


def build_udp6(link, _kind, words):
    source, target = words.get("src", link.ip6), words.get("dst", ALL_NODES)
    return packet6(words, source, target, UDP, datagram_of(words, words.get("text", "").encode()), 6)


def build_vxlan(link, _kind, words):
    inner = build(link, words["inner"].replace(";", ","))
    data = struct.pack("!II", 1 << 27, int(words["vni"]) << 8) + inner
    datagram = datagram_of({"dport": words.get("port", VXLAN_PORT)}, data)
    return ETHER["ip"], packet4(words.get("src", link.ip4), words["dst"], datagram), EVERYBODY


def build_icmp6(link, kind, words):
    lladdr = words.get("lladdr", link.mac)
    target = ip(words.get("target", link.ip6))
    source = words.get("src", link.link_local)
    if kind == "ra":
        # Hop limit 64, and a router for half an hour.
        body = struct.pack("!BBHII", 64, 0, 1800, 0, 0) + struct.pack("!BB", 1, 1) + mac(lladdr)
    elif kind == "redirect":
        body = bytes(4) + target + ip(link.link_local)
    elif kind == "na":
        body = struct.pack("!I", 0x60000000 if "solicited" in words else 0x20000000) + target + struct.pack("!BB", 2, 1) + mac(lladdr)
    else:
        body = bytes(4) + target + struct.pack("!BB", 1, 1) + mac(lladdr)
    message = struct.pack("!BBH", ICMP6_TYPES[kind], 0, 0) + body
    return packet6(words, source, words.get("dst", ALL_NODES), ICMP6, message, 2)


def packet6(words, source, target, proto, message, checksum_at):
    pseudo = ip(source) + ip(target) + struct.pack("!II", len(message), proto)
    message = message[:checksum_at] + struct.pack("!H", checksum(pseudo + message)) + message[checksum_at + 2:]
    if "hop" in words:
        message = struct.pack("!BB", proto, 0) + b"\1\4\0\0\0\0" + message
        proto = DESTINATION_OPTIONS
    head = struct.pack("!IHBB", 0x60000000, len(message), proto, 255) + ip(source) + ip(target)
    return ETHER["ip6"], head + message, "33:33:00:00:00:01"


def build_arp(link, _kind, words):
    sender = mac(words.get("sha", link.mac)) + ip(words.get("spa", link.ip4))
    target = bytes(6) + ip(words.get("tpa", link.ip4))
    return ETHER["arp"], struct.pack("!HHBBH", 1, ETHER["ip"], 6, 4, int(words.get("op", 1))) + sender + target, EVERYBODY


def build_ether(_link, _kind, words):
    return int(words.get("proto", "0x88b5"), 16), words.get("text", "").encode(), EVERYBODY


BUILDERS = {"udp4": build_udp4, "udp6": build_udp6, "vxlan": build_vxlan, "arp": build_arp, "ether": build_ether,
            "ra": build_icmp6, "ns": build_icmp6, "na": build_icmp6, "redirect": build_icmp6}


# Reading


def describe(frame):
    proto = struct.unpack("!H", frame[12:14])[0]
    payload = frame[14:]
    tag = ""
    if proto == ETHER["vlan"]:
        tag, proto, payload = "vlan ", struct.unpack("!H", payload[2:4])[0], payload[4:]
    return f"{mac_text(frame[6:12])} > {mac_text(frame[:6])} {tag}{describe_payload(proto, payload)}"


def describe_payload(proto, payload):
    try:
        if proto == ETHER["ip"]:
            at = (payload[0] & 15) * 4
            ends = f"{ipaddress.ip_address(payload[12:16])} > {ipaddress.ip_address(payload[16:20])}"
            return f"ip {ends} " + describe_upper(payload[9], payload[at:])
        if proto == ETHER["ip6"]:
            ends = f"{ipaddress.ip_address(payload[8:24])} > {ipaddress.ip_address(payload[24:40])}"
            upper, rest = payload[6], payload[40:]
            if upper == DESTINATION_OPTIONS:
                upper, rest = rest[0], rest[8:]
            return f"ip6 {ends} " + describe_upper(upper, rest)
        if proto == ETHER["arp"]:
            return (f"arp {payload[7]} {mac_text(payload[8:14])} {ipaddress.ip_address(payload[14:18])} "
                    f"asks {ipaddress.ip_address(payload[24:28])}")
    except (IndexError, ValueError):
        return "a broken packet"
    return f"{proto:#06x} {printable(payload)}"


def describe_upper(proto, payload):
    if proto == UDP:
        return f"udp {printable(payload[8:])}"
    if proto == ICMP6 and payload[0] in ICMP6_NAMES:
        target = f" {ipaddress.ip_address(payload[8:24])}" if payload[0] != ICMP6_TYPES["ra"] else ""
        return ICMP6_NAMES[payload[0]] + target
    return f"protocol {proto}"


def printable(payload):
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in payload.rstrip(b"\0"))


def watch(link, last):
    link.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    print("watching", flush=True)
    deadline = time.monotonic() + WATCH_SECONDS
    while True:
        link.socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            frame, address = link.socket.recvfrom(65535)
        except TimeoutError:
            sys.exit(f"no frame with the text {last!r} came in {WATCH_SECONDS} s")
        if address[2] == OUTGOING:
            continue
        line = describe(frame)
        print(line, flush=True)
        if last in line:
            return


def main():
    action, name, *words = sys.argv[1:]
    link = Link(name)
    if action == "send":
        for text in words:
            link.socket.send(build(link, text))
    elif action == "watch":
        watch(link, *words)
    elif action == "flood":
        for number in range(int(words[0])):
            link.socket.send(build(link, f"udp4,src={link.ip4 or '0.0.0.0'},smac={mac_text(struct.pack('!HI', 0x0200, number))}"))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
