"""Random loops and branches over arrays that are updated: compiled code gives what the reference gives.

The law of `egc.lower.inplace`: no element of an older version is read after a newer one took its place. The bodies mix updates
of elements, parts and wholes, indices that are data, older versions that are read or returned later, exchanges, inner loops and
branches. `EGC_REGIONS=500` runs so many programs.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from egc import ir, sizes
from egc.ir import make

from .test_regions import N, add, agree, argument, at, cond, filled, loop, mul, number, part, put, put_part, repeated

PROGRAMS = int(os.environ.get("EGC_REGIONS", "10"))


class _Body:
    """Makes the results of a region from its inputs. `arrays` and `scalars` are all versions that there are, so that older
    ones are read and returned too."""

    def __init__(self, rng, depth, arrays, scalars, indices):
        self.rng, self.depth = rng, depth
        self.arrays, self.scalars, self.indices = list(arrays), list(scalars), indices

    def pick(self, values):
        """Mostly one of the last."""
        back = min(int(self.rng.geometric(0.6)), len(values))
        return values[-back]

    def place(self):
        i = sizes.symbol(f"_i{self.rng.integers(1, self.depth + 1)}")
        return [i, i + 1, 0, N - 1, N - 2 - i][self.rng.integers(5)]

    def element(self):
        return at(self.pick(self.arrays), self.place())

    def scalar(self):
        match self.rng.integers(4):
            case 0:
                return self.pick(self.scalars)
            case 1:
                return number(0.5)
            case 2:
                return mul(number(0.5), add(self.element(), self.pick(self.scalars)))
        return self.element()

    def array(self):
        match self.rng.integers(3):
            case 0:
                return self.pick(self.arrays)
            case 1:
                return mul(filled(0.5, N), add(self.pick(self.arrays), self.pick(self.arrays)))
        return add(self.pick(self.arrays), repeated(self.scalar(), N))

    def statement(self, kinds=9):
        match self.rng.integers(kinds):
            case 0 | 1:
                self.arrays.append(put(self.pick(self.arrays), self.scalar(), self.place()))
            case 2:
                self.arrays.append(self.array())
            case 3:
                self.scalars.append(self.scalar())
            case 4:
                first, second = self.rng.integers(0, 3, size=2)
                target, source = self.pick(self.arrays), self.pick(self.arrays)
                value = add(part(source, (int(second), N - 2)), part(self.pick(self.arrays), (1, N - 2)))
                self.arrays.append(put_part(target, mul(filled(0.5, N - 2), value), int(first)))
            case 5:
                i, x = sizes.symbol(f"_i{self.depth}"), self.pick(self.arrays)
                start = [0, 1][self.rng.integers(2)]
                value = mul(part(x, (start, i)), part(self.pick(self.arrays), (0, i)))
                self.arrays.append(put_part(x, value, [0, 1][self.rng.integers(2)]))
            case 6:
                value, index = self.scalar(), at(self.indices, self.place())
                way = ["set", "add"][self.rng.integers(2)]
                self.arrays.append(make("scatter", self.pick(self.arrays), value, index, axes=(0,), combine=way))
            case 7:
                self.inner()
            case 8:
                self.branch()

    def inner(self):
        taken = [self.pick(self.arrays), self.pick(self.arrays)]
        depth = self.depth + 1

        def body(i, x, s, y, indices):
            return self.results(depth, [y, x], [s], indices, 1, 4)

        count = ir.size([N - 2, 2, sizes.symbol("_i1")][self.rng.integers(3)])
        x, s = loop(depth, count, [taken[0], self.pick(self.scalars)], body, [taken[1], self.indices])
        self.arrays.append(x)
        self.scalars.append(s)

    def branch(self):
        given = [self.pick(self.arrays), self.pick(self.arrays), self.pick(self.scalars), self.indices]
        results = [
            lambda x, y, s, indices: self.results(self.depth, [y, x], [s], indices, 2, 4),
            lambda x, y, s, indices: (x, y, s),
            lambda x, y, s, indices: self.results(self.depth, [x, y], [s], indices, 2, 3),
        ]
        then, otherwise = (results[k] for k in self.rng.permutation(3)[:2])
        small = make("less", self.element(), number(0.3))
        x, y, s = cond(self.depth + 10 * len(self.arrays), small, then, otherwise, given)
        self.arrays += [y, x]
        self.scalars.append(s)

    def results(self, depth, arrays, scalars, indices, count, statements):
        kinds = 9 if depth < 3 and len(self.arrays) < 8 else 7
        body = _Body(self.rng, depth, arrays, scalars, indices)
        for _ in range(self.rng.integers(1, statements)):
            body.statement(kinds)
        return *(body.pick(body.arrays) for _ in range(count)), body.pick(body.scalars)


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_random_regions_equal_the_reference(seed):
    rng = np.random.default_rng(seed)
    x, y, z, indices = (argument(name, "f64[n]") for name in "xyz"), None, None, argument("indices", "i64[n]")
    x, y, z = x

    def update(i, a, b, c, s, indices):
        return _Body(rng, 1, [], [], indices).results(1, [c, b, a], [s], indices, 3, 6)

    states = loop(1, ir.size([N - 1, 3, 4][rng.integers(3)]), [x, y, z, number(0.25)], update, [indices])
    values = np.random.default_rng(1)
    calls = [(*values.uniform(-1, 1, size=(3, n)), values.integers(0, n, size=n)) for n in (5, 6, 17)]
    agree([x, y, z, indices], states, *calls, rtol=1e-9)
