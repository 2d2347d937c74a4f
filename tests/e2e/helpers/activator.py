"""The activator as systemd's units, and its protocol for scripts in the guest."""

import os
import re

ACTIVATOR = "coursenet-activator.service"
SOCKETS = "coursenet-activator.socket coursenet-query.socket"


def activator_pid(guest):
    return guest.run(f"systemctl show --value -p MainPID {ACTIVATOR}").stdout.strip()


def cancel_restart(guest, unit):
    """Kills a daemon, and cancels the job by which systemd starts it again."""
    gate = "/run/gate-of-later"
    # The restart waits for the stop of this unit, which takes until the gate is there.
    guest.run(f"""
        rm -f {gate}
        systemd-run --unit=later --property=After={unit} --property="ExecStop=/bin/sh -c 'until test -e {gate}; do sleep 0.05; done'" sleep infinity
        systemctl stop --no-block later
        systemctl kill --signal=KILL {unit}""")
    guest.wait_until(f"systemctl list-jobs --no-legend {unit} | grep -qw waiting", what=f"the restart of {unit} waits")
    guest.run(f"systemctl cancel $(systemctl list-jobs --no-legend {unit} | grep -o '[0-9]*' | head -n 1); touch {gate}")


def protocol():
    """What a script in the guest has to know of the activator's protocol: lines of Python."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "common")
    lines = ""
    for header, name in (("protocol.h", "PROTOCOL_VERSION"), ("name-rule.h", "USER_NAME_SIZE")):
        with open(f"{folder}/{header}", encoding="utf-8") as file:
            lines += f"{name} = {re.search(rf'#define {name} ([0-9]+)U', file.read())[1]}\n"
    return lines
