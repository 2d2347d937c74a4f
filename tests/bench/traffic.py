"""What a seat's packets cost on their way, and what the fence costs everybody else."""

import json

from helpers.network import inside, seats_up
from helpers.seats import SEAT
from helpers.settings import SETTINGS, settings
from helpers.world import World
from programs import columns_of, program
from results import Goal

GROUP, FENCE_GROUP = "TCP, one connection", "packets of those who are not fenced"
GOAL = Goal(ratio=0.97, at_least=True)
TRACKING_GOAL = Goal(ratio=1.03)

BARE = """
for name in a b router c; do ip netns add bare-$name; done
connect() {  # a veth pair between two namespaces: SUBNET NAMESPACE NAMESPACE
    ip link add to-$3 netns bare-$2 type veth peer name to-$2 netns bare-$3
    ip -n bare-$2 address add 198.51.100.$1/30 dev to-$3; ip -n bare-$2 link set to-$3 up
    ip -n bare-$3 address add 198.51.100.$(($1 + 1))/30 dev to-$2; ip -n bare-$3 link set to-$2 up
}
connect 1 a b; connect 5 a router; connect 9 router c
ip netns exec bare-router sysctl -qw net.ipv4.ip_forward=1
ip -n bare-a route add 198.51.100.8/30 via 198.51.100.6
ip -n bare-c route add 198.51.100.4/30 via 198.51.100.9
# As on hosts without Docker; where it is on, everything that is bridged passes the firewall twice.
sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 || true
"""
REMOVE_BARE = "for name in a b router c; do ip netns del bare-$name; done"

# A router that does what a seat's host has to do, and nothing else: a bridge, connections and one masquerade.
TRACKING = """
for name in seat host world; do ip netns add bare-$name; done
ip link add bridge0 netns bare-host type bridge
ip link add to-seat netns bare-host type veth peer name to-host netns bare-seat
ip link add to-world netns bare-host type veth peer name to-host netns bare-world
ip -n bare-host address add 203.0.113.1/28 dev bridge0; ip -n bare-host address add 203.0.113.17/28 dev to-world
ip -n bare-host link set to-seat master bridge0
for link in to-seat to-world bridge0; do ip -n bare-host link set $link up; done
ip -n bare-seat address add 203.0.113.2/28 dev to-host; ip -n bare-seat link set to-host up
ip -n bare-seat route add default via 203.0.113.1
ip -n bare-world address add 203.0.113.18/28 dev to-host; ip -n bare-world link set to-host up
ip netns exec bare-host sysctl -qw net.ipv4.ip_forward=1
ip netns exec bare-host sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 || true
ip netns exec bare-host nft -f - <<end
table inet tracking {
    chain forward { type filter hook forward priority filter; ct state established,related accept; }
    chain postrouting { type nat hook postrouting priority srcnat; oifname "to-world" masquerade; }
}
end
"""
REMOVE_TRACKING = "for name in seat host world; do ip netns del bare-$name; done"
# Each takes a hundredth of a second.
STREAM_ROUNDS = 300


def bare(name):
    return ["ip", "netns", "exec", f"bare-{name}"]


def gigabits(guest, client, server, seconds):
    """TCP from one namespace to another: iperf3's server runs for one client and ends."""
    listener = guest.popen([*server[0], "iperf3", "--server", "--one-off"])
    guest.wait_until(lambda: guest.run([*server[0], "ss", "-Hltn", "sport = :5201"]).stdout, what="iperf3 listens")
    command = [*client, "iperf3", "--client", server[1], "--time", str(seconds), "--omit", "1", "--json"]
    report = json.loads(guest.run(command, timeout=60).stdout)
    listener.wait_output()
    return report["end"]["sum_received"]["bits_per_second"] / 1e9


def has_flowtable(guest):
    """The rules come back with one within a second or two, if the kernel has any."""
    return guest.run("i=0; until nft list table inet coursenet | grep -q flowtable; do sleep 0.1; i=$((i + 1)); test $i -lt 50 || exit; done",
                     check=False).returncode == 0


def measure_flowtable(guest, results, world, rounds, seconds):
    """The same way to the world while the seat's course has flowtable = yes."""
    with settings(guest, "[site]\nhost-ports = 5201\nflowtable = yes\n"):
        if not has_flowtable(guest):
            results.log("this kernel has no flowtable, so flowtable = yes is not measured")
            return
        found = {"world": [], "router": []}
        for _ in range(rounds):
            found["world"].append(gigabits(guest, inside(SEAT), (world.prefix(), world.web4), seconds))
            found["router"].append(gigabits(guest, bare("a"), (bare("c"), "198.51.100.10"), seconds))
        streams = stream_times(guest, world, rounds)
    results.add(GROUP, "seat to world, flowtable = yes", found["world"], unit="Gbit/s", against="a router without rules",
                floors=found["router"], goal=GOAL)
    results.add(GROUP, "processor time for 64 KiB to the world, flowtable = yes", streams[0], unit="us",
                against="a router without rules", floors=streams[1])


def stream_times(guest, world, rounds):
    """Of a seat, of a router without rules, and of one with bridge, connections and NAT: a column each."""
    return columns_of(
        guest, "stream-bench", STREAM_ROUNDS * rounds,
        f"/run/netns/ns{SEAT}", world.prefix()[1].removeprefix("--net="), world.web4,
        "/run/netns/bare-a", "/run/netns/bare-c", "198.51.100.10",
        "/run/netns/bare-seat", "/run/netns/bare-world", "203.0.113.18")


def measure_throughput(guest, results, rounds, seconds):
    """A seat to its gateway and to the world, alternating with bare namespaces."""
    with settings(guest, "[site]\nhost-ports = 5201\n"), World(guest) as world, seats_up(guest, SEAT):
        guest.run(BARE)
        ways = {
            "world": (inside(SEAT), (world.prefix(), world.web4)),
            "router": (bare("a"), (bare("c"), "198.51.100.10")),
            "gateway": (inside(SEAT), ([], "10.0.123.1")),
            "pair": (bare("a"), (bare("b"), "198.51.100.2")),
        }
        found = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                found[name].append(gigabits(guest, *way, seconds))
        guest.run(TRACKING)
        streams = stream_times(guest, world, rounds)
        measure_flowtable(guest, results, world, rounds, seconds)
        guest.run(REMOVE_TRACKING)
        guest.run(REMOVE_BARE)
    # ip has mounted it on itself; the mount is busy while a seat is up.
    guest.run("umount /run/netns")
    results.add(GROUP, "seat to world", found["world"], unit="Gbit/s", against="a router without rules", floors=found["router"], goal=GOAL)
    results.add(GROUP, "seat to world", found["world"], unit="Gbit/s", against="a bare veth pair", floors=found["pair"])
    what = "processor time for 64 KiB to the world"
    results.add(GROUP, what, streams[0], unit="us", against="a router without rules", floors=streams[1])
    results.add(GROUP, what, streams[0], unit="us", against="one with bridge, connections and NAT", floors=streams[2], goal=TRACKING_GOAL)
    results.add(GROUP, "seat to gateway", found["gateway"], unit="Gbit/s", against="a bare veth pair", floors=found["pair"])


# The students' uids, in one range as useradd gives them, or each by itself: a directory may number as it likes.
FENCES = {"2000 students, one range": range(50000, 52000), "2000 students, 2000 ranges": range(50000, 54000, 2)}
FENCE = "/run/coursenet/fence"
PACKETS_MS = 200


def set_fence(guest, uids):
    """The fence around these, or none. The watch is stopped meanwhile."""
    guest.write(SETTINGS, "" if uids else "[site]\nfence = no\n")
    guest.write("/run/uids", "".join(f"{uid}\n" for uid in uids))
    guest.run(f"rm -rf {FENCE} {FENCE}.uids; mkdir -m 700 {FENCE}; cd {FENCE} && xargs -r touch </run/uids; "
              "/usr/libexec/coursenet/coursenet-host fence local", timeout=60)


def measure_fence(guest, results, rounds):
    """With a fence around others and without any, alternately."""
    with settings(guest, ""), World(guest) as world, seats_up(guest, SEAT):
        guest.run("systemctl stop coursenet-network")
        ways = {"of root's": [], "of a seat's, forwarded": inside(SEAT)}
        for fence, uids in FENCES.items():
            rates = {(way, there): [] for way in ways for there in (False, True)}
            for number in range(rounds):
                for there in (False, True) if number % 2 else (True, False):
                    set_fence(guest, uids if there else ())
                    for way, prefix in ways.items():
                        command = [*prefix, program("packet-bench"), world.gateway4, str(PACKETS_MS)]
                        rates[way, there].append(int(guest.run(command).stdout) / 1000)
            for way in ways:
                results.add(FENCE_GROUP, f"{way}; {fence}", rates[way, True], unit="k/s", against="no fence", floors=rates[way, False])
    guest.run(f"rm -rf {FENCE} {FENCE}.uids; systemctl start coursenet-network")
