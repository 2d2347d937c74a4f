"""What was measured: rows of one table, with goals and verdicts, as text and as JSON. The schema is in tests/README.md."""

import dataclasses
import json
import statistics
import time

VERSION = 1
HEADINGS = ("what", "measured", "fastest", "against", "floor", "ratio (middle half)", "n", "goal", "verdict")
LEFT = (0, 3, 7, 8)
# More of these is faster.
RATES = ("Gbit/s", "k/s")


@dataclasses.dataclass(frozen=True)
class Goal:
    """Limits of the measured value, in the unit of the row, and of the ratio. at_least: the ratio may not be lower."""

    value: float = None
    ratio: float = None
    at_least: bool = False

    def text(self, unit):
        parts = [f"<= {self.value:g} {unit}"] if self.value is not None else []
        parts += [f"{'>=' if self.at_least else '<='} {self.ratio:g} x"] if self.ratio is not None else []
        return " and ".join(parts)

    def value_met(self, row):
        return self.value is None or row.measured <= self.value

    def ratio_met(self, row):
        if self.ratio is None:
            return True
        return row.ratio >= self.ratio if self.at_least else row.ratio <= self.ratio


@dataclasses.dataclass
class Row:
    """samples and floors are of the same rounds, in order, so that their ratios compare what met the same machine."""

    group: str
    what: str
    samples: list
    unit: str = "ms"
    against: str = ""
    floors: list = dataclasses.field(default_factory=list)
    goal: Goal = None
    ratios: list = None

    def __post_init__(self):
        if self.ratios is None:
            self.ratios = [sample / floor for sample, floor in zip(self.samples, self.floors)]

    @property
    def measured(self):
        return statistics.median(self.samples)

    @property
    def fastest(self):
        """Other work on the machine only makes it slower."""
        return max(self.samples) if self.unit in RATES else min(self.samples)

    @property
    def floor(self):
        return statistics.median(self.floors) if self.floors else None

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def verdict(self):
        if self.goal is None:
            return "no goal"
        return "met" if self.goal.value_met(self) and self.goal.ratio_met(self) else "missed"

    def verdict_text(self):
        """With a word on the ratio, which the machine's other load changes less than the milliseconds."""
        if self.verdict == "missed" and self.goal.value is not None and self.goal.ratio is not None:
            return f"missed (the ratio: {'met' if self.goal.ratio_met(self) else 'missed'})"
        return self.verdict

    def cells(self):
        return (f"  {self.what}", amount(self.measured, self.unit), amount(self.fastest) if len(self.samples) > 1 else "", self.against,
                amount(self.floor, self.unit) if self.floors else "", self.ratio_text(), str(len(self.samples)),
                self.goal.text(self.unit) if self.goal else "", self.verdict_text())

    def ratio_text(self):
        if not self.ratios:
            return ""
        low, high = middle_half(self.ratios)
        return f"{self.ratio:.2f}" + (f" ({low:.2f}-{high:.2f})" if len(self.ratios) > 1 else "")

    def as_json(self):
        goal = self.goal or Goal()
        return {"group": self.group, "what": self.what, "unit": self.unit, "measured": self.measured,
                "fastest": self.fastest, "samples": self.samples,
                "against": self.against or None, "floor": self.floor, "floor_samples": self.floors, "ratio": self.ratio,
                "ratio_range": middle_half(self.ratios) if self.ratios else None, "n": len(self.samples),
                "limit": goal.value, "ratio_limit": goal.ratio, "at_least": goal.at_least, "verdict": self.verdict}


class Results:
    """Takes rows as they come, shows each at once, and all of them at the end."""

    def __init__(self, about):
        self.about = {**about, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self.rows = []
        self.stages = None
        self._started = time.monotonic()

    def log(self, text):
        print(f"# {time.monotonic() - self._started:4.0f} s  {text}", flush=True)

    def add(self, *arguments, **options):
        row = Row(*arguments, **options)
        self.rows.append(row)
        self.log("  ".join(cell.strip() for cell in row.cells() if cell))

    def missed(self):
        return [row for row in self.rows if row.verdict == "missed"]

    def text(self):
        lines, group = [HEADINGS], None
        for row in self.rows:
            if row.group != group:
                group = row.group
                lines.append((group,) + ("",) * (len(HEADINGS) - 1))
            lines.append(row.cells())
        return as_table(lines)

    def write_json(self, path):
        with open(path, "w", encoding="utf-8") as file:
            stages = {"stages": self.stages} if self.stages else {}
            json.dump({"version": VERSION, **self.about, "rows": [row.as_json() for row in self.rows], **stages}, file, indent=1)
            file.write("\n")


def stages_as_text(stages):
    """In the order in which they come when nothing else is up."""
    alone, beside = stages["alone"], stages["beside"]
    lines = [("ms since the module was called", "", "alone", f"beside {stages['seats']} seats")]
    for what in sorted(alone, key=alone.get):
        lines.append((f"  {what}", "", f"{alone[what]:.1f}", f"{beside[what]:.1f}" if what in beside else ""))
    return as_table(lines)


def middle_half(values):
    """The lower and the upper quartile."""
    if len(values) < 2:
        return [values[0], values[0]]
    lower, _, upper = statistics.quantiles(values, method="inclusive")
    return [lower, upper]


def amount(value, unit=""):
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()


def as_table(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) if number in LEFT else cell.rjust(width)
                               for number, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)
