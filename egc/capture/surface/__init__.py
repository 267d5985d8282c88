"""NumPy's and SciPy's functions as compositions of ops, one theme a file. Importing this package fills the registry."""

from egc.capture.surface import reductions as reductions
from egc.capture.surface import shapes as shapes
