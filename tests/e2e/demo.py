"""The main job in one minute, in plain words: a class list, a login, the seat, a second login, the logout.

Everything happens in a guest that is booted for it and thrown away afterwards.
"""

import argparse
import os
import sys
import time

from harness import isolation
from harness.guest import Guest
from helpers.image import MAKE_IMAGE, SIF
from helpers.seats import CLASS_LIST, PASSWORD, SEAT, STUDENT, leftovers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STARTED = time.monotonic()


def say(text):
    print(f"\n[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def show(prompt, command, output):
    print(f"    {prompt} {command}")
    for line in output.rstrip("\n").splitlines():
        print(f"      {line}", flush=True)


def as_root(guest, command):
    show("server#", command, guest.run(command).stdout)


def as_student(session, command):
    show(f"{STUDENT}$", command, session.run(command))


def has_runtime(guest):
    return guest.run("command -v apptainer", check=False).returncode == 0


def teach(guest):
    say("A class list as the course staff has it, one name a line. One command seats the class:")
    guest.write("/root/class-list", CLASS_LIST)
    as_root(guest, "cat /root/class-list")
    guest.add_user(STUDENT, password=PASSWORD)
    guest.add_user("alice")
    as_root(guest, "coursenetctl roster import 123 /root/class-list")
    if has_runtime(guest):
        guest.run(MAKE_IMAGE, timeout=120)
        guest.write("/etc/coursenet/coursenet.conf", f"[course 123]\nimage = {SIF}\n")
    say("Nothing runs yet: no bridge, no namespace.")
    as_root(guest, "coursenetctl status")


def login(guest):
    say(f"{STUDENT} logs in by ssh (the real one: OpenSSH, PAM, systemd-logind) ...")
    started = time.monotonic()
    session = guest.ssh_popen(STUDENT)
    say(f"... and is in after {1000 * (time.monotonic() - started):.0f} ms. The shell has a network of its own:")
    as_student(session, "ip -br address")
    as_student(session, "echo seat $COURSENET_SEAT of course $COURSENET_COURSE at $COURSENET_ADDRESS")
    as_student(session, "ping -c 1 10.0.123.1 | sed -n 2p")
    say("On the server, systemd has started what the login needs, and counts who needs it:")
    as_root(guest, "coursenetctl status")
    as_root(guest, f"systemctl list-units --plain --no-legend 'netbr@*' 'netns@*' 'nsbr@*' 'coursenet-{SEAT}*'")
    return session


def container(guest, session):
    say("The settings of the course name an image, so the seat has a container, run as the student by Apptainer:")
    guest.wait_until(f"systemctl is-active --quiet cont@{SEAT}", what="the container runs")
    as_root(guest, f"systemctl show -p Description -p User -p MainPID cont@{SEAT}")
    as_student(session, "coursenet-enter -- sh -c 'cat /etc/os-release; ip -4 -o address show dev vr-" + SEAT + "'")
    say("coursenet-enter works from any process of the student, such as a cron job outside of the seat:")
    show(f"{STUDENT} (no login)$", "coursenet-enter --seat -- ip -br address",
         guest.run(["coursenet-enter", "--seat", "--", "ip", "-br", "address"], user=STUDENT).stdout)


def others(guest, first):
    say("A second login of the same student shares the seat; its logout changes nothing:")
    second = guest.ssh_popen(STUDENT)
    as_root(guest, "coursenetctl status")
    second.close()
    as_student(first, "ip -br address show dev vr-" + SEAT)
    say("alice is in no course. She is left alone, in the server's own network:")
    alice = guest.ssh_popen("alice")
    show("alice$", "ip -br address", alice.run("ip -br address"))
    alice.close()


def logout(guest, session):
    say("The last logout ...")
    session.close()
    started = time.monotonic()
    guest.wait_until(lambda: not leftovers(guest), what="nothing of the seat is left")
    say(f"... leaves nothing behind: lease, link, namespace and bridge were gone {time.monotonic() - started:.1f} s later.")
    as_root(guest, "coursenetctl status")
    as_root(guest, "ip netns list")


def demo(suite):
    say("A Debian guest is built (once; then it is kept) and booted. The product is compiled and installed in it.")
    with Guest.boot(suite, ROOT, "demo", lambda text: print(f"    {text}", flush=True)) as guest:
        teach(guest)
        session = login(guest)
        if has_runtime(guest):
            container(guest, session)
        others(guest, session)
        logout(guest, session)
        say("Done. The guest is shut down; on this machine nothing has changed.\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="trixie", help="the Debian release of the guest (default: trixie)")
    options = parser.parse_args()
    return isolation.run(lambda: demo(options.suite))


if __name__ == "__main__":
    sys.exit(main())
