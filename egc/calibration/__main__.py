"""`python -m egc.calibration BACKEND FILE`: measures in this process, and writes the table."""

from __future__ import annotations

import sys
from pathlib import Path

from egc import backend as backends
from egc.calibration import calibrate, machine
from egc.costtable import write_table


def main(name: str, file: str) -> None:
    def report(step: str) -> None:
        print(f"{name}: {step}", file=sys.stderr, flush=True)

    table = calibrate(backends.load(name), report=report)
    write_table(Path(file), table, {"backend": name, **machine()})


if __name__ == "__main__":
    main(*sys.argv[1:])
