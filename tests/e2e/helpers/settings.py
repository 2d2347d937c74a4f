"""The settings file, and cases that run under settings of their own."""

from helpers.seats import set_up_class

SETTINGS = "/etc/coursenet/coursenet.conf"


def with_settings(text):
    """Runs a case under these settings and puts the old ones back."""
    def decorate(function):
        def run(guest):
            set_up_class(guest)
            before = guest.read(SETTINGS)
            guest.write(SETTINGS, text)
            try:
                function(guest)
            finally:
                guest.write(SETTINGS, before)
        return run
    return decorate
