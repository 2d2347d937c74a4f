"""A long storm in slices, each with a seed of its own. A failure ends its slice only.

The folder of a series has a line for each slice in slices.jsonl, so a series may be ended at any time and taken up again. Of a
slice that failed there are also SEED.failure, with the journal, and SEED.events, for storm.py --replay.
"""

import collections
import json
import os

# No events of the plan's own.
NOT_COUNTED = ("quiet", "quiet point", "visit")


class Series:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._path = f"{folder}/slices.jsonl"
        self.slices = []
        if os.path.exists(self._path):
            with open(self._path, encoding="utf-8") as file:
                self.slices = [json.loads(line) for line in file]

    def next_seed(self, first):
        return self.slices[-1]["seed"] + 1 if self.slices else first

    def n_events(self):
        return sum(map(events_of, self.slices))

    def add(self, seed, suite, commit, summary, failure=None):
        """Keeps the result of a slice; failure is its first reason."""
        self.slices.append({"seed": seed, "suite": suite, "commit": commit, "failure": failure, **summary})
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(self.slices[-1]) + "\n")

    def write_failure(self, seed, text, rounds):
        with open(f"{self._folder}/{seed}.failure", "w", encoding="utf-8") as file:
            file.write(text)
        with open(f"{self._folder}/{seed}.events", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for events in rounds for event in events)

    def text(self):
        """The whole series in Markdown."""
        return "\n\n".join([self._totals(), table(["event", "times"], self._sum("events", NOT_COUNTED).most_common()),
                            table(["what happened", "times"], self._sum("happened").most_common()), self._failures()])

    def _sum(self, part, without=()):
        total = collections.Counter()
        for each in self.slices:
            total.update({name: count for name, count in each[part].items() if name not in without})
        return total

    def _totals(self):
        seconds = self._sum("seconds")
        return table(["what", "value"], {
            "suites": ", ".join(sorted({each["suite"] for each in self.slices})),
            "commits": ", ".join(dict.fromkeys(each["commit"] for each in self.slices)),
            "slices; that failed": f"{len(self.slices)}; {sum(1 for each in self.slices if each['failure'])}",
            "events of rounds that passed": self.n_events(),
            "most events in a row without a failure": self._longest(),
            "quiet points": self._sum("events")["quiet point"],
            "seats probed": sum(each["seats probed"] for each in self.slices),
            "hours": f"{sum(seconds.values()) / 3600:.1f}",
        }.items())

    def _longest(self):
        longest = current = 0
        for each in self.slices:
            current += events_of(each)
            longest = max(longest, current)
            if each["failure"]:
                current = 0
        return longest

    def _failures(self):
        failed = [(each["seed"], events_of(each), each["failure"].replace("|", "\\|")) for each in self.slices if each["failure"]]
        return table(["seed", "events before", "failure"], failed) if failed else "No slice failed."


def events_of(result):
    return sum(count for name, count in result["events"].items() if name not in NOT_COUNTED)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
