"""Internal failures raise in the tests instead of falling back; options and caches of the user's machine do not count."""

import os

from hypothesis import settings

from .sampling import left_out

os.environ["EGC_RAISE"] = "1"
os.environ["EGC_OPTIONS"] = os.devnull + ".none"
os.environ["EGC_CACHE_DIR"] = "off"
os.environ["EGC_COSTS"] = os.devnull + ".none"

settings.register_profile("egc", deadline=None)
settings.load_profile("egc")


def pytest_collection_modifyitems(config, items):
    """Of the slow cases of a test a run takes as many as EGC_PROGRAMS says."""
    out = left_out(items)
    if out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in out])
        items[:] = [item for item in items if item.nodeid not in out]
