#!/usr/bin/env python3
"""Builds the Debian packages for each suite, in the trees that the guests boot from, and runs lintian.

    python3 tests/e2e/deb.py [--suite SUITE]... FOLDER

Must run as root. The packages are put below FOLDER/SUITE.
"""

import argparse
import glob
import os
import shutil
import sys

# Root runs this, and must leave no files of its own in a developer's checkout.
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation, package, tree

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = "coursenet*.*"


def parse_arguments():
    parser = argparse.ArgumentParser(usage=" ".join(__doc__.split("\n")[2].split()))
    parser.add_argument("--suite", action="append", choices=tree.SUITES)
    parser.add_argument("folder")
    return parser.parse_args()


def build(suite, folder):
    packages = package.build(suite, PROJECT, print)
    print(packages.check(), end="", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    # They belong to the user who owns the checkout, like the other results.
    owner = os.stat(PROJECT)
    for path in glob.glob(f"{packages.root}{package.RESULTS}/{RESULTS}"):
        os.chown(shutil.copy(path, folder), owner.st_uid, owner.st_gid)
    for path in (os.path.dirname(folder), folder):
        os.chown(path, owner.st_uid, owner.st_gid)
    for path in sorted(glob.glob(f"{folder}/*.deb")):
        print(path)


def build_all(suites, folder):
    for suite in suites:
        build(suite, f"{folder}/{suite}")
    return 0


def main():
    options = parse_arguments()
    os.umask(0o022)
    return isolation.run(lambda: build_all(options.suite or tree.SUITES, options.folder))


if __name__ == "__main__":
    sys.exit(main())
