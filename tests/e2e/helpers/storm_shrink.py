"""Makes a failing list of events short: delta debugging (ddmin) with new runs.

The timing of a run is not reproducible, so a list counts as failing if one of several runs fails.
"""


def shrink(events, fails):
    """A short part of the list for which fails() is true. ddmin: leaves out ever smaller parts, as long as the rest fails."""
    n_parts = 2
    while len(events) >= 2:
        size = max(1, len(events) // n_parts)
        for begin in range(0, len(events), size):
            rest = events[:begin] + events[begin + size:]
            if rest and fails(rest):
                events = rest
                n_parts = max(n_parts - 1, 2)
                break
        else:
            if size == 1:
                break
            n_parts = min(n_parts * 2, len(events))
    return events


def last_rounds(rounds, fails):
    """The events of as few of the last rounds as fail again, or None."""
    count = 1
    while True:
        events = [event for events in rounds[-count:] for event in events]
        if fails(events):
            return events
        if count >= len(rounds):
            return None
        count = min(count * 4, len(rounds))
