"""Builds the Debian packages of the product in a suite's own tree, once a run and suite, and lets lintian look at them."""

import functools
import glob
import itertools
import os
import subprocess
import threading

from harness import isolation, product, tree

# Above the source's folder, where dpkg-buildpackage puts what it makes.
RESULTS = os.path.dirname(product.SOURCE)
# Which policy is the current one depends on the suite.
LINTIAN = ["lintian", "--suppress-tags=out-of-date-standards-version,newer-standards-version", "--pedantic", "--fail-on=error,warning,info,pedantic", "--allow-root"]

_one_at_a_time = threading.Lock()
_numbers = itertools.count()


class Packages:
    """What one build has made. root: the tree with it, as this side sees it."""

    def __init__(self, root):
        self.root = root

    def path(self, pattern):
        """The one result whose name fits."""
        [found] = glob.glob(f"{self.root}{RESULTS}/{pattern}")
        return found

    def source(self, name):
        """A file of the source that the packages were made of."""
        return f"{self.root}{product.SOURCE}/{name}"

    def check(self):
        """Runs lintian of the suite; returns what it says about source and packages."""
        changes = os.path.basename(self.path("*.changes"))
        with product.ready_for_chroot(self.root):
            return product.in_chroot(self.root, [*LINTIAN, f"{RESULTS}/{changes}"])

    def of_version(self, version, program):
        """The path of the package coursenet with another version; one program has one byte more at its end."""
        folder = f"{self.root}{RESULTS}/{version}"
        if not os.path.exists(f"{folder}.deb"):
            subprocess.run(["dpkg-deb", "--raw-extract", self.path("coursenet_*.deb"), folder], check=True)
            subprocess.run(["sed", "-i", f"s/^Version: .*/Version: {version}/", f"{folder}/DEBIAN/control"], check=True)
            with open(f"{folder}/{program}", "ab") as file:
                file.write(b"\0")
            subprocess.run(["dpkg-deb", "-Znone", "--build", folder, f"{folder}.deb"], stdout=subprocess.DEVNULL, check=True)
        return f"{folder}.deb"


def build(suite, source_dir, log):
    with _one_at_a_time:
        return build_once(suite, os.path.realpath(source_dir), log)


@functools.cache
def build_once(suite, source_dir, log):
    base = f"{isolation.work_directory()}/package-{suite}-{next(_numbers)}"
    root = f"{base}/root"
    product.mount_overlay(base, [tree.build(suite, log)])
    product.copy_source(source_dir, f"{root}{product.SOURCE}")
    with product.ready_for_chroot(root):
        # The tree has no C++, which Debian assumes for every build.
        product.in_chroot(root, ["dpkg-checkbuilddeps", "-I"])
        # Nobody looks at packages of debugging information, which take longest to compress.
        product.in_chroot(root, ["env", "DEB_BUILD_OPTIONS=noautodbgsym", "dpkg-buildpackage", "--no-check-builddeps", "--unsigned-source",
                                 "--unsigned-changes"])
    return Packages(root)
