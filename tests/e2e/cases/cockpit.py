"""The page in Cockpit, in a real browser: what it shows, and what its buttons do."""

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.cockpit import NOBODY, log_in, picture, server
from helpers.leases import leases, seat_status
from helpers.pam_program import SERVICE, PamProgram
from helpers.seats import ADDRESS, ROSTER_FILE, SEAT, SECOND, SECOND_SEAT, STUDENT

# Chromium takes most of a case's time, so what does not depend on the version of Cockpit is in one suite.
ONE_SUITE = ("trixie",)


# On the class list, but without an account.
WITHOUT_ACCOUNT = "cs123-garciam"


def row(seat):
    return f"tr[data-seat='{seat}']"


def button(browser, seat, label):
    """The selector of a button in the row of a seat, by what a screen reader says."""
    user = browser.text(f"{row(seat)} td bdi")
    return f"{row(seat)} button[aria-label='{label} seat {seat} of {user}']"


def expect_no_complaints(browser):
    """The console has neither an error of a script nor a violation of the security policy."""
    browser.evaluate("1")
    # Debian's Cockpit does not have this font of its own style sheet.
    expect_equal([each for each in browser.complaints if "RedHat" not in each], [], "the browser's console")


@case("the page in Cockpit shows a login within seconds; an exam is at its course; Stop says how many logins it ends, and ends them; Start holds a seat, Release does not end a login")
def live(guest):
    with server(guest) as host:
        browser = log_in(host)
        browser.wait_text("#counts", "2 courses, 0 of 4 seats up, 0 logins, 0 held.")
        first, second = host.ssh_popen(STUDENT, tty=True), host.ssh_popen(STUDENT)
        browser.wait_text("#counts", "1 of 4 seats up, 2 logins", timeout=15)
        shown = browser.text(row(SEAT))
        for part in (STUDENT, f"{ADDRESS}/24", "up", "sshd from 127.0.0.1"):
            expect_in(part, shown, "the row of the seat")
        expect(not browser.is_shown(row(SECOND_SEAT)), "a seat that is down is shown")
        picture(browser, "cockpit-seats")

        exam = "section[data-course='123'] .exam"
        expect(not browser.is_shown(exam), "an exam is shown before it begins")
        host.run("coursenetctl exam start 123 --until +1h")
        browser.wait_text(exam, "exam until ")
        host.run("coursenetctl exam start 123")
        browser.wait(f"page.querySelector(\"{exam}\").innerText === 'exam'")
        host.run("coursenetctl exam stop 123")
        browser.wait(f"!page.querySelector(\"{exam}\").offsetParent")

        # A hold comes and goes, and ends no login.
        browser.click(button(browser, SEAT, "Hold"))
        browser.wait_text(f"{row(SEAT)} .who", "held by an administrator")
        browser.click(button(browser, SEAT, "Release"))
        browser.wait(f"!page.querySelector(\"{row(SEAT)} .who\").innerText.includes('held')")
        expect_equal([lease["service"] for lease in leases(host, SEAT)], ["sshd", "sshd"], "the leases after a release")

        # A hold of a seat that is down, which somebody finds by the name.
        browser.click("#with-down")
        browser.type("#filter", "smith")
        browser.wait(f"!page.querySelector(\"{row(SEAT)}\").offsetParent")
        browser.click(button(browser, SECOND_SEAT, "Start"))
        browser.wait_text(f"{row(SECOND_SEAT)} .who", "held by an administrator")
        expect_equal([lease["service"] for lease in leases(host, SECOND_SEAT)], ["hold"], f"the leases of {SECOND}'s seat")
        browser.type("#filter", "")

        # The answer "no" ends nothing. The keyboard is enough for it.
        browser.focus(button(browser, SEAT, "Stop"))
        browser.press("Enter")
        browser.wait_text("#question[open]", "This ends 2 logins and 0 holds.")
        expect_in(f"Stop seat {SEAT} of {STUDENT}?", browser.text("#question"), "the question")
        picture(browser, "cockpit-stop")
        browser.press("Escape")
        browser.wait("!page.querySelector('#question').open")
        expect_equal(len(leases(host, SEAT)), 2, "the logins after a stop that was cancelled")
        browser.click(button(browser, SEAT, "Stop"))
        browser.click("#question[open] [value=yes]")
        first.read_until("stopped by an administrator")
        host.wait_until(lambda: not seat_status(host), what="the seat is down")
        browser.wait_text(f"{row(SEAT)} .state", "down")

        browser.click("section[data-course='123'] button[aria-label='Stop all seats of course 123']")
        browser.wait_text("#question[open]", "This ends 0 logins and 1 hold.")
        browser.click("#question[open] [value=yes]")
        browser.wait_text("#counts", "0 of 4 seats up, 0 logins, 0 held.")
        expect_no_complaints(browser)
        second.close()


# A name of a terminal and of a host, as a login could have them, and what is written into a roster.
MARKUP = "<img/src=x/onerror=document.title='run'>"


@case("the page in Cockpit shows a mistake in a roster with its line and remedy, a command's refusal in its words, and markup as text", suites=ONE_SUITE)
def findings(guest):
    with server(guest) as host, PamProgram(host) as program:
        program.start("a", STUDENT)
        program.start("b", STUDENT)
        program.do(f"set a rhost {MARKUP}")
        program.do(f"set b tty {MARKUP}")
        program.do("open a")
        program.do("open b")
        roster = host.read(ROSTER_FILE)
        host.write(ROSTER_FILE, f"{roster}{MARKUP} ten\n", mode=0o600)
        browser = log_in(host)
        for origin in (f"{SERVICE} from {MARKUP}", f"{SERVICE} on {MARKUP}"):
            browser.wait_text(f"{row(SEAT)} .who", origin)
        line = len(roster.splitlines()) + 1
        browser.wait_text("#check-result", "error")
        [finding] = [each for each in browser.evaluate("[...page.querySelectorAll('#check tbody tr')].map(each => [...each.cells].map(cell => cell.innerText))")
                     if each[1] == ROSTER_FILE and each[2] == str(line)]
        expect_equal(finding[0], "error", "its severity")
        expect_in(MARKUP, finding[3], "what is wrong")
        picture(browser, "cockpit-check")
        host.write(ROSTER_FILE, roster, mode=0o600)
        browser.click("#check-again")
        browser.wait_text("#check-result", "0 errors")
        remedies = browser.evaluate("[...page.querySelectorAll('#check tbody code')].map(each => each.textContent)")
        expect_in(f"useradd --create-home --shell /bin/bash {WITHOUT_ACCOUNT}", remedies, "the remedies that can be copied")

        # The activator does not come back, so a button cannot do what it says.
        host.run("systemctl mask --runtime --now coursenet-activator.socket coursenet-activator.service")
        browser.wait_text("#alerts", "The activator cannot be reached")
        host.run("systemctl unmask --runtime coursenet-activator.socket coursenet-activator.service; systemctl start coursenet-activator.socket")
        browser.wait("!page.querySelector('#alerts').innerText")
        expect_equal(browser.evaluate("page.querySelectorAll('img').length + ' ' + page.title"), "0 Course seats", "what the markup did")
        expect_no_complaints(browser)


@case("without a course the page in Cockpit shows the commands for the first login; a user without rights sees a sentence and no button", suites=ONE_SUITE)
def empty(guest):
    with server(guest, with_class=False) as host:
        browser = log_in(host)
        browser.wait_text("#first-steps", "coursenetctl roster")
        picture(browser, "cockpit-first-steps")
        expect_no_complaints(browser)
        host.end_processes()

        host.add_user(STUDENT)
        host.run("coursenetctl roster import 123 -", input="newellz2\n")
        session = host.ssh_popen(STUDENT)
        browser = log_in(host, NOBODY)
        browser.wait_text("#limited", "turn on administrative access")
        browser.wait_text("#counts", "No seat is up.")
        expect_not_in(STUDENT, browser.text("body"), "what another user sees")
        expect_equal(browser.evaluate("[...page.querySelectorAll('button')].filter(each => each.offsetParent).length"), 0, "the number of buttons")
        expect_equal(browser.text("#alerts"), "", "the alerts")
        expect_no_complaints(browser)
        session.close()
