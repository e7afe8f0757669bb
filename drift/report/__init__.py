"""What is known of some applications over their pairs, put together to be told: differences, and what was not seen.

Pure: it receives what is stored, or a survey of two ends, and hands on a ``Report``. How a report looks is the
faces' affair; its JSON form, its verdict and its exit code are made here. Old evidence is no evidence: a
comparison that is stale, or that nobody has made, is Unknown.
"""

from drift.report.parts import Compared, Ending, Entry, RuleNote
from drift.report.stored import of_store, row_of
from drift.report.surveyed import of_ends
from drift.report.whole import DRIFT, IN_STEP, UNKNOWN, Report, exit_code

__all__ = [
    "DRIFT",
    "IN_STEP",
    "UNKNOWN",
    "Compared",
    "Ending",
    "Entry",
    "Report",
    "RuleNote",
    "exit_code",
    "of_ends",
    "of_store",
    "row_of",
]
