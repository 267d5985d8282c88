"""`python -m benchmarks SUITE`: egc and its peers, side by side in one run."""
