"""Runs cases in a guest. A guest in which a case has failed is replaced, so that no later case fails because of it."""

import traceback

from harness.case import indent, run_case


class Runner:
    """Runs the cases of one guest, which boot() makes when the first of them needs it.

    A failed case leaves leases, sessions, settings and processes behind. The guest is powered off without waiting for
    any of them, and the next case gets a fresh one. record() gets a case and its processor time. keep: the guest stays as it is, for a developer to look at.
    """

    def __init__(self, boot, report, log, keep=False, record=lambda each, processor_time: None):
        self.guest = None
        self._boot, self._report, self._log, self._keep, self._record = boot, report, log, keep, record

    def run(self, modules):
        """Runs lists of cases. What is not about a case, such as a guest that does not boot, is reported as a failure."""
        try:
            for cases in modules:
                self._run_module(cases)
        except Exception:  # pylint: disable=broad-except
            self._report("not ok", "the guest boots\n" + indent(traceback.format_exc()))

    def _run_module(self, cases):
        for number, each in enumerate(cases):
            try:
                self.guest = self.guest or self._boot()
            except Exception as error:
                raise RuntimeError(f"these cases did not run: {[left.promise for left in cases[number:]]}") from error
            outcome, text, processor_time = run_case(each, self.guest)
            self._report(outcome, text)
            self._record(each, processor_time)
            if outcome == "not ok" and not self._keep:
                self._log("the case has failed: its guest is replaced by a fresh one before the next case")
                self._end(self.guest.discard)
        if self.guest and not self._keep:
            self.guest.discard_others()

    def close(self):
        """Powers the guest off in good order."""
        if self.guest:
            self._end(self.guest.poweroff)

    def _end(self, end):
        self.guest = None
        try:
            end()
        except Exception:  # pylint: disable=broad-except
            self._report("not ok", "the guest powers off\n" + indent(traceback.format_exc()))
