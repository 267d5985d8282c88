"""Programs over other domains than arrays: bounds, and what depends on what.

A domain is a `Domain` whose table has a function for each op, from the facts of its operands to that of its result; `fold` walks
the Program, its loops and its branches. What has no row is unknown: a domain can start with a few ops.
"""

from egc.interpret.fold import Domain, fold
from egc.interpret.interval import Interval
from egc.interpret.intervals import Intervals

__all__ = ["Domain", "Interval", "Intervals", "fold"]
