"""Forms that neither overflow nor cancel: the sigmoid family, log-sum-exp, softmax, variances, binary likelihoods."""

import numpy as np

from egc import (
    Axes,
    at_most_one,
    equation,
    nonempty,
    nonnegative,
    peaks_at_zero,
    require,
    rule,
    special,
    unless,
)


def shift(x, axes):
    """The largest element along axes, kept as axes of length one; 0 where that is infinite or nan."""
    top = np.max(x, axis=axes, keepdims=True)
    return np.where(np.isfinite(top), top, 0)


@rule
def logistic(z):
    """1 / (1 + exp(-z)) = expit z"""
    return 1 / (1 + np.exp(-z)), special.expit(z)


@rule
def logistic_of_negative(z):
    """1 / (1 + exp z) = expit(-z)"""
    return 1 / (1 + np.exp(z)), special.expit(-z)


@rule(stabilizes="overflow")
def logistic_as_share(z):
    """exp z / (1 + exp z) = expit z"""
    return np.exp(z) / (1 + np.exp(z)), special.expit(z)


@rule(stabilizes="overflow")
def logistic_as_share_of_negative(z):
    """exp(-z) / (1 + exp(-z)) = expit(-z)"""
    return np.exp(-z) / (1 + np.exp(-z)), special.expit(-z)


@rule
def over_one_plus_exp(x, z):
    """x / (1 + exp(-z)) = x expit z"""
    return x / (1 + np.exp(-z)), x * special.expit(z)


@rule
def logistic_of_tanh(z):
    """(1 + tanh(z / 2)) / 2 = expit z, which does not cancel for z < 0"""
    return 0.5 * (1 + np.tanh(0.5 * z)), special.expit(z)


@rule
def tanh_of_logistic(z):
    """2 expit(2 z) - 1 = tanh z, which does not cancel near 0"""
    return 2 * special.expit(2 * z) - 1, np.tanh(z)


@rule(stabilizes="cancellation")
def complement_of_logistic(z):
    """1 - expit z = expit(-z), which does not cancel for z > 0"""
    return 1 - special.expit(z), special.expit(-z)


@rule(stabilizes="cancellation")
def complement_of_written_logistic(z):
    """1 - 1 / (1 + exp(-z)) = expit(-z), which does not cancel for z > 0"""
    return 1 - 1 / (1 + np.exp(-z)), special.expit(-z)


@rule(stabilizes="overflow")
def log_of_logistic(z):
    """log(expit z) = log_expit z, which does not underflow"""
    return np.log(special.expit(z)), special.log_expit(z)


@rule(stabilizes="overflow")
def log_of_complement_of_logistic(z):
    """log(1 - expit z) = log_expit(-z)"""
    return np.log(1 - special.expit(z)), special.log_expit(-z)


@rule(stabilizes="overflow")
def log1p_of_negative_logistic(z):
    """log1p(-expit z) = log_expit(-z)"""
    return np.log1p(-special.expit(z)), special.log_expit(-z)


@rule(stabilizes="overflow")
def log_of_written_logistic(z):
    """log(1 / (1 + exp(-z))) = -logaddexp(0, -z)"""
    return np.log(1 / (1 + np.exp(-z))), -np.logaddexp(0, -z)


@equation
def log_logistic_is_softplus(z):
    """log_expit z = -logaddexp(0, -z)"""
    return special.log_expit(z), -np.logaddexp(0, -z)


@rule
def softplus_is_log_logistic(z):
    """logaddexp(0, z) = -log_expit(-z)"""
    return np.logaddexp(0, z), -special.log_expit(-z)


@rule
def exp_of_log_logistic(z):
    """exp(log_expit z) = expit z"""
    return np.exp(special.log_expit(z)), special.expit(z)


@rule
def exp_of_negative_softplus(z):
    """exp(-logaddexp(0, z)) = expit(-z)"""
    return np.exp(-np.logaddexp(0, z)), special.expit(-z)


@rule(stabilizes="cancellation")
def log_logistic_minus_argument(z):
    """log_expit z - z = log_expit(-z)"""
    return special.log_expit(z) - z, special.log_expit(-z)


@rule(stabilizes="cancellation")
def argument_minus_softplus(z):
    """z - logaddexp(0, z) = log_expit z, which does not cancel for z > 0"""
    return z - np.logaddexp(0, z), special.log_expit(z)


@rule
def logit_of_odds(p):
    """log(p / (1 - p)) = logit p"""
    return np.log(p / (1 - p)), special.logit(p)


@rule
def logit_of_logs(p):
    """log p - log1p(-p) = logit p"""
    return np.log(p) - np.log1p(-p), special.logit(p)


@rule
def logit_of_logistic(z):
    """logit(expit z) = z"""
    return special.logit(special.expit(z)), z


@rule
def logistic_of_logit(p):
    """expit(logit p) = p, for 0 <= p <= 1"""
    require(nonnegative(p), at_most_one(p))
    return special.expit(special.logit(p)), p


@rule
def logit_of_complement(p):
    """logit(1 - p) = -logit p, for p >= 0"""
    require(nonnegative(p))
    return special.logit(1 - p), -special.logit(p)


@rule
def odds_of_logistic(z):
    """expit z / expit(-z) = exp z"""
    return special.expit(z) / special.expit(-z), np.exp(z)


@rule
def logistic_of_log(x):
    """expit(log x) = 1 / (1 + 1 / x), for x >= 0"""
    require(nonnegative(x))
    return special.expit(np.log(x)), 1 / (1 + 1 / x)


@rule
def binary_log_likelihood(y, z):
    """y log_expit(z) + (1 - y) log_expit(-z) = y min(z, 0) - (1 - y) max(z, 0) - log1p(exp(-|z|)), one exponential"""
    logs = special.log_expit(z), special.log_expit(-z)
    return (
        y * logs[0] + (1 - y) * logs[1],
        y * np.minimum(z, 0) - (1 - y) * np.maximum(z, 0) - np.log1p(np.exp(-np.abs(z))),
    )


# Retired from the class real: y log_expit(z) + (1 - y) log_expit(-z) = y z - logaddexp(0, z), which is 0 and not -2e-22 at y = 1,
# z = 50.


@rule(precision="finite")
def binary_log_likelihood_as_softplus(y, z):
    """y log_expit(z) + (1 - y) log_expit(-z) = y z - logaddexp(0, z); nan for z = inf, where the left is -inf"""
    return y * special.log_expit(z) + (1 - y) * special.log_expit(-z), y * z - np.logaddexp(0, z)


@rule
def binary_cross_entropy(y, z):
    """y softplus(-z) + (1 - y) softplus(z) = (1 - y) max(z, 0) - y min(z, 0) + log1p(exp(-|z|)), one exponential"""
    return (
        y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z),
        (1 - y) * np.maximum(z, 0) - y * np.minimum(z, 0) + np.log1p(np.exp(-np.abs(z))),
    )


@rule(stabilizes="overflow")
def log_sum_exp(x, axes: Axes):
    """log sum exp x = m + log sum exp(x - m) with m = max x, which does not overflow"""
    require(nonempty(x))
    unless(peaks_at_zero(x))
    m = shift(x, axes)
    right = np.squeeze(m, axis=axes) + np.log(np.sum(np.exp(x - m), axis=axes))
    return np.log(np.sum(np.exp(x), axis=axes)), right


@rule(stabilizes="overflow")
def log_sum_exp_keeping_axes(x, axes: Axes):
    """log sum exp x = m + log sum exp(x - m) with m = max x, which does not overflow"""
    require(nonempty(x))
    unless(peaks_at_zero(x))
    m = shift(x, axes)
    left = np.log(np.sum(np.exp(x), axis=axes, keepdims=True))
    return left, m + np.log(np.sum(np.exp(x - m), axis=axes, keepdims=True))


@rule(stabilizes="overflow")
def log_mean_exp(x, axes: Axes):
    """log mean exp x = m + log mean exp(x - m) with m = max x, which does not overflow"""
    require(nonempty(x))
    unless(peaks_at_zero(x))
    m = shift(x, axes)
    right = np.squeeze(m, axis=axes) + np.log(np.mean(np.exp(x - m), axis=axes))
    return np.log(np.mean(np.exp(x), axis=axes)), right


@rule(stabilizes="overflow")
def softmax(x, axes: Axes):
    """exp x / sum exp x = exp(x - m) / sum exp(x - m) with m = max x, which does not overflow"""
    require(nonempty(x))
    unless(peaks_at_zero(x))
    raised = np.exp(x - shift(x, axes))
    return (
        np.exp(x) / np.sum(np.exp(x), axis=axes, keepdims=True),
        raised / np.sum(raised, axis=axes, keepdims=True),
    )


@rule(stabilizes="overflow")
def log_softmax(x, axes: Axes):
    """log(exp x / sum exp x) = (x - m) - log sum exp(x - m) with m = max x, which neither over- nor underflows"""
    require(nonempty(x))
    unless(peaks_at_zero(x))
    m = shift(x, axes)
    left = np.log(np.exp(x) / np.sum(np.exp(x), axis=axes, keepdims=True))
    return left, (x - m) - np.log(np.sum(np.exp(x - m), axis=axes, keepdims=True))


@rule(stabilizes="cancellation")
def centred_variance(x, axes: Axes):
    """mean(x^2) - mean(x)^2 = mean((x - mean x)^2), which does not cancel"""
    require(nonempty(x))
    centred = x - np.mean(x, axis=axes, keepdims=True)
    return (
        np.mean(x * x, axis=axes) - np.mean(x, axis=axes) * np.mean(x, axis=axes),
        np.mean(centred * centred, axis=axes),
    )


@rule(precision="finite")
def centred_covariance(x, y, axes: Axes):
    """mean(x y) - mean(x) mean(y) = mean((x - mean x) (y - mean y)), which does not cancel; nan for y infinite"""
    require(nonempty(x))
    products = (x - np.mean(x, axis=axes, keepdims=True)) * (y - np.mean(y, axis=axes, keepdims=True))
    return np.mean(x * y, axis=axes) - np.mean(x, axis=axes) * np.mean(y, axis=axes), np.mean(products, axis=axes)


@rule(stabilizes="cancellation")
def squared_distance(x, y, axes: Axes):
    """sum(x^2) - 2 sum(x y) + sum(y^2) = sum((x - y)^2), which does not cancel; never the other way"""
    d = x - y
    left = np.sum(x * x, axis=axes) - 2 * np.sum(x * y, axis=axes) + np.sum(y * y, axis=axes)
    return left, np.sum(d * d, axis=axes)


@rule(stabilizes="overflow")
def log_of_product_over_axes(x, axes: Axes):
    """log prod x = sum log x, for x > 0, which does not overflow"""
    require(nonnegative(x))
    return np.log(np.prod(x, axis=axes)), np.sum(np.log(x), axis=axes)


@rule
def product_of_exps_over_axes(x, axes: Axes):
    """prod exp x = exp sum x, which does not overflow on the way"""
    return np.prod(np.exp(x), axis=axes), np.exp(np.sum(x, axis=axes))


@rule(precision="finite")
def hypotenuse(x, y):
    """sqrt(x^2 + y^2) = hypot(x, y), which does not overflow; hypot(inf, nan) is inf"""
    return np.sqrt(x * x + y * y), np.hypot(x, y)
