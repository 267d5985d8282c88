"""The sentences of random programs: NumPy expressions and statements with blanks for values of some kind.

A blank `{F}` is filled with a variable or an expression of kind F; blanks with one digit, as in `{F1}`, are filled alike.
Kinds: F floating, A any array, N number, V vector, M matrix, I integers, B bools, Z complex, W well-conditioned square
matrix, D positive definite matrix, T something that may be written to; c a constant, i a small integer, x an axis,
s a basic index, p a power. A bar with no space before it stands between two sentences.
"""

import re

ELEMENTWISE = """
{F} + {F}|{F} - {F}|{F} * {F}|{F} / {F}|-{F}|{F} + {c}|{F} * {c}|{c} - {F}|{F} / {c}|{c} / {F}|{F} ** {p}|{F} ** 2
{N} + {N}|{N} * {N}|{N} - {N}|{N} / {N}|{A} + {i}|{A} * {i}|{F1} * {F2} + {F1} * {F3}|({F1} + {F2}) * ({F1} - {F2})
np.exp({F})|np.log({F})|np.sqrt({F})|np.sin({F})|np.cos({F})|np.tanh({F})|np.arctan({F})|np.abs({N})|np.square({F})
np.log1p({F})|np.expm1({F})|np.sinh({F})|np.cosh({F})|np.arctan2({F}, {F})|np.hypot({F}, {F})|np.cbrt({F})|np.sign({F})
np.exp2({F})|np.log2({F})|np.log10({F})|np.reciprocal({F})|np.maximum({F}, {F})|np.minimum({F}, {c})|np.fmax({F}, {F})
np.floor({F})|np.ceil({F})|np.rint({F})|np.trunc({F})|{F} % {c}|{F} // {c}|np.copysign({F}, {F})|np.power(np.abs({F}), {F})
np.logaddexp({F}, {F})|np.clip({F}, -0.5, 1.5)|np.clip({I}, 0, 3)|{F}.clip(min={c})|np.where({B}, {F}, {F})
np.where({F1} > 0, {F1}, {c} * {F1})|np.where({F1} < {F2}, {F1}, {F2})|np.where({B}, {F}, 0)|np.nan_to_num({F})
{I} + {I}|{I} * {I}|{I} // 3|{I} % 4|{I} ** 2|{I} & 3|{I} | {I}|{I} ^ {I}|{I} << 1|-{I}|{I} >> 1|~{I}|{I} - {I}|{I} / {I}
{F} * {I}|{I} * {c}|{F} + {B}|{B} * {F}|{F} > {F}|{F} <= {c}|{I} == {I}|{I} != {i}|{B} & {B}|{B} | {B}|~{B}|{B} ^ {B}
np.isfinite({F})|np.isnan({F})|np.logical_not({N})|np.logical_and({F} > 0, {B})|{F}.astype(np.float32)|{F}.astype(int)
{N}.astype(float)|{B}.astype(np.int64)|{I}.astype(np.int32)|{F} + 1j * {F}|{Z} * {Z}|np.conj({Z})|{Z}.real|{Z}.imag
np.abs({Z})|np.exp({Z})|{Z} + {F}|np.angle({Z})|{Z} * np.conj({Z})|{F} * np.pi|{F} + np.float32(0.5)|np.deg2rad({F})
np.heaviside({F}, 0.5)|np.fmod({F}, {c})|np.sinc({F})|np.divide({F}, {F})|np.multiply({F}, {i})|abs({F})
"""

STABILITY = """
np.log(np.sum(np.exp({F})))|np.log(1 + np.exp({F}))|1 / (1 + np.exp(-{F}))|np.exp({F1}) / np.sum(np.exp({F1}))
np.log(np.sum(np.exp({F}), axis={x}))|np.exp({M1}) / np.sum(np.exp({M1}), axis=1, keepdims=True)|np.log(np.exp({F}))
np.log(np.exp({F1}) / np.sum(np.exp({F1})))|np.mean({F1} ** 2) - np.mean({F1}) ** 2|np.sqrt(np.sum({F} ** 2))
np.log(1 - np.exp(-np.abs({F}) - 0.1))|np.exp({F}) - 1|np.sqrt({F1} * {F1} + {F2} * {F2})|np.log({c} + {F})
np.log(1 / (1 + np.exp(-{F})))|np.log(1 - 1 / (1 + np.exp(-{F})))|np.exp({F}) * np.exp({F})|np.exp(np.log({F}))
np.log({F1} * {F2})|np.log({F1} / {F2})|np.log({F} ** 2)|(1 - np.cos({F1})) / {F1}|np.sqrt({F1} + 1) - np.sqrt({F1})
np.sum(({F1} - np.mean({F1})) ** 2)|np.exp({F1} - np.max({F1}))|np.log(np.mean(np.exp({F})))|np.sqrt({F} ** 2)
(np.exp({F1}) - np.exp(-{F1})) / (np.exp({F1}) + np.exp(-{F1}))|np.sin({F1}) ** 2 + np.cos({F1}) ** 2|{F1} / {F1}
np.log(np.prod(np.abs({F}) + 0.5))|np.abs({F}) ** 0.5|({F1} ** 2) ** 0.5|np.exp({F}) ** 2|-np.sum({F1} * np.log({F1}))
np.log(np.exp({F}) + np.exp({F}))|np.exp(-0.5 * ({F} - {c}) ** 2)|np.tanh({F} / 2)|1 / np.sqrt({F})|{F1} - {F1}|0 * {F}
"""

REDUCTIONS = """
np.sum({N})|{F}.sum()|np.sum({A}, axis={x})|np.sum({F}, axis={x}, keepdims=True)|np.mean({F})|np.mean({A}, axis={x})
np.max({F})|np.max({A}, axis={x})|{F}.min()|np.min({F}, axis={x}, keepdims=True)|np.prod({F}, axis={x})|np.std({F})
np.var({F})|np.var({F}, axis={x}, ddof=1)|np.std({F}, axis={x}, keepdims=True)|np.any({B})|np.all({B}, axis={x})
np.argmax({F})|np.argmin({F}, axis={x})|{I}.sum()|np.sum({B})|np.mean({I})|np.sum({M}, axis=(0, 1))|np.linalg.norm({F})
np.linalg.norm({M}, axis=1)|np.sum({F} * {F})|np.sum({F}, dtype=np.float64)|np.count_nonzero({F} > 0)|np.ptp({F})
{F1} - np.mean({F1}, axis=0)|{F1} / np.sum({F1}, axis={x}, keepdims=True)|np.cumsum({F}, axis={x})|np.cumsum({A})
np.cumprod({F}, axis={x})|np.sum({F} + {F}, axis={x})|np.sum({c} * {F})|np.median({F})|np.average({F1}, weights=np.abs({F1}))
np.maximum.reduce({F}, axis={x})|np.add.reduce({F})|np.add.accumulate({F})|np.diff({F}, axis={x})|np.linalg.norm({V}, 1)
np.sum((np.expand_dims({V}, 1) - {V}) ** 2, axis=1)|np.sum({M} * {V}, axis=1)|np.sum(np.where({B}, {F}, 0), axis={x})
np.mean({F1} * {F1}, axis={x})|np.min({I})|np.max({I}, axis={x})|np.argmax({I}, axis={x})|np.nansum({F})|np.sum(-{F})
"""

SHAPES = """
{A}.T|np.transpose({M})|{A}.reshape(-1)|{A}.ravel()|{M}.reshape({M1}.shape)|np.expand_dims({A}, {x})|np.squeeze({A})
{A}[None]|{V}[:, None]|{V}[None, :]|{A}[{s}]|{A}[{s}]|{A}[{s}]|{M}[{i}]|{M}[:, {i}]|{V}[{i}]|{V}[::-1]|{M}[::-1, ::2]
{A}[..., {i}]|{A}[..., None]|{A}[-1]|{M}[1:, :-1]|{V}[1:] - {V}[:-1]|{V}[np.array([0, 1, 0])]|{M}[[1, 0]]|{M}[:, [0, 1, 1]]
{M}[np.arange(2), np.arange(2)]|np.take({A}, [0, 1], axis={x})|np.concatenate([{V}, {V}])|np.concatenate([{M1}, {M1}], axis=1)
np.stack([{V1}, {V1} * 2])|np.stack([{F1}, {F1}], axis={x})|np.hstack([{V}, {V}])|np.vstack([{M1}, {M1}])|np.roll({A}, {i})
np.roll({M}, {i}, axis={x})|np.flip({A}, {x})|np.tile({V}, 2)|np.repeat({A}, 2, axis={x})|np.pad({V}, 1)|np.swapaxes({M}, 0, 1)
np.broadcast_to({V}, (2,) + {V1}.shape)|np.zeros_like({A})|np.ones_like({F})|np.zeros({A}.shape)|np.full({V}.shape, {c})
np.arange({A}.shape[0])|np.arange({V1}.shape[0]) * {V1}|np.eye({V}.shape[0])|np.diag({V})|np.diag({M})|np.tril({M})
np.triu({M}, 1)|np.sort({V})|np.sort({A}, axis={x})|np.argsort({V}, kind="stable")|{V1}[np.argsort({V1}, kind="stable")]
np.linspace(0, 1, {V}.shape[0]) * {c}|np.outer({V}, {V})|np.meshgrid({V}, {V})[0]|np.atleast_2d({A})|np.moveaxis({A}, 0, -1)
{A}.copy()|{A}.flatten()|np.array([{F1}.sum(), {F1}.max()])|np.searchsorted(np.sort({V1}), {V})|np.trace({M})|{A}.size * {F}
{F} * {A}.shape[0]|len({A}) + {N}|np.split({V}, [1])[1]|np.append({V}, {V})|np.where({F1} > {c}, 1, 0)|np.triu({W})
np.interp({F}, np.array([-1.0, 0.0, 2.0]), np.array([0.0, 1.0, -1.0]))|np.convolve({V}, {V})|np.atleast_1d({N})
{A}[..., ::-1]|{M}.sum(axis=1)[:, None]|np.bincount(np.abs({I}).ravel() % 5, minlength=5)|np.histogram({V}, 3, (-2, 2))[0]
"""

LINEAR_ALGEBRA = """
{M} @ {M}|{M} @ {V}|{V} @ {V}|{M1}.T @ {M1}|{M} @ {M}.T|np.dot({M}, {V})|np.dot({V1}, {V1})|np.linalg.inv({W})
np.linalg.inv({W}) @ {V}|np.linalg.inv({W}) @ {M}|np.linalg.solve({W}, {V})|np.linalg.solve({W}, {M})|np.linalg.det({W})
np.linalg.slogdet({W})[1]|np.log(np.linalg.det({D}))|np.linalg.cholesky({D})|np.linalg.solve({D}, {V})|{W} @ {W} @ {V}
{V1} @ np.linalg.inv({D}) @ {V1}|np.trace({M} @ {M}.T)|np.trace({W} @ {W})|np.einsum("ij,j->i", {M}, {V})|{W}.T @ {W}
np.einsum("ij,ij->", {M1}, {M1})|np.einsum("ij,kj->ik", {M}, {M})|np.tensordot({M}, {M}, axes=1)|np.inner({V1}, {V1})
np.linalg.eigvalsh({D})|{W1} @ np.linalg.inv({W1})|np.linalg.inv(np.linalg.inv({W}))|np.linalg.matrix_power({W}, 2)
np.diag({V}) @ {M}|{M} @ np.diag({V})|({M} * {c}) @ {M}|{M} @ ({c} * {V})|({M1} @ {M2}).T|{M} @ {M} @ {M}
np.eye(len({W1})) @ {W1}|np.linalg.inv({W1} @ {W2}) @ {V}
np.linalg.inv({W1}.T)|np.linalg.det({W1} @ {W1})|np.sum(({M1} - np.outer({V1}, {V2})) ** 2)
{M1} @ {V1} + {M1} @ {V2}|np.sum({M} @ {M})|np.vecdot({V1}, {V1})|np.kron({V}, {V})|np.linalg.svd({W}, compute_uv=False)
np.linalg.pinv({W})|np.linalg.norm({W}, 2)|np.diag({W} @ {W})|np.linalg.qr({W})[1].shape[0] * {F}|{Z} @ {V}
"""

SPECIAL = """
special.expit({F})|special.erf({F})|special.logsumexp({F})|special.softmax({F})|special.log_expit({F})|special.erfc({F})
special.gammaln(np.abs({F}) + 0.5)|special.xlogy(np.abs({F1}), np.abs({F1}))|special.log_softmax({F})|special.logit({F})
special.logsumexp({F}, axis={x})|special.digamma(np.abs({F}) + 1)|special.entr({F})|special.ndtr({F})
"""

HELPERS_CALLED = """
centered({F})|scaled({F}, factor={c})|scaled({F})|(lambda t, k=2: t * k + 1)({F})|polynomial({F}, [1.0, {c}, 0.5])
sum([{F1} * j for j in range(3)])|extremes({F})[0]|max(2, {A}.ndim) * {F}|float({F}.sum())|int({A}.shape[0]) + {F}
[{F1}, {F2}][1]|dict(a={F})["a"]|math.sqrt(2) * {F}|({F} if {A}.ndim > 1 else {A})|functools.reduce(np.add, [{F1}, {F1}, {F2}])
"""

EXPRESSIONS = {
    "elementwise": (6, ELEMENTWISE),
    "stability": (3, STABILITY),
    "reductions": (4, REDUCTIONS),
    "shapes": (5, SHAPES),
    "linear algebra": (3, LINEAR_ALGEBRA),
    "special": (1, SPECIAL),
    "helpers": (1, HELPERS_CALLED),
}
"""Expressions by theme, with how often the theme is chosen."""

STATEMENTS = """
{T1} += {F}|{T1} *= {c}|{T1} -= {T1}.mean()|{T1} /= {c}|{T1}[{s}] = {F}|{T1}[{s}] += {F}|{T1}[{i}] = {c}|{T1}[...] = {F}
{T1}[{T1} > 0] = {c}|{T1}[{T1} < {c}] *= 2.0|{T1}[:, {i}] = {V}|{T1}[:, {i}] -= {c}|{T1}[1:] += {T1}[:-1]|{T1}[::-1] = {F}
{T1}[[0, 1]] = {F}|np.add.at({T1}, [0, 1, 0], {c})|{T1}[...] *= 2|{T1}.fill({c})|np.copyto({T1}, {F})|{T1}[::2] = {T1}[::2] * 2
{new} = {T1}[{s}]; {new}[...] = {c}|{new} = {T1}.T; {new} += {c}|{new} = {T1}.copy(); {new}[0] = {c}|{T1} **= 2
np.exp({T1}, out={T1})|np.add({F}, {F}, out={T1})|{new} = {T1}.reshape(-1); {new}[0] = {c}|{T1}[-1] = {T1}[0]
{new}, {new2} = {F}, {F}|{new}, {new2} = extremes({F})|{new} = np.empty({F1}.shape); {new}[...] = {F1}|{T1} = {T1} + {F}
for j in range(3): {new} = {F} * j|for j in range(2): {T1} = {T1} * 0.5 + {F1} * j
for j in range(len({V1})): {new} = {V1}[j] * {c}
for row in [{F1}, {F2}]: {new} = row * 2|if {A}.shape[0] > 2: {new} = {F1} + 1; else: {new} = {F1} - 1
for j, v in enumerate([{F1}, {F2}]): {new} = v + j|if {A}.ndim == 2: {new} = {F1} * {c}; else: {new} = {F1}
"""

HELPERS = """\
def centered(x):
    return x - x.mean()


def scaled(x, factor=2.0, *, shift=0):
    y = x * factor
    return y + shift if shift else y


def polynomial(x, coefficients):
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def extremes(x):
    return np.min(x), np.max(x)
"""


def sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<! )\||\n", text) if sentence]
