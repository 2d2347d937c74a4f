"""Raw frames from a seat or from the host. in_guest/raw-frames.py explains the words for a frame."""

from harness.case import expect_equal
from harness.product import SOURCE

PROGRAM = ["python3", "-B", f"{SOURCE}/tests/e2e/in_guest/raw-frames.py"]


def send(guest, prefix, link, *frames):
    """Sends frames out of a link; prefix is the command that gets into its namespace."""
    guest.run([*prefix, *PROGRAM, "send", link, *frames])


def watch(guest, prefix, link, last):
    """Returns a process that sees what comes in at a link, and ends with the frame that has this text."""
    process = guest.popen([*prefix, *PROGRAM, "watch", link, last])
    expect_equal(process.stdout.readline(), "watching\n", "the first word of the watcher")
    return process


def seen(process):
    """What a watcher has seen, a line a frame. It waits for the frame with the watcher's last text."""
    result = process.wait_output()
    expect_equal(result.stderr, "", "what the watcher complained of")
    return result.stdout.splitlines()


def send_flood(guest, prefix, link, count):
    """Sends so many datagrams, each with a MAC of its own."""
    guest.run([*prefix, *PROGRAM, "flood", link, str(count)])
