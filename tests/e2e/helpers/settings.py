"""The settings file, and cases that run under settings of their own."""

import contextlib

from helpers.seats import set_up_class

SETTINGS = "/etc/coursenet/coursenet.conf"


@contextlib.contextmanager
def settings(guest, text):
    """These are the settings, as long as the `with` lasts."""
    before = guest.read(SETTINGS)
    guest.write(SETTINGS, text)
    try:
        yield
    finally:
        guest.write(SETTINGS, before)


def with_settings(text):
    """Runs a case under these settings and puts the old ones back."""
    def decorate(function):
        def run(guest):
            set_up_class(guest)
            with settings(guest, text):
                function(guest)
        return run
    return decorate
