"""Internal failures raise in the tests instead of falling back; options and caches of the user's machine do not count."""

import os

from hypothesis import settings

os.environ["EGC_RAISE"] = "1"
os.environ["EGC_OPTIONS"] = os.devnull + ".none"
os.environ["EGC_CACHE_DIR"] = "off"
os.environ["EGC_COSTS"] = os.devnull + ".none"

settings.register_profile("egc", deadline=None)
settings.load_profile("egc")
