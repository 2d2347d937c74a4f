"""The activator as systemd's units, and its protocol for scripts in the guest."""

import os
import re

ACTIVATOR = "coursenet-activator.service"
SOCKETS = "coursenet-activator.socket coursenet-query.socket"


def activator_pid(guest):
    return guest.run(f"systemctl show --value -p MainPID {ACTIVATOR}").stdout.strip()


def protocol():
    """What a script in the guest has to know of the activator's protocol: lines of Python."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "common")
    lines = ""
    for header, name in (("protocol.h", "PROTOCOL_VERSION"), ("name-rule.h", "USER_NAME_SIZE")):
        with open(f"{folder}/{header}", encoding="utf-8") as file:
            lines += f"{name} = {re.search(rf'#define {name} ([0-9]+)U', file.read())[1]}\n"
    return lines
