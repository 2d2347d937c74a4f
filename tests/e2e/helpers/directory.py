"""A user database as universities have it: SSSD, whose names have a domain.

It is a real SSSD with a proxy provider over libnss-extrausers, so that no server is needed; nothing else in the guest
knows these accounts.
"""

FULL_NAMES = r"%1$s@%2$s", r"(?P<name>[^@]+)@?(?P<domain>[^@]*$)"
PREFIXED_NAMES = r"%2$s\%1$s", r"((?P<domain>[^\\]+)\\)?(?P<name>[^\\]+$)"

SSSD_CONF = """\
[sssd]
services = nss, pam
domains = {domain}
full_name_format = {names[0]}
re_expression = {names[1]}

[nss]
memcache_timeout = 0
entry_negative_timeout = 0

[domain/{domain}]
id_provider = proxy
proxy_lib_name = extrausers
auth_provider = none
access_provider = permit
use_fully_qualified_names = True
entry_cache_timeout = 1
"""
MAKE_HOME = """
    install -d -o $2 -g $2 -m 700 "/home/$1" "/home/$1/.ssh"
    install -o $2 -g $2 -m 600 /root/.ssh/id_ed25519.pub "/home/$1/.ssh/authorized_keys"
"""
FILES = "/etc/nsswitch.conf", "/etc/pam.d/common-account", "/etc/pam.d/common-session"


class Directory:
    """A running directory. Leaving the `with` stops it, and puts every file back."""

    def __init__(self, guest, domain, names, accounts, groups=None):
        """groups: from a name to its members; more than the group that each account has of its own."""
        self.guest = guest
        self.conf = SSSD_CONF.format(domain=domain, names=names)
        self.accounts = accounts
        self.groups = groups or {}
        self.before = {path: guest.read(path) for path in FILES}

    def __enter__(self):
        lines = [f"{name}:x:{uid}:{uid}::/home/{name}:/bin/bash" for name, uid in self.accounts.items()]
        self.guest.write("/var/lib/extrausers/passwd", "\n".join(lines) + "\n")
        self.write_groups()
        for name, uid in self.accounts.items():
            self.guest.run(["sh", "-c", MAKE_HOME, "sh", name, str(uid)])
        self.guest.write("/etc/sssd/sssd.conf", self.conf, mode=0o600)
        self.guest.run(r"sed -i '/^\(passwd\|group\):/ s/$/ sss/' /etc/nsswitch.conf")
        self.guest.write("/etc/pam.d/common-account", "account sufficient pam_sss.so\n" + self.before["/etc/pam.d/common-account"])
        self.guest.run("systemctl start sssd")
        return self

    def write_groups(self):
        lines = [f"{name}:x:{uid}:" for name, uid in self.accounts.items()]
        lines += [f"{name}:x:{39000 + i}:{','.join(members)}" for i, (name, members) in enumerate(self.groups.items())]
        self.guest.write("/var/lib/extrausers/group", "\n".join(lines) + "\n")

    def change_group(self, name, members):
        self.groups[name] = members
        self.write_groups()
        self.guest.run("systemctl stop sssd; rm -rf /var/lib/sss/db/* /var/lib/sss/mc/*; systemctl start sssd")

    def __exit__(self, *_):
        for path, text in self.before.items():
            self.guest.write(path, text)
        self.guest.run("systemctl stop sssd; systemctl reset-failed sssd; rm -rf /etc/sssd/sssd.conf /var/lib/sss/db/* "
                       "/var/lib/sss/mc/* /var/lib/extrausers/passwd /var/lib/extrausers/group", check=False)
        self.guest.run(["rm", "-rf", *(f"/home/{name}" for name in self.accounts)])

    def set_rule(self, rule):
        """On the module's line, as an administrator writes it there."""
        self.guest.write("/etc/pam.d/common-session", self.before["/etc/pam.d/common-session"].replace(
            "pam_coursenet.so", f"pam_coursenet.so rule={rule}"))
