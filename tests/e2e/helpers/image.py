"""A small container image, made in the guest, and cases that run with it."""

import functools

from helpers.settings import with_settings

ROOT, SIF, SANDBOX = "/srv/images/root", "/srv/images/busybox.sif", "/srv/images/sandbox"
MAKE_IMAGE = f"""
set -e
mkdir -p {ROOT} && cd {ROOT} && mkdir -p bin etc proc sys dev tmp root home
cp /usr/bin/busybox bin/
for name in sh ls cat ip nc sleep env id readlink ps echo; do ln -sf busybox bin/$name; done
echo 'PRETTY_NAME="a busybox for coursenet"' >etc/os-release
touch etc/passwd etc/group etc/hosts etc/resolv.conf
apptainer --silent build {SIF} {ROOT}
apptainer --silent build --sandbox {SANDBOX} {ROOT}
# A service in the container, such as a notebook server would be.
printf '#!/bin/sh\\nenv >/tmp/environment-of-start\\nexec sleep 5432\\n' >{SANDBOX}/.singularity.d/startscript
chmod 755 {SANDBOX}/.singularity.d/startscript
"""
RUNTIME_SUITES = ("trixie",)


def with_image(settings):
    """Runs a case with the image made, and these settings."""
    def decorate(function):
        @with_settings(settings)
        @functools.wraps(function)
        def run(guest):
            if guest.run(f"test -e {SIF}", check=False).returncode != 0:
                guest.run(MAKE_IMAGE, timeout=120)
            function(guest)
        return run
    return decorate


def with_container(function):
    """Runs a case with a container in the seat, where there is a runtime."""
    @functools.wraps(function)
    def run(guest):
        settings = f"[course 123]\nimage = {SIF}\n" if guest.suite == "trixie" else ""
        decorate = with_image if guest.suite == "trixie" else with_settings
        decorate(settings)(function)(guest)
    return run
