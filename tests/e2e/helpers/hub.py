"""A real JupyterHub with the shipped configuration, and a browser that speaks to it."""

import shlex

from harness.case import expect_equal
from harness.product import SOURCE
from helpers.seats import PASSWORD, set_up_class
from helpers.settings import SETTINGS

CONFIG = "/etc/jupyterhub/jupyterhub_config.py"
SHIPPED = "/usr/share/coursenet/jupyterhub"
BROWSER = f"{SOURCE}/tests/e2e/in_guest/hub-browser.py"
UNIT = "jupyterhub.service"
HUB_SUITES = ("trixie",)


class Hub:
    """A running hub. Leaving the `with` stops it, with all its servers, and forgets what it knew."""

    def __init__(self, guest, config=""):
        set_up_class(guest)
        self.guest = guest
        self.install_stack()
        shipped = f'load_subconfig("{SHIPPED}/jupyterhub_config.py")'
        guest.write(CONFIG, f"c.Authenticator.allow_all = True\n{shipped}\n{config}")
        self.settings = guest.read(SETTINGS)

    def install_stack(self):
        self.guest.run(f"install -m 644 {SHIPPED}/pam.d/jupyterhub /etc/pam.d/jupyterhub")

    def __enter__(self):
        # The hub's own port, which docs/jupyterhub.md has open.
        self.guest.write(SETTINGS, f"{self.settings}\n[site]\nhost-ports = 8081/tcp\n")
        self.guest.run(["systemctl", "start", UNIT])
        self.wait_up()
        return self

    def __exit__(self, *_):
        # A case may have changed it, and `coursenetctl check` reads it.
        self.install_stack()
        self.guest.write(SETTINGS, self.settings)
        self.guest.run(f"systemctl stop {UNIT}; systemctl kill --signal=KILL {UNIT}; systemctl reset-failed {UNIT}; "
                       "rm -rf /var/lib/jupyterhub/* /tmp/hub-browser-*", check=False)

    def wait_up(self):
        self.guest.wait_until(self.is_up, what="the hub answers", timeout=60)

    def is_up(self):
        ask = r"printf 'GET /hub/health HTTP/1.0\r\n\r\n' | nc -w 5 127.0.0.1 8000 | grep -q '^HTTP/1.[01] 200 '"
        return self.guest.run(ask, check=False).returncode == 0

    def main_pid(self):
        return int(self.guest.run(f"systemctl show --value -p MainPID {UNIT}").stdout)

    def kill(self):
        """Kills the hub's process and waits until systemd has restarted it."""
        pid = self.main_pid()
        self.guest.run(f"kill -9 {pid}")
        self.guest.wait_until(lambda: self.main_pid() not in (0, pid), what="the hub is restarted")
        self.wait_up()

    def browse(self, user, *words):
        """What the browser says."""
        return self.guest.run(["python3", "-B", BROWSER, user, *words], timeout=90).stdout.strip()

    def login(self, user):
        expect_equal(self.browse(user, "login", PASSWORD), "200", f"{user}'s login")

    def start(self, *users):
        """Logs users in and starts their servers, all at once."""
        for user in users:
            self.guest.write(f"/home/{user}/welcome.html", f"welcome, {user}\n")
        browser, password = f"python3 -B {BROWSER}", shlex.quote(PASSWORD)
        script = [f"{{ {browser} {user} login {password} && {browser} {user} start; }} &" for user in users]
        said = self.guest.run("\n".join([*script, "wait"]), timeout=120).stdout
        expect_equal(sorted(said.split()), sorted(["200", "started"] * len(users)), "what the browsers say")
