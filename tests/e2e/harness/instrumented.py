"""How the product is built in a guest, and what its programs leave behind for the tests: as it is installed, nothing.

sanitizer.py and coverage.py have other ways.
"""

import glob
import os

READ_ONLY = "ProtectSystem=strict\n"


class Product:
    """root is the guest's tree as this side sees it; run() runs a command in it, in the source's folder, and returns its output."""

    finds_errors = False

    def build(self, root, source, make, run):
        run(make)

    def prepare(self, root, source):
        """Adds to the tree what the programs need, before they are installed."""

    def take_reports(self, root):
        """What the programs have reported as errors since the last call, as text."""
        return ""

    def collect(self, root, run):
        """Takes what the tests keep of a guest that has ended."""


def allow_writing(root, source, folder):
    """Lets those units write to a folder that see the file system read-only. It changes no other unit, because the setting gives a
    unit a mount namespace; and it makes no file, because a case looks for files that an uninstallation leaves behind."""
    for path in glob.glob(f"{root}{source}/units/*.service"):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if READ_ONLY in text:
            write(path, text.replace(READ_ONLY, f"{READ_ONLY}ReadWritePaths=-{folder}\n"))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
