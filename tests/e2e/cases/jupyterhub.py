"""A real JupyterHub with the shipped configuration: its students' servers run in their seats, and go with them.

The hub is Debian's unit. A student is hub-browser.py, which speaks to it as a browser does.
"""

import json

from harness.case import case, expect_equal, expect_in, expect_not_in
from harness.product import SOURCE
from helpers.hub import HUB_SUITES, SHIPPED, UNIT, Hub
from helpers.leases import leases
from helpers.seats import ADDRESS, FAR, FAR_ADDRESS, FAR_SEAT, SEAT, STRANGER, STUDENT, links, wait_gone
from helpers.settings import with_settings

ADDRESSES = "import subprocess; print(subprocess.run(['ip', '-br', 'addr'], capture_output=True, text=True).stdout)"


def services(guest, seat):
    return sorted(lease["service"] for lease in leases(guest, seat))


def namespace(guest, pid):
    return guest.run(f"readlink /proc/{pid}/ns/net").stdout.strip()


def server_pid(guest, user):
    return guest.run(["pgrep", "-o", "-u", user, "-f", "jupyterhub-singleuser"], check=False).stdout.strip()


# One case, because a hub and a server take longer to start than all that is looked at.
@case("a hub starts the servers of two courses' students in their seats, which an ssh login and a hold share; a stop, a logout, the death of a"
      " server and of the hub free them", suites=HUB_SUITES)
def servers_in_seats(guest):
    with Hub(guest) as hub:
        hub.start(STUDENT, FAR)
        for user, seat, address in ((STUDENT, SEAT, ADDRESS), (FAR, FAR_SEAT, FAR_ADDRESS)):
            expect_equal(services(guest, seat), ["coursenet-enter", "jupyterhub"], f"the leases of {seat}")
            expect_equal(hub.browse(user, "open"), f"200 welcome, {user}", "the page of the server")
            expect_in(f"{address}/24", hub.browse(user, "run", ADDRESSES), f"what {user}'s cell prints")
            expect_in(address, hub.browse(user, "terminal", "ip -4 route"), f"what {user}'s terminal prints")
        expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop")
        wait_free(guest, SEAT)
        expect_equal(services(guest, FAR_SEAT), ["coursenet-enter", "jupyterhub"], "the other's leases")
        killed_server(guest, hub)
        killed_hub(guest, hub)
        shared_seat(guest, hub)


def wait_free(guest, seat):
    guest.wait_until(lambda: not leases(guest, seat) and f"vl-{seat}" not in links(guest), what=f"seat {seat} is gone")


def start_again(guest, hub, what):
    expect_equal(hub.browse(STUDENT, "start"), "started", what)
    expect_equal(services(guest, SEAT), ["coursenet-enter", "jupyterhub"], f"the leases after {what}")


def killed_server(guest, hub):
    start_again(guest, hub, "the second start")
    guest.run(["kill", "-9", server_pid(guest, STUDENT)])
    guest.wait_until(lambda: "coursenet-enter" not in services(guest, SEAT), what="the server's lease is gone")
    # The hub polls its servers every half a minute and closes the session then, or at a request to stop.
    expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop of a server that was killed")
    wait_free(guest, SEAT)
    start_again(guest, hub, "the start after a kill")


def killed_hub(guest, hub):
    """The seats of both students."""
    # Debian's unit ends the whole of its control group.
    hub.kill()
    wait_gone(guest)
    start_again(guest, hub, "a start by the new hub")


def shared_seat(guest, hub):
    """The server runs already. The seat goes with the last of those who have it."""
    session = guest.ssh_popen(STUDENT)
    guest.run(f"coursenetctl start {SEAT}")
    expect_equal(services(guest, SEAT), ["coursenet-enter", "hold", "jupyterhub", "sshd"], "the leases")
    expect_equal(namespace(guest, server_pid(guest, STUDENT)), session.run("readlink /proc/self/ns/net"), "the namespace of the server")
    session.close()
    guest.wait_until(lambda: "sshd" not in services(guest, SEAT), what="the login's lease is gone")
    expect_equal(hub.browse(STUDENT, "logout"), "200", "a logout")
    guest.wait_until(lambda: services(guest, SEAT) == ["hold"], what="the hold is all that is left")
    guest.run(f"coursenetctl stop {SEAT}")
    wait_gone(guest)


KEEP_SERVERS = "[Service]\nKillMode=process\n"


@case("servers that outlive their hub keep their seats, and the next hub ends them", suites=HUB_SUITES)
def servers_outlive(guest):
    guest.write(f"/etc/systemd/system/{UNIT}.d/keep.conf", KEEP_SERVERS)
    guest.run("systemctl daemon-reload")
    try:
        with Hub(guest, "c.JupyterHub.cleanup_servers = False\n") as hub:
            hub.start(STUDENT, FAR)
            before = server_pid(guest, STUDENT), server_pid(guest, FAR)
            hub.kill()
            guest.wait_until(lambda: services(guest, SEAT) == ["coursenet-enter"], what="the old hub's lease is gone")
            guest.run(["systemctl", "restart", UNIT])
            hub.wait_up()
            expect_equal((server_pid(guest, STUDENT), server_pid(guest, FAR)), before, "the servers")
            expect_equal(services(guest, FAR_SEAT), ["coursenet-enter"], "the leases after a restart")
            expect_in(f"{ADDRESS}/24", hub.browse(STUDENT, "run", ADDRESSES), "a cell of the old server")
            expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop by the new hub")
            guest.wait_until(lambda: not leases(guest, SEAT), what="the seat's leases are gone")
            expect_equal(hub.browse(FAR, "stop"), "stopped", "the other's stop")
            wait_gone(guest)
    finally:
        guest.run(f"rm -r /etc/systemd/system/{UNIT}.d; systemctl daemon-reload; pkill -9 -f jupyterhub-singleuser",
                  check=False)
    wait_gone(guest)


# The hub waits http_timeout for a server, even for one that has ended.
IMPATIENT_IF_ASKED = """
import os
before_spawn = c.Spawner.pre_spawn_hook


async def hasten(spawner):
    spawner.http_timeout = 3 if os.path.exists("/run/impatient") else 30
    await before_spawn(spawner)


c.Spawner.pre_spawn_hook = hasten
"""


@case("users without a course, students without a seat and errors of coursenet do not make the hub turn PAM sessions off",
      suites=HUB_SUITES)
def sessions_stay_on(guest):
    since = guest.journal_position()
    with Hub(guest, IMPATIENT_IF_ASKED) as hub:
        hub.start("alice")
        said = guest.run("coursenetctl seat --json alice", check=False)
        expect_equal((said.returncode, json.loads(said.stdout)), (1, {"version": 1, "user": "alice", "course": None}),
                     "what the hub asks for")
        expect_equal(namespace(guest, server_pid(guest, "alice")), namespace(guest, 1), "the namespace of her server")
        expect_equal(leases(guest), [], "the leases for alice")
        hub.login(STRANGER)
        expect_in("You have no seat", hub.browse(STRANGER, "start"), "what a student who is not on the list reads")
        expect_equal(server_pid(guest, STRANGER), "", "the server of a student who is not on the list")
        guest.run("systemctl stop coursenet-activator.socket coursenet-query.socket coursenet-activator.service; "
                  "touch /run/impatient")
        try:
            hub.login(STUDENT)
            expect_in("500", hub.browse(STUDENT, "start"), "a start without the activator")
            expect_equal(server_pid(guest, STUDENT), "", "the server that has no seat")
        finally:
            guest.run("rm -f /run/impatient; systemctl start coursenet-activator.socket coursenet-query.socket")
        hub.start(STUDENT)
        expect_equal(services(guest, SEAT), ["coursenet-enter", "jupyterhub"], "the leases of the next student")
        expect_not_in("Disabling PAM sessions", guest.journal(since=since, unit=UNIT), "the hub's log")
    wait_gone(guest)


# An image whose programs are the host's, bound over a busybox: a container that has jupyterhub-singleuser.
IMAGE = "/srv/images/jupyter"
MAKE_IMAGE = f"""
    set -e
    mkdir -p {IMAGE}.root && cd {IMAGE}.root && mkdir -p usr/bin usr/lib usr/lib64 etc proc sys dev tmp root home
    ln -s usr/bin usr/lib usr/lib64 . && cp /usr/bin/busybox usr/bin/sh
    touch etc/passwd etc/group etc/hosts etc/resolv.conf && echo in-the-container >etc/image
    apptainer --silent build --sandbox {IMAGE} {IMAGE}.root
"""
IN_CONTAINER = "print(open('/etc/image').read(), open('/proc/self/cgroup').read())"


@case("with `coursenet-enter` without --seat the server runs in the seat's container, and ends with a stop",
      suites=HUB_SUITES)
@with_settings(f"[course 123]\nimage = {IMAGE}\nbind = /usr\n")
def server_in_container(guest):
    guest.run(MAKE_IMAGE, timeout=120)
    shipped = guest.read(f"{SHIPPED}/jupyterhub_config.py")
    choice = 'ENTER = ["coursenet-enter", "--seat", "--"]'
    expect_in(choice, shipped, "the shipped configuration")
    guest.write("/etc/jupyterhub/container.py", shipped.replace(choice, 'ENTER = ["coursenet-enter", "--"]'))
    with Hub(guest, 'load_subconfig("/etc/jupyterhub/container.py")\n') as hub:
        hub.start(STUDENT)
        expect_in("in-the-container", hub.browse(STUDENT, "run", IN_CONTAINER), "what a cell prints")
        expect_in(f"{ADDRESS}/24", hub.browse(STUDENT, "run", ADDRESSES), "the addresses in the container")
        expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop")
        wait_gone(guest)
        expect_equal(server_pid(guest, STUDENT), "", "what is left of the server")


# What SystemdSpawner does, which Debian does not have: a transient unit for each server, with more properties.
UNIT_SPAWNER = """
import asyncio, pwd
from jupyterhub.spawner import Spawner
from jupyterhub.utils import random_port
from traitlets import Dict


async def call(*words):
    process = await asyncio.create_subprocess_exec(*words)
    return await process.wait()


class UnitSpawner(Spawner):
    unit_extra_properties = Dict()

    def unit(self):
        return f"jupyter-{self.user.name}-singleuser.service"

    def get_state(self):
        return {**super().get_state(), "unit_name": self.unit()}

    async def start(self):
        self.port = random_port()
        account = pwd.getpwnam(self.user.name)
        properties = {"NoNewPrivileges": "yes", "WorkingDirectory": account.pw_dir, **self.unit_extra_properties}
        options = [f"--property={name}={value}" for name, value in properties.items()]
        options += [f"--setenv={name}={value}" for name, value in self.get_env().items()]
        await call("systemd-run", f"--unit={self.unit()}", f"--uid={account.pw_uid}", f"--gid={account.pw_gid}",
                   "--setenv=HOME=" + account.pw_dir, *options, *self.cmd, *self.get_args())
        return self.ip, self.port

    async def poll(self):
        return None if await call("systemctl", "is-active", "--quiet", self.unit()) == 0 else 1

    async def stop(self, now=False):
        await call("systemctl", "stop", self.unit())


c.JupyterHub.spawner_class = UnitSpawner
c.JupyterHub.cleanup_servers = False
load_subconfig("/etc/jupyterhub/unit.py")
"""
BY_COMMAND = """\
    if spawner.cmd[:1] != ENTER[:1]:
        spawner.cmd = ENTER + spawner.cmd
"""
BY_UNIT = """\
    unit = f"nsbr@{seat['seat']}.service"
    spawner.unit_extra_properties = {"NetworkNamespacePath": seat["namespace"], "BindsTo": unit, "After": unit}
"""


@case("servers that are units with NetworkNamespacePath= hold their seats themselves, also with NoNewPrivileges",
      suites=HUB_SUITES)
def servers_as_units(guest):
    documented = guest.read(f"{SOURCE}/docs/jupyterhub.md")
    shipped = guest.read(f"{SHIPPED}/jupyterhub_config.py")
    expect_in(BY_UNIT, documented, "the document")
    expect_in(BY_COMMAND, shipped, "the shipped configuration")
    guest.write("/etc/jupyterhub/unit.py", shipped.replace(BY_COMMAND, BY_UNIT))
    with Hub(guest, UNIT_SPAWNER) as hub:
        hub.start(STUDENT)
        expect_in(f"{ADDRESS}/24", hub.browse(STUDENT, "run", ADDRESSES), "what a cell prints")
        hub.kill()
        guest.wait_until(lambda: not leases(guest, SEAT), what="the old hub's lease is gone")
        expect_in(f"{ADDRESS}/24", hub.browse(STUDENT, "run", ADDRESSES), "what a cell prints after the hub's death")
        expect_equal(hub.browse(STUDENT, "stop"), "stopped", "a stop")
        wait_gone(guest)
