"""Builds the product inside a suite's own tree, and installs it there as an administrator would.

The result is a layer: the difference between the tree and the tree with the product. It is made once a run and
suite; every guest puts a layer of its own on top.
"""

import contextlib
import os
import shutil
import subprocess
import threading

from harness import instrumented, isolation

SOURCE = "/usr/src/coursenet"
# Where a chroot has what an earlier run has compiled: /tmp, so that no trace of it is in the layer.
COMPILER_CACHE = "/tmp/ccache"
MAKE = ["make", "-j2", "WERROR=1", "PREFIX=/usr"]
# What the README tells an administrator to enable after `make install`.
PAM_PROFILE = "coursenet"
ENABLED_UNITS = ("coursenet-activator.socket", "coursenet-query.socket")

# How the product of this run is built; run.py may set another.
kind = instrumented.Product()

_layers = {}
_one_at_a_time = {}
_guard = threading.Lock()


def layer(suite, tree, source_dir, log):
    """Directory of the product's layer over this tree."""
    key = (suite, tree, os.path.realpath(source_dir))
    with _guard:
        lock = _one_at_a_time.setdefault(key, threading.Lock())
    with lock:
        if key not in _layers:
            _layers[key] = build_layer(suite, tree, source_dir, log)
    return _layers[key]


def build_layer(suite, tree, source_dir, log):
    base = f"{isolation.work_directory()}/product-{suite}-{len(_layers)}"
    upper = mount_overlay(base, [tree])
    copy_source(source_dir, f"{base}/root{SOURCE}")
    with ready_for_chroot(f"{base}/root"):
        install_product(f"{base}/root", log)
    subprocess.run(["umount", f"{base}/root"], check=True)
    return upper


def mount_overlay(base, lower_dirs):
    """Mounts lower_dirs, the uppermost first, on base/root; returns the directory that takes the changes."""
    for name in ("upper", "work", "root"):
        os.makedirs(f"{base}/{name}")
    options = f"lowerdir={':'.join(lower_dirs)},upperdir={base}/upper,workdir={base}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "coursenet-e2e", f"{base}/root"], check=True)
    return f"{base}/upper"


def copy_source(source_dir, target):
    """Copies what git would know: no build results of the host, whose libraries are not the guest's."""
    files = files_of_git(source_dir)
    if files is None:
        shutil.copytree(source_dir, target, symlinks=True, ignore=shutil.ignore_patterns("build", ".git"))
        return
    for name in files:
        if os.path.lexists(f"{source_dir}/{name}"):
            os.makedirs(os.path.dirname(f"{target}/{name}"), exist_ok=True)
            shutil.copy2(f"{source_dir}/{name}", f"{target}/{name}", follow_symlinks=False)
    os.makedirs(target, exist_ok=True)


def files_of_git(source_dir):
    # The checkout may belong to the user who ran sudo; reading its list of files is still safe.
    listing = subprocess.run(["git", "-c", "safe.directory=*", "-C", source_dir,
                              "ls-files", "-z", "-co", "--exclude-standard"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if listing.returncode != 0:
        return None
    return [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]


@contextlib.contextmanager
def ready_for_chroot(root):
    cache = f"{isolation.cache_directory()}/ccache"
    mounts = [["-t", "proc", "proc", f"{root}/proc"], ["--bind", "/dev", f"{root}/dev"],
              ["-t", "tmpfs", "tmpfs", f"{root}/tmp"], ["--bind", cache, root + COMPILER_CACHE]]
    os.makedirs(cache, exist_ok=True)
    for arguments in mounts:
        os.makedirs(arguments[-1], exist_ok=True)
        subprocess.run(["mount", *arguments], check=True)
    try:
        yield
    finally:
        for arguments in reversed(mounts):
            subprocess.run(["umount", arguments[-1]], check=True)


def install_product(root, log):
    """The steps of the README's installation, in order. Steps whose part does not exist are left out."""
    if not os.path.exists(f"{root}{SOURCE}/Makefile"):
        log(f"no Makefile in {SOURCE}: the guest boots without the product")
        return
    kind.build(root, SOURCE, MAKE, lambda command: in_chroot(root, command))
    kind.prepare(root, SOURCE)
    in_chroot(root, [*MAKE, "install"])
    if os.path.exists(f"{root}/usr/share/pam-configs/{PAM_PROFILE}"):
        in_chroot(root, ["pam-auth-update", "--package", "--enable", PAM_PROFILE])
    units = [unit for unit in ENABLED_UNITS if unit_exists(root, unit)]
    if units:
        in_chroot(root, ["systemctl", "--quiet", "enable", *units])


def unit_exists(root, unit):
    return any(os.path.exists(f"{root}{where}/{unit}") for where in ("/usr/lib/systemd/system", "/etc/systemd/system"))


def in_chroot(root, command):
    environment = {"PATH": "/usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root",
                   "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "CCACHE_DIR": COMPILER_CACHE, "CCACHE_MAXSIZE": "1G"}
    result = subprocess.run(["chroot", root, "env", "-C", SOURCE, *command], env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", check=False)
    if result.returncode != 0:
        raise RuntimeError(f"in the tree, `{' '.join(command)}` failed:\n{result.stdout}")
    return result.stdout
