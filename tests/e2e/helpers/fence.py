"""How an account's process outside of every seat reaches the world: the fence stops course users."""

from helpers.world import fetch

BOTH = ["IPv4", "IPv6"]


def try_world(world):
    """A script that says who got out, by which address."""
    return "\n".join(fetch(web) for web in (world.web4, world.web6))


def gets_out(guest, world, user):
    """Which address families get an account's process, outside of every seat, to the world."""
    said = guest.run(try_world(world), user=user, check=False).stdout
    return [name for name, host in (("IPv4", world.host4), ("IPv6", world.host6)) if host in said.split()]
