"""The firewall: who reaches whom, what cannot be forged, what the rules survive, and what check says of them."""

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in, expect_status, skip
from helpers import frames
from helpers.leases import leases
from helpers.network import (COURSES_TABLE, FAR_GATEWAY, FENCE_TABLE, GATEWAY, SEATS_TABLE, Greeter, address6,
                             expect_out, expect_soon_same, in_seat, inside, reaches, saw, seat_address6, seats_up,
                             soon)
from helpers.seats import (ADDRESS, FAR_ADDRESS, FAR_SEAT, SEAT, SECOND_ADDRESS, SECOND_SEAT, STUDENT, is_active,
                           set_up_class, wait_gone)
from helpers.settings import SETTINGS, with_settings
from helpers.world import World, resolver


def attempts(guest, seat, address):
    """Every way to reach a seat."""
    return [f"{to} {port}" for to in (address, seat_address6(guest, seat)) for port in ("7000", "ping")]


def expect_isolation(guest, within, between):
    """Two seats of course 123 and one of 377 are up: whether those of one course and those of two reach each other."""
    for seat in (SEAT, SECOND_SEAT, FAR_SEAT):
        Greeter(guest, inside(seat), 7000)
    fellow, far = attempts(guest, SECOND_SEAT, SECOND_ADDRESS), attempts(guest, FAR_SEAT, FAR_ADDRESS)
    reached = reaches(guest, inside(SEAT), *fellow, *far)
    expect_equal(reached, (fellow if within else []) + (far if between else []), "what a seat reaches")
    own = attempts(guest, SEAT, ADDRESS)
    expect_equal(reaches(guest, inside(FAR_SEAT), *own), own if between else [], "what a seat of the other course reaches")
    expect_equal(reaches(guest, inside(SEAT), f"{GATEWAY} ping"), [f"{GATEWAY} ping"], "the gateway")


@case("students of a course reach each other, and nobody of another course, over IPv4 and IPv6", suites=ONE_SUITE)
def isolation_of_courses(guest):
    with seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        expect_isolation(guest, within=True, between=False)
        # Refused with an answer, so that nobody waits for a timeout.
        for address in (FAR_ADDRESS, seat_address6(guest, FAR_SEAT)):
            refused = in_seat(guest, SEAT, f"nc -v -w 5 {address} 7000", check=False)
            expect_not_in("timed out", refused.stderr, "the refusal")


@case("students of a course reach each other also without br_netfilter, which passes the bridge's packets to the firewall", suites=ONE_SUITE)
def isolation_without_bridge_netfilter(guest):
    settings = "net.bridge.bridge-nf-call-iptables={0} net.bridge.bridge-nf-call-ip6tables={0}"
    if guest.run("sysctl net.bridge.bridge-nf-call-iptables", check=False).stdout.split()[-1:] != ["1"]:
        skip("this host has no br_netfilter")
    guest.run(f"sysctl -q {settings.format(0)}")
    try:
        with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
            expect_isolation(guest, within=True, between=False)
            expect_out(guest, world, SEAT, FAR_SEAT)
    finally:
        guest.run(f"sysctl -q {settings.format(1)}")


@case("with isolation = seat no student reaches another, and all reach the internet", suites=ONE_SUITE)
@with_settings("[course 123]\nisolation = seat\n")
def isolation_of_seats(guest):
    with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        expect_isolation(guest, within=False, between=False)
        expect_out(guest, world, SEAT, SECOND_SEAT)


@case("courses with isolation = none reach each other", suites=ONE_SUITE)
@with_settings("[site]\nisolation = none\n")
def no_isolation(guest):
    with seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        expect_isolation(guest, within=True, between=True)


@case("one course with isolation = none is not open to another that is isolated", suites=ONE_SUITE)
@with_settings("[course 377]\nisolation = none\n")
def one_sided(guest):
    with seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        expect_isolation(guest, within=True, between=False)


# The host


def addresses_of_host(guest, world):
    """All that the host has, as a seat of course 123 sees it."""
    link_local = guest.run("ip -6 -br address show dev br-123 scope link").stdout.split()[2].split("/")[0]
    return [GATEWAY, address6(guest, "br-123"), FAR_GATEWAY, address6(guest, "br-377"), world.host4, world.host6,
            f"{link_local}%vr-{SEAT}"]


@case("a seat reaches ping and the name service at its gateway, and no other port of the host at any address", suites=ONE_SUITE)
def reach_of_host(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT, FAR_SEAT):
        addresses = addresses_of_host(guest, world)
        pings = [f"{address} ping" for address in addresses[:2]]
        sshd = [f"{address} 22" for address in addresses]
        expect_equal(reaches(guest, inside(SEAT), *pings, *sshd), pings, "what a seat reaches")
        for gateway in addresses[:2]:
            for option in ("+notcp", "+tcp"):
                answer = in_seat(guest, SEAT, f"dig +short +tries=1 +time=3 {option} @{gateway} www.example A").stdout
                expect_equal(answer.strip(), world.web4, f"the answer of {gateway} with {option}")
        expect_equal(reaches(guest, [], "127.0.0.1 22"), ["127.0.0.1 22"], "the host's own sshd, from the host")


@case("host-ports opens a port at the gateway, and *:PORT at every address of the host", suites=ONE_SUITE)
@with_settings("[course 123]\nhost-ports = 8080/tcp *:8081\n")
def host_ports(guest):
    with World(guest) as world, seats_up(guest, SEAT, FAR_SEAT):
        for port in (8080, 8081, 8082):
            Greeter(guest, [], port)
        addresses = addresses_of_host(guest, world)[:-1]
        everything = [f"{address} {port}" for address in addresses for port in (8080, 8081, 8082)]
        at_gateway = [f"{address} 8080" for address in addresses[:2]]
        wanted = [each for each in everything if each.endswith(" 8081") or each in at_gateway]
        expect_equal(reaches(guest, inside(SEAT), *everything), wanted, "what a seat reaches")
        expect_equal(reaches(guest, inside(FAR_SEAT), *everything), [], "what a seat of a course without the setting reaches")


@case("a port may be opened for one protocol only, and changes while seats are up", suites=ONE_SUITE)
@with_settings("[site]\nhost-ports = 8082/udp\n")
def host_ports_change(guest):
    with seats_up(guest, SEAT):
        Greeter(guest, [], 8082)
        guest.popen(["socat", "UDP6-RECVFROM:8082,ipv6only=0,fork", "EXEC:cat"])
        guest.wait_until("ss -Hlun sport = :8082 | grep -q UNCONN")
        echoed = in_seat(guest, SEAT, f"echo hello | socat -t 2 - UDP:{GATEWAY}:8082,shut-none", check=False).stdout
        expect_equal(echoed.strip(), "hello", "what comes back over UDP")
        expect_equal(reaches(guest, inside(SEAT), f"{GATEWAY} 8082"), [], "what a seat reaches over TCP")
        guest.write(SETTINGS, "[site]\nhost-ports = 8082\n")
        soon(guest, lambda: reaches(guest, inside(SEAT), f"{GATEWAY} 8082"), "the change of the settings counts")


# Forgeries

FORGED = (
    "udp4,smac=02:00:00:00:00:99", "udp4,smac=02:63:0a:00:7b:01", f"udp4,src={GATEWAY}", f"udp4,src={SECOND_ADDRESS}", "udp4,src=8.8.8.8",
    f"udp4,vlan=7,src={SECOND_ADDRESS}",
    f"arp,op=2,spa={GATEWAY}", f"arp,op=1,spa={GATEWAY}", f"arp,op=2,spa={SECOND_ADDRESS}", "arp,op=2,sha=02:00:00:00:00:99",
    f"arp,op=2,spa={GATEWAY},tpa={GATEWAY}", f"arp,op=2,vlan=7,spa={GATEWAY}",
    "udp6,smac=02:00:00:00:00:99", "udp6,src={second6}", "udp6,src={gateway6}", "udp6,src=2001:db8::99", "udp6,src=fe80::99",
    "udp6,src={second6},vlan=7",
    "ra", "ra,hop=1", "ra,src={gateway_local}", "ra,vlan=7", "redirect,target={second6}", "redirect,hop=1,target={second6}",
    "na,target={gateway6}", "na,target={second6}", "na,target={gateway_local}", "na,hop=1,target={gateway6}",
    "na,src={second6},target={second6}", "ns,src={second6},target={gateway6}", "ether,proto=0x88b5", "ether,proto=0x88cc",
)
TRUE = ("udp4", "udp6", "arp,op=1,tpa=10.0.123.1", "arp,op=2", "ns,target={second6}", "na")


@case("no forged frame leaves a seat: no foreign MAC, IPv4 or IPv6 address, no ARP or neighbour answer for another, no "
      "router advertisement", suites=ONE_SUITE)
def no_forgery(guest):
    with seats_up(guest, SEAT, SECOND_SEAT):
        names = {"second6": seat_address6(guest, SECOND_SEAT), "gateway6": address6(guest, "br-123"),
                 "gateway_local": guest.run("ip -6 -br address show dev br-123 scope link").stdout.split()[2].split("/")[0]}
        own = guest.run(f"ip netns exec ns{SEAT} cat /sys/class/net/vr-{SEAT}/address").stdout.strip()
        watchers = (frames.watch(guest, inside(SECOND_SEAT), f"vr-{SECOND_SEAT}", "the last"),
                    frames.watch(guest, [], "br-123", "the last"))
        # A frame that got through is recognized by its text, or by its forged field.
        marked = [f"{frame},text=forged" for frame in FORGED]
        sent = [frame.format(**names) for frame in (*marked, *TRUE, "udp4,text=the last")]
        frames.send(guest, inside(SEAT), f"vr-{SEAT}", *sent)
        true = (f"{own} > ff:ff:ff:ff:ff:ff ip {ADDRESS} > 255.255.255.255 udp ",
                f"{own} > 33:33:00:00:00:01 ip6 {seat_address6(guest, SEAT)} > ff02::1 udp ",
                f"arp 1 {own} {ADDRESS} asks {GATEWAY}", f"arp 2 {own} {ADDRESS} asks {ADDRESS}",
                f"ns {names['second6']}", f"na {seat_address6(guest, SEAT)}", "udp the last")
        for watcher in watchers:
            seen = [line for line in watcher.wait_output().stdout.splitlines() if not noise(line)]
            expect_equal(len(seen), len(true), "the number of frames that came through, which are:\n" + "\n".join(seen) + "\n")
            for line, part in zip(seen, true):
                expect_in(part, line, "a frame that came through")


def noise(line):
    """What kernels say by themselves: memberships of multicast groups, and neighbour discovery between true neighbours."""
    return any(part in line for part in ("protocol 0", "protocol 2", "protocol 58", "33:33:ff"))


@case("no forged frame leaves a seat after a flush of the ruleset, nor a seat that comes up later")
def no_forgery_later(guest):
    with seats_up(guest, SEAT):
        guest.run("nft flush ruleset")
        guest.wait_until(f"nft list chain {SEATS_TABLE} vl-{SEAT}")
        with seats_up_beside(guest, SECOND_SEAT):
            for sender, receiver in ((SEAT, SECOND_SEAT), (SECOND_SEAT, SEAT)):
                watcher = frames.watch(guest, inside(receiver), f"vr-{receiver}", "the last")
                frames.send(guest, inside(sender), f"vr-{sender}", "udp4,src=10.0.123.99,text=forged", f"arp,op=2,spa={GATEWAY}",
                            "udp4,text=the last")
                seen = watcher.wait_output().stdout
                expect_not_in("forged", seen, "what was seen")
                expect_not_in("arp 2", seen, "what was seen")


class seats_up_beside:  # pylint: disable=invalid-name
    """Like seats_up(), within another: not everything is gone afterwards."""

    def __init__(self, guest, target):
        self.guest, self.target = guest, target

    def __enter__(self):
        self.guest.run(["coursenetctl", "start", self.target])

    def __exit__(self, *_):
        self.guest.run(["coursenetctl", "stop", self.target])
        self.guest.wait_until(lambda: self.guest.run(f"ip link show vl-{self.target}", check=False).returncode != 0)


# Survival

# nft lists tables in the order in which they were made, so each is listed by itself.
RULES = (f"nft -s list table {COURSES_TABLE}; for digit in 0 1 2 3 4 5 6 7 8 9; do nft -s list table netdev coursenet_$digit; done; "
         f"nft -s list table {FENCE_TABLE}")
# Runs a command; says after how many milliseconds from its end all our rules are there, if they are within so many seconds.
TIME_REPAIR = f"""
sh -c "$1" >&2 || exit
start=$(date +%s%N)
until nft list table {COURSES_TABLE} && nft list chain {SEATS_TABLE} vl-{SEAT} && nft list table {FENCE_TABLE}; do
    [ $(($(date +%s%N) - start)) -lt $2000000000 ] || exit 0
    sleep 0.005
done >/dev/null 2>&1
echo $((($(date +%s%N) - start) / 1000000))
"""


def time_repair(guest, command, within=20):
    """Runs a command and says how soon the rules are back."""
    took = guest.run(["sh", "-c", TIME_REPAIR, "sh", command, str(within)], timeout=within + 60).stdout.strip()
    expect(took, f"the rules are not back {within} s after `{command}`; there is:\n{guest.run('nft list ruleset').stdout}")
    guest.log(f"{guest.suite}: {took} ms after `{command}` the rules are back")


def expect_survived(guest, world, *commands, within=20):
    """After each of the commands the rules are soon what they were before; prints how soon."""
    before = guest.run(RULES).stdout
    for command in commands:
        time_repair(guest, command, within)
        expect_soon_same(guest, RULES, before, f"what `{command}` brought about")
        expect_out(guest, world, SEAT)


@case("the rules come back at once after nft flush ruleset, a deleted table or chain, and a start or restart of nftables")
def survives_nft(guest):
    with World(guest) as world, seats_up(guest, SEAT, FAR_SEAT):
        try:
            expect_survived(guest, world, "nft flush ruleset", f"nft delete table {COURSES_TABLE}",
                            f"nft delete table {SEATS_TABLE}", f"nft flush chain {SEATS_TABLE} vl-{SEAT}",
                            f"nft delete table {FENCE_TABLE}", f"nft flush table {COURSES_TABLE}",
                            "systemctl start nftables", "systemctl restart nftables", "systemctl stop nftables")
        finally:
            guest.run("systemctl stop nftables")


@case("a connection to the world survives a flush of the ruleset", suites=ONE_SUITE)
def connection_survives(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        world.popen(["socat", "TCP-LISTEN:9000,fork,reuseaddr", "EXEC:cat"])
        guest.wait_until(lambda: world.run("ss -Hltn sport = :9000 | grep -q LISTEN", check=False).returncode == 0)
        client = guest.popen([*inside(SEAT), "socat", "-t", "10", "-", f"TCP:{world.web4}:9000"])
        client.stdin.write("before\n")
        client.stdin.flush()
        expect_equal(client.stdout.readline(), "before\n", "the answer")
        time_repair(guest, "nft flush ruleset")
        expect_equal(client.exchange("after\n", 20).stdout, "after\n", "the answer after the flush")


@case("the rules come back while the ruleset is flushed repeatedly, and the watch is idle afterwards", suites=ONE_SUITE)
def survives_storm(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        # After three seconds of flushes the watch assumes another program that fights it, and pauses for half a minute.
        expect_survived(guest, world, "for i in $(seq 50); do nft flush ruleset; done", within=60)
        guest.run("systemctl is-active coursenet-network")
        guest.wait_until(lambda: busy_ms(guest, "coursenet-network") < 100, what="the watch is quiet again")


def busy_ms(guest, unit):
    """How many milliseconds a unit computes in a second."""
    usage = f"systemctl show -p CPUUsageNSec --value {unit}"
    before, after = guest.run(f"{usage}; sleep 1; {usage}").stdout.split()
    return (int(after) - int(before)) / 1e6


def advice_of(guest, maker):
    """The commands at the end of what check says of another's firewall."""
    lines = [line for line in check(guest).splitlines() if maker in line]
    expect(lines, f"check says nothing of {maker}:\n{check(guest)}")
    guest.log(f"{guest.suite}: check says: {lines[0]}")
    return lines[0].rsplit(": ", 1)[1]


@case("the rules survive firewalld's start, reload and stop; what check advises to do with it helps", suites=("trixie",))
def survives_firewalld(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        before = guest.run(RULES).stdout
        try:
            for command in ("systemctl start firewalld", "firewall-cmd --reload", "firewall-cmd --complete-reload"):
                time_repair(guest, command)
                expect_soon_same(guest, RULES, before, f"what `{command}` brought about")
            expect_equal(saw(guest, SEAT, world.web4), "", "whom the web server saw, with a firewalld that knows nothing")
            advice = advice_of(guest, "firewalld")
            guest.run(advice)
            expect_out(guest, world, SEAT)
            expect_not_in("firewalld", check(guest), "what check says after its advice was followed")
        finally:
            guest.run("systemctl stop firewalld; rm -rf /etc/firewalld/zones/trusted.xml*; systemctl reset-failed", check=False)
        expect_survived(guest, world, "true")


@case("after a kill or a restart the watch repairs what changed meanwhile", suites=ONE_SUITE)
def watch_restarts(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        expect_survived(guest, world, "systemctl kill --signal=KILL coursenet-network; nft flush ruleset",
                        "systemctl stop coursenet-network; nft flush ruleset; systemctl start coursenet-network",
                        "systemctl restart coursenet-network")


@case("a bridge whose address was removed stays closed, also when other rules are applied later", suites=ONE_SUITE)
def bridge_without_address(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        gateway6 = address6(guest, "br-123")
        # What the watch does after a restart, but done when this returns.
        guest.run("ip address del 10.0.123.1/24 dev br-123; /usr/libexec/coursenet/coursenet-host refresh courses", check=False)
        expect_in(f"table {COURSES_TABLE}\n", guest.run("nft list tables").stdout, "the tables")
        with seats_up_beside(guest, FAR_SEAT):
            far6 = seat_address6(guest, FAR_SEAT)
            open_to = reaches(guest, inside(SEAT), f"{gateway6} 22", f"{world.host6} 22", f"{far6} ping")
            expect_equal(open_to, [], "what the seat reaches over IPv6")
        guest.wait_until("! ip link show br-377")
        expect_in(f"table {COURSES_TABLE}\n", guest.run("nft list tables").stdout, "the tables, when the other course has gone")


FOREIGN = """
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		iifname "docker0" accept
	}
}
"""


@case("another program's tables are never touched, and check says what one that drops needs")
def foreign_table(guest):
    set_up_class(guest)
    guest.run("nft -f -", input=FOREIGN)
    before = guest.run("nft list table ip filter").stdout
    try:
        with World(guest) as world, seats_up(guest, SEAT):
            expect_equal(saw(guest, SEAT, world.web4), "", "whom the web server saw")
            said = check(guest)
            line = next((line for line in said.splitlines() if "filter" in line and "FORWARD" in line), None)
            expect(line, f"check says nothing of the other table:\n{said}")
            guest.log(f"{guest.suite}: check says: {line}")
            for match in ("iifname", "oifname"):
                guest.run(f"nft insert rule ip filter FORWARD {match} 'br-*' accept")
            expect_out(guest, world, SEAT)
            expect_not_in("FORWARD", check(guest), "what check says, then")
            guest.run("nft flush chain ip filter FORWARD; nft add rule ip filter FORWARD iifname docker0 accept")
        expect_equal(guest.run("nft list table ip filter").stdout, before, "the other table, afterwards")
    finally:
        guest.run("nft delete table ip filter")


# What check sees


def check(guest):
    """What coursenetctl check says."""
    checked = guest.run("coursenetctl check", check=False)
    return checked.stdout + checked.stderr


SEAT_CHAIN = f"{SEATS_TABLE} vl-{SEAT}"
# What is damaged, how, and the words of the line in which check must say so; each list at once.
DAMAGES = ((
    ("a rule of the courses",
     f"handle=$(nft -a list chain {COURSES_TABLE} forward | sed -n 's/.* # handle //p' | tail -n 1); "
     f"nft delete rule {COURSES_TABLE} forward handle $handle", (COURSES_TABLE, "forward")),
    ("the rules of a seat", f"nft flush chain {SEAT_CHAIN}", (f"vl-{SEAT}", "filter")),
    ("the fence", f"nft delete table {FENCE_TABLE}", (FENCE_TABLE,)),
    ("a seat's address", f"ip -n ns{SEAT} address add 10.0.123.99/24 dev vr-{SEAT}; "
     f"ip -n ns{SEAT} address del {ADDRESS}/24 dev vr-{SEAT}", (f"vr-{SEAT}", ADDRESS)),
    ("a seat's IPv6 address", f"ip -n ns{SEAT} -6 address flush dev vr-{SEAT} scope global", (f"vr-{SEAT}", "::10/64")),
    ("a seat's limit", f"tc qdisc del dev vl-{SEAT} root", (f"vl-{SEAT}", "is limited to 0")),
    ("a course's limit", "tc qdisc del dev br-123 root", ("br-123", "is limited to 0")),
), (
    ("the table of the courses", f"nft delete table {COURSES_TABLE}", (COURSES_TABLE, "no such table")),
    ("the chain of a seat", f"nft flush chain {SEAT_CHAIN}; nft delete chain {SEAT_CHAIN}", (f"vl-{SEAT}", "missing")),
), (
    ("a bridge's address", "ip address del 10.0.123.1/24 dev br-123", ("br-123", "10.0.123.1")),
))


@case("check reports each change that somebody made to links and rules while seats are up, and nothing else")
@with_settings("[course 123]\nrate = 100M\ncourse-rate = 200M\n")
def check_names_damage(guest):
    with World(guest), seats_up(guest, SEAT, SECOND_SEAT):
        expect_status(guest.run("coursenetctl check", check=False), 0, "check before any damage")
        for damages in DAMAGES:
            # It would repair what it can at once.
            guest.run("systemctl stop coursenet-network")
            try:
                guest.run("\n".join(command for _, command, _ in damages))
                said = check(guest)
            finally:
                guest.run("systemctl start coursenet-network")
            for what, _, words in damages:
                expect(any(all(word in line for word in words) for line in said.splitlines()),
                       f"check says nothing of {what}; what it says is:\n{said}")
            expect_not_in(SECOND_SEAT, said, "what check says of a seat that is as it should be")
        guest.wait_until(f"nft list chain {SEAT_CHAIN}")
        said = check(guest)
        expect_not_in("no such table", said, "what check says after the watch was started")


@case("check says which of Linux's limits the rosters go beyond", suites=ONE_SUITE)
@with_settings("[site]\nprefix = 20\n")
def limits(guest):
    roster = "/etc/coursenet/roster.d/400"
    guest.write(roster, "".join(f"student{number} {number}\n" for number in range(10, 1110)))
    try:
        expect_in("br-400: warning: has 1100 seats on the roster, but a Linux bridge has 1023 ports", check(guest),
                  "what check says")
    finally:
        guest.run(f"rm {roster}")


@case("when the firewall of a course cannot be set, logins are refused and the log says why; when it can be set again, "
      "logins work", suites=ONE_SUITE)
def no_firewall(guest):
    set_up_class(guest)
    library = guest.run("ldconfig -p | sed -n 's/.*libnftables.so.1 .*=> //p'").stdout.split()[0]
    before = guest.journal_position()
    # A worker that runs has the library in its memory already.
    guest.run(f"mount --bind /dev/null {library}; systemctl stop coursenet-worker.service")
    try:
        refused = guest.ssh(STUDENT, "echo in", check=False)
        expect_failure(refused, "a login without a firewall")
        expect_not_in("in\n", refused.stdout, "what the login said")
        expect_in("tell your course staff", refused.stdout + refused.stderr, "what the student is told")
        # Of the seat's unit, which waits for the bridge's, if that is on its second try.
        for line in ("the firewall cannot be set: ", "see: journalctl -b -u n"):
            expect_in(line, guest.journal(since=before), "the journal")
        guest.wait_until(lambda: not any(is_active(guest, f"{unit}.service") for unit in ("netns@12310", "netbr@123", "nsbr@12310")),
                         what="all units of the seat have gone")
        expect_equal(leases(guest), [], "the leases")
        expect_not_in("br-123", guest.run("ip -br link").stdout, "the links")
    finally:
        guest.run(f"umount {library}; systemctl restart coursenet-dns")  # dnsmasq may need that library, too
    expect_equal(guest.ssh(STUDENT, "echo in").stdout, "in\n", "what the next login says")
    wait_gone(guest)
