"""Ordinary functions, as users write them: what is recorded in the tests."""

from functools import reduce

import numpy as np
from array_api_compat import array_namespace

RANDOM = np.random.default_rng(7)
WEIGHTS, OFFSETS = RANDOM.normal(size=(2, 12)), RANDOM.normal(size=12)
SECOND, OUTER = RANDOM.normal(size=(12, 5)), RANDOM.normal(size=5)
CENTERS = RANDOM.uniform(-2, 2, size=(40, 2))
TENSOR = RANDOM.normal(size=(3, 2, 2))


def standard(t):
    xp = array_namespace(t)
    return xp.sum(xp.exp(-(t**2)), axis=-1) + xp.vecdot(t, xp.asarray([1.0, -2.0]))


def network(t):
    return np.tanh(np.tanh(t @ WEIGHTS + OFFSETS) @ SECOND) @ OUTER


def horner(t):
    x, y = t[..., 0], t[..., 1]
    return reduce(lambda value, a: value * x + a * y, [0.5, -1.0, 2.0, -0.25, 3.0], 0 * x)


def beale(t):
    x, y = t[..., 0], t[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def dents(t):
    away = t[..., None, :] - CENTERS
    return np.sum(t**2, axis=-1) - np.exp(-np.sum(away * away, axis=-1) / 0.5).sum(axis=-1)


def softmax(t):
    logits = t @ WEIGHTS
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(shifted), axis=-1)) + np.max(logits, axis=-1)


def quadratic_form(t):
    return ((t @ np.array([[2.0, 1.0], [1.0, 3.0]])) * t).sum(-1)


def contractions(t):
    pair = np.stack([t, t**2], axis=-2)
    rows = np.einsum("ij,jk->ik", CENTERS[:2], np.swapaxes(pair, -1, -2)) if pair.ndim == 2 else None
    return (
        np.trace(rows)
        if rows is not None
        else np.sum(np.swapaxes(CENTERS[:2], -1, -2) * np.swapaxes(pair, -1, -2), (-2, -1))
    )


SMOOTH = {  # of two variables, smooth for 0.1 < θ < 2.3
    "standard": standard,
    "network": network,
    "horner": horner,
    "beale": beale,
    "dents": dents,
    "softmax": softmax,
    "quadratic form": quadratic_form,
    "contractions": contractions,
    "plane": lambda t: 3 * t[..., 0] - 2 * t[..., 1] + 1,
    "constant": lambda t: 0 * t[..., 0] + 4.0,
    "waves": lambda t: np.sin(3 * t[..., 0]) * np.cos(t[..., 1] ** 2) + np.tan(t[..., 0] / 2),
    "inverse waves": lambda t: np.arcsin(t[..., 0] / 3) + np.arccos(t[..., 1] / 3) * np.arctan(t[..., 0]),
    "hyperbolic": lambda t: np.sinh(t[..., 0]) - np.cosh(t[..., 1]) * np.tanh(t[..., 0] * t[..., 1]),
    "inverse hyperbolic": lambda t: np.arcsinh(t[..., 0]) + np.arccosh(1.5 + t[..., 1]) + np.arctanh(t[..., 0] / 3),
    "angles": lambda t: np.arctan2(t[..., 1], t[..., 0]) * np.hypot(t[..., 0], t[..., 1]),
    "exponentials": lambda t: np.exp(t[..., 0]) + np.expm1(t[..., 1]) * np.exp2(t[..., 0]),
    "logarithms": lambda t: np.log(t[..., 0]) * np.log1p(t[..., 1]) + np.log2(t[..., 0]) - np.log10(t[..., 1]),
    "log of sums": lambda t: np.logaddexp(t[..., 0], -t[..., 1]),
    "powers": lambda t: t[..., 0] ** 1.5 + t[..., 1] ** -2 + t[..., 0] ** t[..., 1] + 2 ** t[..., 0] + t[..., 1] ** 7,
    "roots": lambda t: np.sqrt(1 + (t**2).sum(-1)) / np.reciprocal(t[..., 0]),
    "pieces": lambda t: np.where(t[..., 0] > 1.1, t[..., 0] ** 3, np.sin(t[..., 1])) + np.abs(t[..., 0] - 0.7),
    "bounds": lambda t: np.clip(t, 0.4, 1.9).sum(-1) + np.maximum(t[..., 0], t[..., 1] ** 2) - np.minimum(t[..., 0], 1),
    "clip by keywords": lambda t: np.clip(t[..., 0], a_min=0.45, a_max=None) ** 2 + np.clip(t, None, 1.2)[..., 1],
    "logic": lambda t: np.where((t[..., 0] > 0.8) & ~(t[..., 1] > 1.3) | (t[..., 0] == 9), t[..., 0] ** 2, t[..., 1]),
    "steps": lambda t: np.round(3 * t[..., 0]) * t[..., 1] + np.floor(t[..., 1]) * t[..., 0] + np.sign(t[..., 0] - 1),
    "remainders": lambda t: t[..., 0] % 0.7 + (-t[..., 1]) % 0.9 + t[..., 0] // 0.3,
    "sorted": lambda t: (np.sort(np.stack([t[..., 0], t[..., 1] ** 2, 0.5 * t[..., 0]], -1), axis=-1) * [1, 2, 4]).sum(
        -1
    ),
    "extremes": lambda t: np.max(t * [1.0, 1.3], axis=-1) ** 2 + t.min(axis=-1) + np.ptp(t, axis=-1),
    "long maximum": lambda t: np.max(np.cos(t[..., :1] * np.arange(1.0, 31.0)) + 0.01 * np.arange(30.0), axis=-1),
    "norms": lambda t: np.linalg.norm(t, axis=-1) + np.linalg.norm(t, ord=1, axis=-1) * np.linalg.norm(t, np.inf, -1),
    "higher norms": lambda t: np.linalg.vector_norm(t, ord=3, axis=-1, keepdims=True)[..., 0],
    "means": lambda t: np.mean(t**2, axis=-1) + np.var(t, axis=-1, ddof=1) * np.std(t, axis=-1),
    "reductions with arguments": lambda t: np.sum(t, axis=-1, keepdims=True, initial=2.0)[..., 0] + np.prod(t, axis=-1),
    "reductions where": lambda t: (
        np.sum(t, axis=-1, where=[True, False]) + np.mean(t, axis=-1, where=t**2 >= 0.5 * t[..., :1] ** 2)
    ),
    "prefix sums": lambda t: (np.cumsum(np.stack([t[..., 0]] * 5, -1), axis=-1) * np.arange(5.0)).sum(-1) ** 2,
    "prefix products": lambda t: np.cumprod(np.concatenate([t, t, t], axis=-1), axis=-1)[..., 2:].sum(-1),
    "differences": lambda t: np.sum(np.diff(np.concatenate([t, t**2, 3 * t], axis=-1), axis=-1) ** 2, axis=-1),
    "moved entries": lambda t: (np.roll(t, 1, axis=-1) * np.flip(t, -1) * np.tile(t, 2)[..., 1:3]).sum(-1),
    "new axes": lambda t: (t[..., None, :] * t[..., :, None])[..., [0, 1], [1, 0]].sum(-1) + t[..., ::-1][..., 0],
    "matrices": lambda t: (
        np.tensordot(t, TENSOR, axes=((-1,), (1,))).sum((-2, -1)) if t.ndim > 1 else (t @ TENSOR).sum()
    ),
    "padded": lambda t: (
        (np.concatenate([t[..., 1:], 0 * t[..., :1]], -1) * t).sum(-1) + np.broadcast_to(t, t.shape)[..., 0]
    ),
    "reflected operators": lambda t: 2 - t[..., 0] + 3 / t[..., 1] + (1 - t[..., 0]) * (-t[..., 1]) + (+t[..., 0]),
    "running index": lambda t: np.sum(np.sin(t[..., np.arange(30) % 2] * np.arange(1.0, 31.0)), axis=-1),
    "joined loops": lambda t: np.sum(
        np.concatenate([np.sin(t[..., :1] * np.arange(20.0)), np.exp(-t)], -1) ** 2, axis=-1
    ),
    "nested loops": lambda t: np.sum(
        np.cos(np.mean(np.sin(t[..., :1, None] * CENTERS[:20, :1] + CENTERS[:, 1]), -1)), -1
    ),
}
