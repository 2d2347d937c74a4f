"""The product built so that its programs count how often each line runs, and what they have counted.

Each program adds its counts to files beside the objects it was built of, when it ends. gcov of the guest's own compiler reads
them: its output goes to a folder of the caller's, a file for each guest.
"""

import itertools
import os
import struct

from harness import instrumented

BUILD = "/usr/src/coursenet/build"
# Without optimisation, of which some warnings come.
FLAGS = ("CFLAGS=-O0 -g --coverage -include tests/coverage-exit.h", "HARDENING=", "WERROR=")
GCOV = "find build -name '*.gcda' -exec gcov --json-format --stdout {} +"

# An access control list with read and write for everybody. As a folder's default, it also goes before the umask.
ACL_VERSION, ACL_UNDEFINED_ID = 2, 0xffffffff
ACL_TAGS_OWNER_GROUP_OTHERS = (0x01, 0x04, 0x20)
ALL_RIGHTS = 7

_numbers = itertools.count(1)


def open_to_everybody(build):
    """Lets the programs of every user write their counts there."""
    everybody = struct.pack("<I", ACL_VERSION) + b"".join(
        struct.pack("<HHI", tag, ALL_RIGHTS, ACL_UNDEFINED_ID) for tag in ACL_TAGS_OWNER_GROUP_OTHERS)
    for folder, _, _ in os.walk(build):
        os.chmod(folder, 0o1777)
        os.setxattr(folder, "system.posix_acl_default", everybody)


class Coverage(instrumented.Product):
    def __init__(self, folder):
        self._folder = os.path.abspath(folder)
        os.makedirs(self._folder, exist_ok=True)

    def build(self, root, source, make, run):
        run([*make, *FLAGS])

    def prepare(self, root, source):
        open_to_everybody(f"{root}{BUILD}")
        instrumented.allow_writing(root, source, BUILD)

    def collect(self, root, run):
        with open(f"{self._folder}/{os.getpid()}-{next(_numbers)}.json", "w", encoding="utf-8") as file:
            file.write(run(["sh", "-c", GCOV]))
