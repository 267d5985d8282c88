"""Internal failures raise in the tests instead of falling back."""

import os

os.environ["EGC_RAISE"] = "1"
os.environ["EGC_OPTIONS"] = os.devnull + ".none"
