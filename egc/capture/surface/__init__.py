"""NumPy's and SciPy's functions as compositions of ops, one theme a file. Importing this package fills the registry."""
