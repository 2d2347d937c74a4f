# JupyterHub (5 or newer, as root): every student's server runs in the student's own seat. To be loaded at the end of
# the hub's jupyterhub_config.py; the hub needs pam.d/jupyterhub as well. See coursenet's docs/jupyterhub.md.
#
#     load_subconfig("/usr/share/coursenet/jupyterhub/jupyterhub_config.py")

import asyncio
import json
from subprocess import PIPE

from tornado.web import HTTPError

# Without "--seat" the server runs in the container of the seat, whose image must have jupyterhub-singleuser then.
ENTER = ["coursenet-enter", "--seat", "--"]


class NoSeat(HTTPError):
    """What the student reads. The hub sets a reason of its own, so the property ignores what is set."""

    jupyterhub_message = "You have no seat in the network of your course. Please tell your course staff."
    reason = property(lambda self: self.jupyterhub_message, lambda self, value: None)


async def look_up_seat(user):
    command = ["coursenetctl", "seat", "--json", "--", user]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    output, reason = await process.communicate()
    if not output:
        raise NoSeat(403, "%s", reason.decode().strip())
    return json.loads(output)


async def use_seat(spawner):
    seat = await look_up_seat(spawner.user.name)
    if seat["course"] is None:
        return  # Not a course user: the server runs on the host, as without coursenet.
    # The server holds the seat itself. PAM's session is not enough: a restarted hub never opens it again.
    if spawner.cmd[:1] != ENTER[:1]:
        spawner.cmd = ENTER + spawner.cmd
    # In the seat, 127.0.0.1 is the seat's own: hub and server reach each other over the bridge of the course.
    spawner.ip = seat["address"].split("/")[0]
    gateway = seat["gateway"].split("/")[0]
    spawner.hub_connect_url = f"{spawner.hub.proto}://{gateway}:{spawner.hub.port}"


c = get_config()  # noqa: F821
c.Spawner.pre_spawn_hook = use_seat
c.PAMAuthenticator.service = "jupyterhub"
c.PAMAuthenticator.open_sessions = True
# A logout is the end of the server, and so of the seat.
c.JupyterHub.shutdown_on_logout = True
# The hub listens on its own port, 8081, at every address, because each course has its own bridge, which starts and stops. Seats reach
# the port by host-ports = 8081/tcp in coursenet.conf. Requests need a token; the server's firewall should refuse connections from outside.
c.JupyterHub.hub_ip = ""
c.JupyterHub.hub_connect_ip = "127.0.0.1"
