"""NumPy's and SciPy's names for PyTorch: its own functions, and what these two call otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch


def block(rows: Any) -> torch.Tensor:
    return torch.cat([torch.cat(list(row), dim=1) for row in rows])


def svd(a: torch.Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return torch.linalg.svd(a, full_matrices=full_matrices) if compute_uv else torch.linalg.svdvals(a)


numpy = SimpleNamespace(**vars(torch))
numpy.block = block
numpy.linalg = SimpleNamespace(**vars(torch.linalg))
numpy.linalg.svd = svd
linalg = SimpleNamespace(block_diag=torch.block_diag, expm=torch.linalg.matrix_exp)
