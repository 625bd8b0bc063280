"""A reader of vectors that knows nothing but their documentation: JSON, mpmath, and the formulas of the papers."""

from __future__ import annotations

import json
import struct

from mpmath import cos, exp, fdot, fsum, log, mpf, sin, sqrt

WORDS = {16: (">Q", ">d"), 8: (">I", ">f"), 4: (">H", ">e")}
PHI = {
    "sin": (sin, cos),
    "exp": (exp, exp),
    "softplus": (lambda u: log(1 + exp(u)), lambda u: 1 / (1 + exp(-u))),
}


def read(path):
    return {record["id"]: record for record in map(json.loads, path.read_text().splitlines())}


def number(bits):
    """An IEEE bit pattern, or lists of them, as mpf."""
    if isinstance(bits, list):
        return [number(entry) for entry in bits]
    word, value = WORDS[len(bits) - 2]
    return mpf(struct.unpack(value, struct.pack(word, int(bits, 16)))[0])


def given(vector, name):
    return number(vector[name]["bits"])


def flat(numbers):
    """The rows of a matrix, one after the other: losses and the formulas below know vectors."""
    return [x for row in numbers for x in row] if isinstance(numbers[0], list) else numbers


def start(vector):
    return flat(given(vector, "theta"))


def hypers(vector):
    read = ({k: number(v["bits"]) if isinstance(v, dict) else v for k, v in h.items()} for h in vector["hyper"])
    known = list(read)
    return [known[t % len(known)] for t in range(vector.get("iterations", 1))]


def evaluate(loss, theta):
    """f(θ) and ∇f(θ)."""
    parts = [TERMS[term["kind"]](theta=theta, **{k: v["bits"] if isinstance(v, dict) else v for k, v in term.items()})
             for term in loss["terms"]]  # fmt: skip
    return fsum(f for f, _ in parts), [fsum(column) for column in zip(*(g for _, g in parts), strict=True)]


def quadratic(theta, kind, matrix, slope, height):
    curved, b = [fdot(row, theta) for row in number(matrix)], number(slope)
    return fdot(curved, theta) / 2 + fdot(b, theta) + number(height), [c + x for c, x in zip(curved, b, strict=True)]


def ridges(theta, kind, profile, weights, shifts, amplitudes):
    rows, amplitudes = number(weights), number(amplitudes)
    u = [fdot(row, theta) + s for row, s in zip(rows, number(shifts), strict=True)]
    value, slope = PHI[profile]
    slopes = [a * slope(x) for a, x in zip(amplitudes, u, strict=True)]
    return fdot(amplitudes, map(value, u)), [fdot(slopes, column) for column in zip(*rows, strict=True)]


def bumps(theta, kind, centers, amplitude, square_width):
    width, away = number(square_width), [[t - m for t, m in zip(theta, c, strict=True)] for c in number(centers)]
    heights = [number(amplitude) * exp(-fdot(a, a) / width) for a in away]
    return fsum(heights), [-2 * fdot(heights, column) / width for column in zip(*away, strict=True)]


TERMS = {"quadratic": quadratic, "ridges": ridges, "bumps": bumps}


def asked(vector, losses):
    """f and ∇f, evaluated or from the script."""
    if "loss" in vector:
        return lambda theta: evaluate(losses[vector["loss"]], theta)
    gradients = map(flat, number(vector["script"]["gradient"]["bits"]))
    rows = zip(number(vector["script"]["value"]["bits"]), gradients, strict=True)
    return lambda theta: next(rows)


def lift(theta, f, g, h):
    square = fdot(g, g)
    w = sqrt(1 + square)
    normal, tangent = [*(-x / w for x in g), 1 / w], [*g, square]
    center = [p + h["radius"] * n for p, n in zip([*theta, f], normal, strict=True)]
    candidate = [c - h["learning_rate"] * t for c, t in zip(center, tangent, strict=True)]
    return {"normal": normal, "tangent": tangent, "center": center, "candidate": candidate}


def inner(theta, f, g, candidate, rate):
    *x, y = candidate
    return [t - rate * ((t - a) + (f - y) * s) for t, a, s in zip(theta, x, g, strict=True)]


def rolling_ball(vector, losses):
    loss, theta, iterates = asked(vector, losses), start(vector), []
    for h in hypers(vector):
        candidate = lift(theta, *loss(theta), h)["candidate"]
        if vector["dialect"].endswith("candidate"):
            theta = candidate[:-1]
        rate = h["projection_rate"] * (2 if vector["dialect"].startswith("full") else 1)
        for _ in range(h["projection_steps"]):
            theta = inner(theta, *loss(theta), candidate, rate)
        iterates.append(theta)
    return iterates


def adam(vector, losses):
    loss, theta, iterates, dialect = asked(vector, losses), start(vector), [], vector["dialect"]
    m = v = peak = peak_hat = [mpf(0)] * len(theta)
    for t, h in enumerate(hypers(vector), 1):
        (b1, b2), g = h["betas"], loss(theta)[1]
        m = [b1 * a + (1 - b1) * x for a, x in zip(m, g, strict=True)]
        v = [b2 * a + (1 - b2) * x**2 for a, x in zip(v, g, strict=True)]
        peak, corrected = list(map(max, peak, v)), 1 - b2**t
        peak_hat = [max(a, b / corrected) for a, b in zip(peak_hat, v, strict=True)]
        roots = {
            "amsgrad": [sqrt(b / corrected) + h["epsilon"] for b in peak],
            "amsgrad-optax": [sqrt(b) + h["epsilon"] for b in peak_hat],
            "tensorflow": [(sqrt(b) + h["epsilon"]) / sqrt(corrected) for b in v],
        }.get(dialect, [sqrt(b / corrected) + h["epsilon"] for b in v])
        step = [a / (1 - b1**t) / root for a, root in zip(m, roots, strict=True)]
        decay, eta = h.get("weight_decay", 0), h["learning_rate"]
        rate = 1 if dialect == "free-decay" else eta
        theta = [x - eta * s - rate * decay * x for x, s in zip(theta, step, strict=True)]
        iterates.append(theta)
    return iterates


def sam(vector, losses):
    loss, theta, iterates = asked(vector, losses), start(vector), []
    for h in hypers(vector):
        g = loss(theta)[1]
        scale = [x**2 if h["adaptive"] else 1 for x in theta]
        epsilon = 0 if vector["dialect"] == "without-epsilon" else h["epsilon"]
        norm = sqrt(fsum(s * x**2 for s, x in zip(scale, g, strict=True))) + epsilon
        place = [t + h["radius"] * s * x / norm for t, s, x in zip(theta, scale, g, strict=True)]
        theta = [t - h["learning_rate"] * x for t, x in zip(theta, loss(place)[1], strict=True)]
        iterates.append(theta)
    return iterates


def gradient_descent(vector, losses):
    loss, theta, iterates = asked(vector, losses), start(vector), []
    v = [mpf(0)] * len(theta)
    for h in hypers(vector):
        g, mu = loss(theta)[1], h["momentum"]
        new = 1 - mu if vector["dialect"] == "dampened" else 1
        v = [mu * a + new * x for a, x in zip(v, g, strict=True)]
        step = [x + mu * a for a, x in zip(v, g, strict=True)] if h["nesterov"] else v
        theta = [t - h["learning_rate"] * s for t, s in zip(theta, step, strict=True)]
        iterates.append(theta)
    return iterates


RUNS = {"rolling-ball": rolling_ball, "adam": adam, "adamw": adam, "sam": sam, "gradient-descent": gradient_descent}
