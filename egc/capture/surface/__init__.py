"""NumPy's and SciPy's functions as compositions of ops, one theme a file. Importing this package fills the registry."""

from egc.capture.surface import creation as creation
from egc.capture.surface import diagonals as diagonals
from egc.capture.surface import differences as differences
from egc.capture.surface import einsum as einsum
from egc.capture.surface import grids as grids
from egc.capture.surface import histograms as histograms
from egc.capture.surface import joining as joining
from egc.capture.surface import linear_algebra as linear_algebra
from egc.capture.surface import nan_reductions as nan_reductions
from egc.capture.surface import norms as norms
from egc.capture.surface import order_statistics as order_statistics
from egc.capture.surface import padding as padding
from egc.capture.surface import products as products
from egc.capture.surface import rearranging as rearranging
from egc.capture.surface import reductions as reductions
from egc.capture.surface import scans as scans
from egc.capture.surface import scipy_linalg as scipy_linalg
from egc.capture.surface import selection as selection
from egc.capture.surface import shapes as shapes
from egc.capture.surface import sorting as sorting
from egc.capture.surface import special as special
from egc.capture.surface import special_matrices as special_matrices
from egc.capture.surface import ufunc_methods as ufunc_methods
