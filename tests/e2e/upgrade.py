#!/usr/bin/env python3
"""Upgrades coursenet from earlier commits to this one, and back, while students are logged in.

    python3 -B tests/e2e/upgrade.py [--suite SUITE] COMMIT...

Must run as root, in a checkout that has the commits. A commit with debian/ is installed as its package; then the package
of this checkout is installed, then the earlier one again, and at last both halves of the upgrade have a reboot between
them. A commit without debian/ is installed by `make install`, and the package of this checkout is installed over it.
docs/proof.md has the results.
"""

import argparse
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation, package, tree
from harness.guest import Guest
from helpers.seats import add_accounts, failed_units, set_up_class, wait_gone
from helpers.upgrade import MANY, THIRD, LiveLogins, add_many, cross, dpkg, expect_seat

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What an administrator has changed stays.
INSTALL = ("--install", "--force-confold")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--suite", default=tree.SUITES[0], choices=tree.SUITES)
    parser.add_argument("commits", nargs="+", metavar="COMMIT")
    return parser.parse_args()


def log(text):
    print(f"# {text}", flush=True)


def check_out(commit):
    """The files of a commit, in a folder of this run."""
    folder = f"{isolation.work_directory()}/commit-{commit}"
    os.makedirs(folder)
    archive = subprocess.run(["git", "-c", "safe.directory=*", "-C", PROJECT, "archive", commit], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def install(guest, name):
    log(f"installs {name}")
    done = dpkg(guest, *INSTALL, f"/root/{name}.deb")
    for line in (done.stdout + done.stderr).splitlines():
        log(f"    {line}")


def cross_to(guest, name, same_protocol=True):
    """Installs a package while the students of a class are logged in, and lets them log out of the new version.

    With another protocol a login waits until the installation is over, and what has loaded the former module gives back at its
    end.
    """
    live = LiveLogins(guest)
    cross(guest, lambda: install(guest, name), logins=3 if same_protocol else 2)
    live.expect_alive()
    live.close(program_closes=same_protocol)
    expect_seat(guest, f"after the installation of {name}")
    wait_gone(guest)


def reboot_between(guest, name):
    """A power failure when the files are there and the package is not configured."""
    log(f"unpacks {name}, and reboots")
    dpkg(guest, "--unpack", "--force-confold", f"/root/{name}.deb")
    guest.reboot()
    expect_seat(guest, "between unpacking and configuring")
    dpkg(guest, "--configure", "--force-confold", "coursenet")
    expect_seat(guest, "after configuring")
    wait_gone(guest)
    log(f"failed units: {failed_units(guest)}")


def set_up(guest):
    set_up_class(guest)
    add_accounts(guest, [THIRD, *MANY])
    add_many(guest)


def over_make_install(suite, folder, newest):
    with Guest.boot(suite, folder, "from-make", log) as guest:
        guest.copy_in(newest, "/root/newest.deb")
        guest.run("systemctl start coursenet-activator.socket")
        set_up(guest)
        cross_to(guest, "newest", same_protocol=False)


def over_package(suite, folder, newest):
    earlier = package.build(suite, folder, log).path("coursenet_*.deb")
    with Guest.boot(suite, folder, "from-package", log, with_product=False) as guest:
        guest.copy_in(newest, "/root/newest.deb")
        guest.copy_in(earlier, "/root/earlier.deb")
        install(guest, "earlier")
        set_up(guest)
        for name in ("newest", "earlier"):
            cross_to(guest, name)
        for name in ("newest", "earlier"):
            reboot_between(guest, name)


def try_commit(suite, commit, newest):
    folder = check_out(commit)
    way = over_package if os.path.exists(f"{folder}/debian/rules") else over_make_install
    print(f"{commit}: {way.__name__}", flush=True)
    try:
        way(suite, folder, newest)
    except AssertionError as failure:
        print(f"not ok {commit}: {failure}", flush=True)
        return False
    finally:
        shutil.rmtree(folder)
    print(f"ok {commit}", flush=True)
    return True


def run(options):
    newest = package.build(options.suite, PROJECT, log).path("coursenet_*.deb")
    return 0 if all([try_commit(options.suite, commit, newest) for commit in options.commits]) else 1


def main():
    options = parse_arguments()
    os.umask(0o022)
    return isolation.run(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
