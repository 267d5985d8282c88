"""Samples both sides of a rule, and compares them by the law of its precision class."""

from egc.rulecheck.check import Report, check, check_all

__all__ = ["Report", "check", "check_all"]
