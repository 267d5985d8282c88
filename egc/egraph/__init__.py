"""Program -> Program by equality saturation. The only package that imports egglog."""

from egc.costs import program_cost
from egc.egraph.explain import Step, explain_steps
from egc.egraph.optimize import Result, optimize_program
from egc.egraph.rulesets import check_rewrite
from egc.egraph.saturate import TIME_LIMIT, Budget

__all__ = [
    "TIME_LIMIT",
    "Budget",
    "Result",
    "Step",
    "check_rewrite",
    "explain_steps",
    "optimize_program",
    "program_cost",
]
