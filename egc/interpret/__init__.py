"""Programs over other domains than arrays: bounds, patterns of derivatives, uncertainty. One table and one fold each."""

from egc.interpret.fold import Domain, fold
from egc.interpret.interval import Interval
from egc.interpret.intervals import Intervals

__all__ = ["Domain", "Interval", "Intervals", "fold"]
