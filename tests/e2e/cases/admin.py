"""What `coursenetctl` shows and tells an administrator, where that needs a running system."""

from harness.case import case, expect_equal, expect_status
from helpers import schema
from helpers.leases import seat_status
from helpers.seats import SEAT, SECOND_SEAT, STUDENT, set_up_class, wait_gone


@case("start, status, seat, check and stop print the JSON that the schemas describe, with the seat's real IPv6 address")
def documents(guest):
    set_up_class(guest)
    held = schema.parse("start", guest.run("coursenetctl start --json 123").stdout)["seats"]
    expect_equal([(each["seat"], each["held"], each["reason"]) for each in held],
                 [(SEAT, True, None), (SECOND_SEAT, True, None), ("12312", True, None)], "what start says")
    real = guest.run(f"ip -n ns{SEAT} -6 -br addr show scope global dev vr-{SEAT}").stdout.split()[2]
    expect_equal(seat_status(guest)["address6"], real, "the IPv6 address in status")
    expect_equal(schema.parse("seat", guest.run(f"coursenetctl seat --json {STUDENT}").stdout)["address6"], real,
                 "the IPv6 address in seat")
    guest.run(f"ip link set vl-{SEAT} down")
    said = guest.run("coursenetctl check --json", check=False)
    expect_status(said, 1, "check with a link that is down")
    [finding] = [each for each in schema.parse("check", said.stdout)["findings"] if each["file"] == f"vl-{SEAT}"]
    expect_equal((finding["severity"], finding["text"]), ("error", "is down"), "what check says of the link")
    expect_equal(finding["remedy"], f"the seat's next start corrects this (coursenetctl stop {SEAT} ends its logins)", "its remedy")
    expect_equal(schema.parse("stop", guest.run("coursenetctl stop --json 123").stdout)["n_ended"], 3, "what stop says")
    wait_gone(guest)
