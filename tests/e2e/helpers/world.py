"""What is behind a guest's uplink: a network of its own with a router, a name server and a web server.

A world is a few transient units in the guest, held together by one with a private network namespace, and a veth pair
into it. Nothing of it is in /run/netns, so it is no leftover of a seat. The guest has an address of the world on its end
of the pair, and may have its default routes there. stop() leaves the guest as it was.

    with World(guest) as world, resolver(guest, "plain"):
        guest.run(fetch(world.web4))        # says which address the web server saw
"""

import contextlib

from harness.product import SOURCE

NAME = "www.example"


class World:
    """The uplink up0, 192.0.2.0/24 and 2001:db8:1::/64; other numbers make others beside it, see OTHER and LAN."""

    def __init__(self, guest, number=1, net4="192.0.2", uplink="up0", default_route=True):
        self.guest = guest
        self.unit = f"world{number}"
        self.uplink = uplink
        self.net4, self.net6 = net4, f"2001:db8:{number}::"
        self.default_route = default_route
        self.host4, self.host6 = self.address(2)
        self.gateway4, self.gateway6 = self.address(1)
        self.dns4, self.dns6 = self.address(53)
        self.web4, self.web6 = self.address(80)

    def address(self, number):
        """Both addresses of a host of the world."""
        return f"{self.net4}.{number}", f"{self.net6}{number}"

    def start(self):
        """Makes the world, if it is not there; the servers answer when this returns."""
        addresses = [address for number in (1, 53, 80) for address in self.address(number)]
        self.guest.run(["sh", "-c", START, "sh", self.unit, self.uplink, self.host4, self.host6, self.gateway4, self.gateway6,
                        "yes" if self.default_route else "no", *addresses])
        return self

    def stop(self):
        """Takes all of it away: the veth pair goes with the namespace, and the routes go with the pair."""
        self.guest.run(f"""
            systemctl stop {self.unit}-dns {self.unit}-web {self.unit} 2>/dev/null
            ip link delete {self.uplink} 2>/dev/null
            systemctl reset-failed '{self.unit}*' 2>/dev/null
            true""")

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def run(self, command, **options):
        """Runs a command (a list, or a line for sh) in the world."""
        inside = ["sh", "-c", command] if isinstance(command, str) else command
        return self.guest.run([*self.prefix(), *inside], **options)

    def popen(self, command, **options):
        inside = ["sh", "-c", command] if isinstance(command, str) else command
        return self.guest.popen([*self.prefix(), *inside], **options)

    def prefix(self):
        pid = self.guest.run(f"systemctl show --value -p MainPID {self.unit}").stdout.strip()
        return ["nsenter", f"--net=/proc/{pid}/ns/net"]

    def route(self, *subnets):
        """Routes subnets back to the guest, as a campus router with routes to the courses does."""
        for subnet in subnets:
            self.run(["ip", "route", "replace", subnet, "via", self.host6 if ":" in subnet else self.host4])

    def become_default(self):
        """Moves the guest's default routes here, from wherever they are, as a DHCP client with another uplink does."""
        self.guest.run(f"""
            ip route replace default via {self.gateway4} dev {self.uplink}
            ip -6 route add default via {self.gateway6} dev {self.uplink} metric 100
            ip -6 route show default | grep -v 'dev {self.uplink} ' | while read -r route; do ip -6 route delete $route; done""")

    def asked(self):
        """What the world's name server was asked, and by whom."""
        return self.guest.journal(unit=f"{self.unit}-dns.service")


def other_world(guest):
    """A second uplink, up1, that the default routes can move to."""
    return World(guest, number=2, net4="198.51.100", uplink="up1", default_route=False)


def lan(guest):
    """A network of the guest that is no uplink and has nothing to do with the seats."""
    return World(guest, number=3, net4="203.0.113", uplink="lan0", default_route=False)


START = f"""
set -e
unit=$1 uplink=$2 host4=$3 host6=$4 gateway4=$5 gateway6=$6 default_route=$7
shift 7
systemctl is-active --quiet "$unit" && exit
ip link delete "$uplink" 2>/dev/null || true
# Only a started program is sure to be in its namespace.
transient="systemd-run --quiet --collect --service-type=exec"
$transient --unit="$unit" -p PrivateNetwork=yes sleep infinity
pid=$(systemctl show --value -p MainPID "$unit")
namespace=/proc/$pid/ns/net
ip link add "$uplink" type veth peer name w0 netns "$pid"
# Without this, a link that has just come up has no link-local address for a second.
echo 0 >"/proc/sys/net/ipv6/conf/$uplink/accept_dad"
nsenter --net="$namespace" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/w0/accept_dad'
addresses=$(for address; do
    case $address in
    *:*) echo "address add $address/64 dev w0 nodad" ;;
    *) echo "address add $address/24 dev w0" ;;
    esac
done)
nsenter --net="$namespace" ip -batch - <<EOF
link set lo up
link set w0 up
$addresses
EOF
ip -batch - <<EOF
link set $uplink up
address add $host4/24 dev $uplink
address add $host6/64 dev $uplink nodad
EOF
if [ "$default_route" = yes ]; then
    ip route add default via "$gateway4" dev "$uplink"
    ip route add default via "$gateway6" dev "$uplink"
fi
$transient --unit="$unit-web" -p NetworkNamespacePath="$namespace" python3 -B {SOURCE}/tests/e2e/in_guest/web-server.py
$transient --unit="$unit-dns" -p NetworkNamespacePath="$namespace" dnsmasq --keep-in-foreground --conf-file=/dev/null \\
    --user=root --pid-file= --no-resolv --no-hosts --log-queries --log-facility=- --bind-interfaces \\
    --listen-address="$3" --listen-address="$4" --host-record="{NAME},$5,$6" --address=/#/
for port in 53 80; do
    until nsenter --net="$namespace" ss -Hltn "sport = :$port" | grep -q LISTEN; do
        systemctl is-active --quiet "$unit-dns" "$unit-web" || exit
        sleep 0.02
    done
done
"""


def fetch(host):
    """A command line that prints what a web server says: the address that it saw. It works in a busybox image too."""
    return rf"printf 'GET /\n\n' | nc -w 5 {host} 80"


# How the host itself finds names


@contextlib.contextmanager
def resolver(guest, kind, servers=("192.0.2.53",)):
    """The host resolves names like this, as long as the `with` lasts: plain, dnsmasq on 127.0.0.1, or systemd-resolved.

    "resolved" has libnss-resolve in nsswitch.conf, "resolved-stub" only the stub at 127.0.0.53.
    """
    start, stop = RESOLVERS[kind]
    guest.run("cp /etc/nsswitch.conf /run/nsswitch.conf.before")
    try:
        guest.run(["sh", "-ec", start, "sh", *servers])
        yield
    finally:
        guest.run(f"""
            {stop}
            cat /run/nsswitch.conf.before >/etc/nsswitch.conf
            rm -f /etc/resolv.conf; : >/etc/resolv.conf""")


START_RESOLVED = """
sed -i "s/^hosts:.*/hosts: $nss/" /etc/nsswitch.conf
mkdir -p /run/systemd/resolved.conf.d
printf '[Resolve]\\nDNS=%s\\nDNSSEC=no\\nLLMNR=no\\nMulticastDNS=no\\n' "$*" >/run/systemd/resolved.conf.d/world.conf
systemctl start systemd-resolved
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
"""
STOP_RESOLVED = "systemctl stop systemd-resolved; rm -r /run/systemd/resolved.conf.d"

RESOLVERS = {
    "plain": (r"""
        printf 'nameserver %s\n' "$@" >/etc/resolv.conf""", ""),
    "dnsmasq": (r"""
        servers=$(printf -- '--server=%s ' "$@")
        systemd-run --quiet --collect --service-type=forking --unit=host-dnsmasq dnsmasq --conf-file=/dev/null --user=root \
            --pid-file= --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 $servers
        echo 'nameserver 127.0.0.1' >/etc/resolv.conf""", "systemctl stop host-dnsmasq"),
    "resolved": ("nss='files resolve [!UNAVAIL=return] dns'" + START_RESOLVED, STOP_RESOLVED),
    "resolved-stub": ("nss='files dns'" + START_RESOLVED, STOP_RESOLVED),
}
