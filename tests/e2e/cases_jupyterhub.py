"""A real JupyterHub with the shipped configuration: its students' servers run in their seats, and go with them.

The hub is Debian's unit. A student is hub-browser.py, which speaks to it as a browser does.
"""

import contextlib
import os
import shlex

from case import case, expect, expect_equal, expect_in, expect_not_in
from product import SOURCE
from seats import (ADDRESS, FAR, FAR_ADDRESS, FAR_SEAT, PASSWORD, SEAT, STUDENT, leases, set_up_class, wait_gone)

SUITES = ("trixie",)
CONFIG = "/etc/jupyterhub/jupyterhub_config.py"
SHIPPED = "/usr/share/coursenet/jupyterhub"
BROWSER = f"{SOURCE}/tests/e2e/hub-browser.py"
UNIT = "jupyterhub.service"
ADDRESSES = "import subprocess; print(subprocess.run(['ip', '-br', 'addr'], capture_output=True, text=True).stdout)"


class Hub:
    """A running hub. Leaving the `with` stops it, with all its servers, and forgets what it knew."""

    def __init__(self, guest, config=""):
        set_up_class(guest)
        self.guest = guest
        guest.run(f"install -m 644 {SHIPPED}/pam.d/jupyterhub /etc/pam.d/jupyterhub")
        guest.write(CONFIG, f'c.Authenticator.allow_all = True\nload_subconfig("{SHIPPED}/jupyterhub_config.py")\n{config}')

    def __enter__(self):
        self.guest.run(["systemctl", "start", UNIT])
        self.wait_up()
        return self

    def __exit__(self, *_):
        self.guest.run(f"systemctl stop {UNIT}; systemctl kill --signal=KILL {UNIT}; systemctl reset-failed {UNIT}; "
                       "rm -rf /var/lib/jupyterhub/* /tmp/hub-browser-*", check=False)

    def wait_up(self):
        self.guest.wait_until(self.is_up, what="the hub answers", timeout=60)

    def is_up(self):
        script = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/hub/health')"
        return self.guest.run(["python3", "-c", script], check=False).returncode == 0

    def main_pid(self):
        return int(self.guest.run(f"systemctl show --value -p MainPID {UNIT}").stdout)

    def browse(self, user, *words):
        """What the browser says; it is somebody's on the host, and not root's alone."""
        return self.guest.run(["python3", "-B", BROWSER, user, *words], timeout=90).stdout.strip()

    def login(self, user):
        expect_equal(self.browse(user, "login", PASSWORD), "200", f"{user}'s login")

    def start(self, *users):
        """Logs users in and starts their servers, all at once."""
        script = "{ python3 -B %s %%s login %s && python3 -B %s %%s start; } &" % (BROWSER, shlex.quote(PASSWORD), BROWSER)
        said = self.guest.run("\n".join(script % (user, user) for user in users) + "\nwait", timeout=120).stdout
        expect_equal(sorted(said.split()), sorted(["200", "started"] * len(users)), "what the browsers say")


def services(guest, seat):
    return sorted(lease["service"] for lease in leases(guest, seat))


@case("a hub starts the servers of two courses' students in their seats, and a stop or a logout frees them", suites=SUITES)
def servers_in_seats(guest):
    with Hub(guest) as hub:
        hub.start(STUDENT, FAR)
        for user, seat, address in ((STUDENT, SEAT, ADDRESS), (FAR, FAR_SEAT, FAR_ADDRESS)):
            expect_equal(services(guest, seat), ["coursenet-enter", "jupyterhub"], f"the leases of {seat}")
            expect_in("Home Page", hub.browse(user, "open"), "the page of the server")
            expect_in(f"{address}/24", hub.browse(user, "run", ADDRESSES), f"what {user}'s cell prints")
            expect_in(f"{address}/24", hub.browse(user, "terminal", "ip -br addr"), f"what {user}'s terminal prints")
        expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop")
        guest.wait_until(lambda: not leases(guest, SEAT), what="the leases are gone")
        expect_equal(services(guest, FAR_SEAT), ["coursenet-enter", "jupyterhub"], "the other's leases")
        expect_equal(hub.browse(FAR, "logout"), "200", "a logout")
        wait_gone(guest)
