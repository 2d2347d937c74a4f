"""A ping from a login, twenty times a second, for as long as the test wants; then says which answers did not come."""

import re
import time

INTERVAL = 0.05

BEGIN = "ping -n -i {interval} {target} >~/ping.log 2>&1 & echo $! >~/ping.pid"
# What has been sent shortly before the end may not be answered yet.
END = "kill -INT $(cat ~/ping.pid); while kill -0 $(cat ~/ping.pid) 2>/dev/null; do sleep 0.1; done; cat ~/ping.log"
UNANSWERED_AT_END = 4


class Ping:
    def __init__(self, session, target, timeout=10):
        self._session = session
        session.send(BEGIN.format(interval=INTERVAL, target=target) + "\n")
        deadline = time.monotonic() + timeout
        while not self.answered():
            assert time.monotonic() < deadline, f"{target} has answered no ping in {timeout} s:\n{session.run('cat ~/ping.log')}"

    def answered(self):
        """The numbers of the answers that have come until now."""
        return [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", self._session.run("cat ~/ping.log"))]

    def end(self):
        """The numbers that were not answered, though later ones were or should have been."""
        said = self._session.run(END)
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", said)}
        sent = int(re.search(r"(\d+) packets transmitted", said)[1])
        return sorted(set(range(min(answered), sent - UNANSWERED_AT_END)) - answered)
