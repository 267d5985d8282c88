"""The rule libraries that ship with egc, one theme a file."""

DEFAULT = (
    "algebra",
    "powers",
    "constants",
    "exponentials",
    "stability",
    "special",
    "trigonometry",
    "extrema",
    "logic",
    "broadcasting",
    "reductions",
    "fusion",
    "linalg",
    "structure",
    "kernels",
    "constancy",
    "entries",
    "solving",
    "factorizations",
    "updates",
    "kronecker",
    "blocks",
    "adjoints",
    "loops",
)
"""The themes that are used unless others are asked for, in the order in which their rules are tried."""
