"""How the product is built in a guest, and what its programs leave behind for the tests: as it is installed, nothing.

sanitizer.py and coverage.py have other ways.
"""

import os

# These units see the file system read-only. The drop-in is for no other unit, because the setting gives a unit a mount namespace.
CONFINED_UNITS = ("coursenet-activator", "coursenet-network", "coursenet-dns", "coursenet-wiring", "testnetns@")


class Product:
    """root is the guest's tree as this side sees it; run() runs a command in it, in the source's folder, and returns its output."""

    def build(self, root, source, make, run):
        run(make)

    def prepare(self, root):
        """Adds to the tree what the programs need, before they run."""

    def take_reports(self, root):
        """What the programs have reported as errors since the last call, as text."""
        return ""

    def collect(self, root, run):
        """Takes what the tests keep of a guest that has ended."""


def allow_writing(root, folder):
    for unit in CONFINED_UNITS:
        write(f"{root}/etc/systemd/system/{unit}.service.d/instrumented.conf", f"[Service]\nReadWritePaths=-{folder}\n")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
