"""A server with Cockpit, and an administrator's browser on it. Both are in one guest, which has a layer of its own for them."""

import contextlib
import itertools
import os

from helpers.browser import Browser
from helpers.seats import set_up_class

PACKAGES = {
    "trixie": ("cockpit-ws", "cockpit-bridge", "cockpit-system", "chromium-headless-shell"),
    "bookworm": ("cockpit-ws", "cockpit-bridge", "cockpit-system", "chromium"),
}
ADDRESS = "http://127.0.0.1:9090"
ADMIN, NOBODY, PASSWORD = "ada", "alice", "correct horse"
# Where to put pictures for docs/; none are made if it is not set.
PICTURES = os.environ.get("COURSENET_SCREENSHOTS")

_numbers = itertools.count(1)


@contextlib.contextmanager
def server(guest, with_class=True):
    """A booted guest with the product, Cockpit and a browser, and with the usual class."""
    with guest.boot_another(f"{guest.name}-cockpit-{next(_numbers)}", extra_packages=PACKAGES[guest.suite]) as other:
        try:
            if with_class:
                set_up_class(other)
            other.add_user(ADMIN, password=PASSWORD)
            other.add_user(NOBODY, password=PASSWORD)
            other.run(f"usermod -a -G sudo {ADMIN}; systemctl start cockpit.socket coursenet-network.service")
            yield other
        except BaseException:
            # The runner knows the first guest only.
            other.log(other.journal(lines=60))
            raise


def log_in(guest, user=ADMIN):
    """Opens our page, and types name and password into Cockpit's. Returns the browser."""
    browser = Browser(guest)
    # Not Cockpit's first page, which takes Chromium several times as long as ours.
    browser.open(f"{ADDRESS}/coursenet")
    browser.wait("!!page.querySelector('#login-user-input')?.offsetParent")
    # The browser of somebody who has turned on administrative access before.
    browser.evaluate(f"localStorage.setItem('superuser:{user}', '{'any' if user == ADMIN else 'none'}')")
    browser.type("#login-user-input", user)
    browser.type("#login-password-input", PASSWORD)
    # Cockpit's login page asks whether somebody is logged in, which is refused at first.
    browser.complaints.clear()
    browser.click("#login-button")
    browser.frame = "iframe[name='cockpit1:localhost/coursenet']"
    browser.wait("page.querySelector('#counts') && page.querySelector('#counts').textContent !== 'Loading …'")
    return browser


def picture(browser, name):
    """Keeps what the browser shows, if somebody wants pictures."""
    if PICTURES:
        with open(f"{PICTURES}/{name}.png", "wb") as file:
            file.write(browser.screenshot())
