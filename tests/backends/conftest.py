"""What tests of several files start from."""

import pytest

from egc.backends.numba.crew import CELL
from egc.backends.numba.threads import num_threads, set_num_threads


@pytest.fixture
def threads_are_worth_their_start():
    """Threads begin with a microsecond of work, so that arrays can be small."""
    count, worth = num_threads(), CELL["egc_thread_share"].value
    CELL["egc_thread_share"].value = 1000.0
    yield
    CELL["egc_thread_share"].value = worth
    set_num_threads(count)
