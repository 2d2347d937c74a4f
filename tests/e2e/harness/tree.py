"""Builds the Debian trees the guests boot from, and keeps them.

A tree holds a minimal Debian with sshd, the compiler and libraries the product is built with, and the few settings
a guest of the tests needs. It is never written to after it was built: guests see it through an overlay. Its folder's
name has a hash of everything that went into it, so a change here means a new tree; an interrupted build has a
temporary name and never counts.

A layer has packages that only a few cases need and that are too big for every guest. Guests see it over the tree.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import time

from harness import isolation

SUITES = ("trixie", "bookworm")
FORMAT = 1
UNUSED_DAYS = 14

PACKAGES = """
    systemd systemd-sysv dbus dbus-user-session libpam-systemd login passwd sudo
    openssh-server openssh-client iproute2 iputils-ping procps util-linux libcap2-bin
    python3 python3-pamela strace valgrind faketime socat busybox-static netcat-openbsd
    gcc make pkg-config libc6-dev libpam0g-dev libsystemd-dev libnl-route-3-dev libinih-dev libmd-dev libsmartcols-dev
    libjson-c-dev libical-dev libicu-dev libseccomp-dev
    libcsv-dev libcurl4-openssl-dev libpcap-dev uthash-dev libcmocka-dev
    nftables libnftables-dev dnsmasq-base bind9-dnsutils iperf3 tcpdump at cron
    tmux screen mosh vsftpd opendoas polkitd pkexec systemd-container
    sssd-common sssd-proxy libnss-sss libpam-sss libnss-extrausers
    debhelper lintian needrestart
    ccache
""".split()

# What only one suite's cases use: a hub of today is in trixie only, and one suite's firewalls and resolvers do. In bookworm
# systemd itself has what systemd-dev has.
SUITE_PACKAGES = {"trixie": ["jupyterhub", "jupyter-server", "sudo-rs",
                             "firewalld", "network-manager", "systemd-resolved", "libnss-resolve", "systemd-dev"]}

MMDEBSTRAP = [
    "mmdebstrap", "--quiet", "--variant=minbase", "--mode=root",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    # A tree that a crash left incomplete is not used anyway.
    "--dpkgopt=force-unsafe-io",
]

# Apptainer is in sid only; its package runs on trixie's libraries. It gives trixie a container runtime, bookworm has none.
SID_PACKAGES = {"trixie": ["apptainer"]}
SID_HOOK = """
set -e
echo "deb $MIRROR sid main" >"$1/etc/apt/sources.list.d/sid.list"
printf 'Package: *\\nPin: release n=sid\\nPin-Priority: 50\\n' >"$1/etc/apt/preferences.d/sid"
# A mirror that is a snapshot has lists that are past their day.
chroot "$1" apt-get -q -o Acquire::Check-Valid-Until=false update
for package in $PACKAGES; do
    chroot "$1" apt-get -q -y --no-install-recommends install "$package/sid"
done
rm "$1/etc/apt/sources.list.d/sid.list" "$1/etc/apt/preferences.d/sid"
"""

FILES = {
    "/etc/hostname": "guest\n",
    "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 guest\n",
    # PAM complains at each login where it is missing.
    "/etc/default/locale": "LANG=C.UTF-8\n",
    # There is no network to resolve on; a name must fail at once.
    "/etc/resolv.conf": "",
    "/etc/ssh/sshd_config.d/harness.conf": """\
UsePAM yes
UseDNS no
PermitRootLogin prohibit-password
MaxStartups 1000
MaxSessions 1000
# sshd loads all its keys at each login. The client takes this one.
HostKey /etc/ssh/ssh_host_ed25519_key
""",
    "/root/.ssh/config": """\
Host *
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    ConnectTimeout 30
    # The first choice of OpenSSH 9.2 takes a third of the processor time of a whole login.
    KexAlgorithms curve25519-sha256
""",
    # pam_systemd tells logins the address, and Debian's socket starts a program for it at each start of a user's manager.
    "/etc/systemd/user/dbus.socket.d/harness.conf": "[Socket]\nExecStartPost=\n",
    # No message may be dropped.
    "/etc/systemd/journald.conf.d/harness.conf": "[Journal]\nRateLimitIntervalSec=0\n",
    # Units that start later must not write into a console login.
    "/etc/systemd/system.conf.d/harness.conf": "[Manager]\nShowStatus=auto\n",
    "/etc/systemd/system/harness.service": """\
[Unit]
Description=Home of the commands that the tests run

[Service]
ExecStart=sleep infinity
Delegate=yes

[Install]
WantedBy=multi-user.target
""",
}

SETUP = """
set -e
# An empty machine-id would make every boot a first boot, which resets all units to their presets.
systemd-machine-id-setup >/dev/null
systemctl --quiet enable harness.service
# A case that wants one of them starts it.
for unit in jupyterhub firewalld NetworkManager NetworkManager-wait-online NetworkManager-dispatcher systemd-resolved \\
        systemd-networkd nftables dnsmasq vsftpd sssd; do
    systemctl --quiet disable $unit.service 2>/dev/null || true
done
for socket in /usr/lib/systemd/system/sssd-*.socket; do
    systemctl --quiet disable "${socket##*/}" 2>/dev/null || true
done
# Nor does a directory have a part in any login, but in a case that is about one.
pam-auth-update --package --remove sss
sed -i 's/ sss$//; s/ sss / /' /etc/nsswitch.conf
systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
# Nothing here needs them, and each first login of a user would start them.
systemctl --quiet --global mask ssh-agent.socket keyboxd.socket
mkdir -p /etc/systemd/user-generators /etc/systemd/user-environment-generators /etc/systemd/system-generators
ln -s /dev/null /etc/systemd/user-generators/systemd-xdg-autostart-generator
ln -s /dev/null /etc/systemd/user-environment-generators/30-systemd-environment-d-generator
# Each daemon-reload, of which there are hundreds, starts all generators. These make no unit in a guest.
for name in cryptsetup debug gpt-auto hibernate-resume import integritysetup rc-local run system-update sysv tpm2 veritysetup; do
    ln -s /dev/null /etc/systemd/system-generators/systemd-$name-generator
done
# OpenSSH 9.8 and later shut out an address after failed logins: here all logins come from one.
mkdir -p /run/sshd
if sshd -T | grep -qi '^persourcepenalties'; then
    echo 'PerSourcePenalties no' >>/etc/ssh/sshd_config.d/harness.conf
fi
sshd -t
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
install -m 600 /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
# Faster to boot from: these caches are otherwise made at every boot of a fresh overlay.
journalctl --update-catalog
ldconfig
touch /etc/.updated /var/.updated
"""

# $1: the root; the packages follow. The tree has no resolver, and its lists of packages are not kept.
LAYER = """
set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none update
chroot "$root" apt-get -q -y --no-install-recommends install "$@"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
touch "$root/etc/.updated" "$root/var/.updated"
"""

_held_locks = []


def build(suite, log):
    """Path of the tree of a suite, built if need be. Trees stay usable until this process ends."""
    packages = PACKAGES + SUITE_PACKAGES.get(suite, [])
    directory = f"{isolation.cache_directory()}/trees"
    os.makedirs(directory, exist_ok=True)
    ingredients = (FORMAT, packages, MMDEBSTRAP, SID_PACKAGES, SID_HOOK, FILES, SETUP)
    return build_once(f"{directory}/{suite}-{fingerprint(ingredients)}", log, lambda tree: build_new(suite, packages, tree))


def build_layer(tree, packages, log):
    """Path of a layer with these packages over a tree, built if need be."""
    return build_once(f"{tree}+{fingerprint((packages, LAYER))}", log, lambda layer: build_new_layer(tree, packages, layer))


def build_once(path, log, build_it):
    hold(path)
    # Not the lock of hold(): another thread of this process may hold that until the process ends.
    with open(f"{path}.building", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(path):
            started = time.monotonic()
            log(f"building, once, {path}")
            build_it(path)
            log(f"built it in {time.monotonic() - started:.0f} s")
    remove_unused(os.path.dirname(path))
    return path


def fingerprint(ingredients):
    return hashlib.sha256(repr(ingredients).encode()).hexdigest()[:12]


def build_new(suite, packages, tree):
    unfinished = f"{tree}.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    mirror = archive()
    command = [*MMDEBSTRAP, "--include=" + ",".join(packages), *sid_options(suite, mirror), suite, unfinished, mirror]
    check_run(command, f"mmdebstrap of {suite}")
    for path, text in FILES.items():
        write_file(unfinished + path, text)
    check_run(["chroot", unfinished, "sh", "-c", SETUP], f"the set-up of the {suite} tree")
    os.rename(unfinished, tree)


def build_new_layer(tree, packages, layer):
    unfinished = f"{layer}.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("upper", "work", "root"):
        os.makedirs(f"{unfinished}/{name}")
    options = f"lowerdir={tree},upperdir={unfinished}/upper,workdir={unfinished}/work"
    check_run(["mount", "-t", "overlay", "-o", options, "coursenet-e2e", f"{unfinished}/root"], "an overlay")
    try:
        check_run(["sh", "-c", LAYER, "sh", f"{unfinished}/root", *packages], "the installation of " + " ".join(packages))
    finally:
        check_run(["umount", "--recursive", f"{unfinished}/root"], "umount")
    os.rename(f"{unfinished}/upper", layer)
    shutil.rmtree(unfinished)


def sid_options(suite, mirror):
    packages = SID_PACKAGES.get(suite)
    if not packages:
        return []
    script = f"MIRROR={shlex.quote(mirror)} PACKAGES={shlex.quote(' '.join(packages))}; {SID_HOOK}"
    return ["--customize-hook=" + script]


def check_run(command, what):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if result.returncode != 0:
        raise RuntimeError(f"{what} failed:\n" + "\n".join(result.stdout.splitlines()[-40:]))


def write_file(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # mmdebstrap copies the host's resolv.conf, which may be a symbolic link out of the tree.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def archive():
    """The Debian archive this machine itself installs from."""
    if "COURSENET_MIRROR" in os.environ:
        return os.environ["COURSENET_MIRROR"]
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in targets.splitlines():
        site, codename, component, *origin = line.split()
        # The main archive only: bookworm-security and bookworm-updates do not have all packages.
        if origin == ["Debian"] and component == "main" and re.fullmatch("[a-z]+", codename):
            return site
    raise RuntimeError("apt knows no Debian archive here: run apt-get update, or set COURSENET_MIRROR")


def hold(tree):
    """Takes a shared lock, kept until this process ends: remove_unused() leaves alone what somebody uses."""
    lock = open(f"{tree}.lock", "a", encoding="ascii")  # pylint: disable=consider-using-with
    _held_locks.append(lock)
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.utime(lock.name)


def remove_unused(directory):
    """Removes trees that nobody has used for long; a change of the package list leaves one behind each time."""
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name.endswith(".lock") and time.time() - os.path.getmtime(path) > UNUSED_DAYS * 86400:
            remove_if_free(path)


def remove_if_free(lock_path):
    with open(lock_path, "a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        tree = lock_path.removesuffix(".lock")
        shutil.rmtree(f"{tree}.new", ignore_errors=True)
        shutil.rmtree(tree, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{tree}.building")
        os.unlink(lock_path)
