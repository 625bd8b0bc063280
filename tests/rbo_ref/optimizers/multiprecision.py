"""The optimizers once more, in mpmath: written from the papers' formulas, for NumPy arrays of mpf.

A truth is a generator over the steps; each step is a dictionary under the names of the fields of `Step` and of `State`.
"""

from __future__ import annotations

import math

import numpy as np
from mpmath import mp, mpf

# A wave on a bowl, f(θ) = 2 + sin(a·θ) + ½ Σ wᵢθᵢ², positive everywhere. The constants are exact in every dtype.
A = (0.75, -0.5, 0.5, 0.25, -0.75, 0.375)
W = (0.5, 0.25, 0.125, 0.75, 0.375, 0.625)

exact = np.vectorize(lambda x: mpf(float(x)), otypes=[object])
sqrt = np.vectorize(mp.sqrt, otypes=[object])
sign = np.vectorize(mp.sign, otypes=[object])


def value(theta):
    return 2 + mp.sin(exact(A) @ theta) + exact(W) @ theta**2 / 2


def gradient(theta):
    return mp.cos(exact(A) @ theta) * exact(A) + exact(W) * theta


def norm(vector):
    return mp.sqrt(vector @ vector)


def zeros(theta):
    return exact(np.zeros(theta.shape))


def gradient_descent(theta, *, learning_rate, momentum=0.0, nesterov=False):
    eta, mu = mpf(learning_rate), mpf(momentum)
    b = zeros(theta)
    while True:
        height, g = value(theta), gradient(theta)
        b = mu * b + g
        direction = g + mu * b if nesterov else b
        theta = theta - eta * direction
        yield {"theta": theta, "height": height, "gradient": g, "direction": direction, "momentum": b}


def adam(theta, *, learning_rate=1e-3, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0):
    eta, b1, b2, eps, decay = map(mpf, (learning_rate, *betas, epsilon, weight_decay))
    m, v, t = zeros(theta), zeros(theta), 0
    while True:
        t += 1
        height, g = value(theta), gradient(theta)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        direction = m / (1 - b1**t) / (sqrt(v / (1 - b2**t)) + eps)
        theta = (1 - eta * decay) * theta - eta * direction
        yield {
            "theta": theta, "height": height, "gradient": g, "direction": direction, "mean": m, "square": v, "steps": t,
        }  # fmt: skip


def rmsprop(theta, *, learning_rate=1e-2, smoothing=0.99, epsilon=1e-8, momentum=0.0, centered=False):
    eta, alpha, eps, mu = map(mpf, (learning_rate, smoothing, epsilon, momentum))
    square, mean, b = zeros(theta), zeros(theta), zeros(theta)
    while True:
        height, g = value(theta), gradient(theta)
        square = alpha * square + (1 - alpha) * g**2
        mean = alpha * mean + (1 - alpha) * g if centered else mean
        b = mu * b + g / (sqrt(square - mean**2) + eps)
        theta = theta - eta * b
        yield {
            "theta": theta, "height": height, "gradient": g, "direction": b, "square": square - mean**2, "mean": mean,
            "momentum": b,
        }  # fmt: skip


def nadam(theta, *, learning_rate=2e-3, betas=(0.9, 0.999), epsilon=1e-8, momentum_decay=4e-3):
    eta, b1, b2, eps, psi = map(mpf, (learning_rate, *betas, epsilon, momentum_decay))
    m, v, t, product = zeros(theta), zeros(theta), 0, mpf(1)

    def rate(t):
        return b1 * (1 - (mpf(96) / 100) ** (t * psi) / 2)

    while True:
        t += 1
        height, g = value(theta), gradient(theta)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        product *= rate(t)
        ahead = rate(t + 1) * m / (1 - product * rate(t + 1)) + (1 - rate(t)) * g / (1 - product)
        direction = ahead / (sqrt(v / (1 - b2**t)) + eps)
        theta = theta - eta * direction
        yield {
            "theta": theta, "height": height, "gradient": g, "direction": direction, "mean": m, "square": v,
            "product": product, "steps": t,
        }  # fmt: skip


def lion(theta, *, learning_rate=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
    eta, b1, b2, decay = map(mpf, (learning_rate, *betas, weight_decay))
    m = zeros(theta)
    while True:
        height, g = value(theta), gradient(theta)
        direction = sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
        theta = (1 - eta * decay) * theta - eta * direction
        yield {"theta": theta, "height": height, "gradient": g, "direction": direction, "mean": m}


def muon(
    theta, *, shape, learning_rate=1e-3, momentum=0.95, nesterov=True, weight_decay=0.1, steps=5,
    coefficients=(3.4445, -4.775, 2.0315), epsilon=1e-7, adjustment="original",
):  # fmt: skip
    eta, mu, decay, eps = map(mpf, (learning_rate, momentum, weight_decay, epsilon))
    a, b, c = map(mpf, coefficients)
    rows, columns = shape
    scale = {
        "original": mp.sqrt(max(mpf(1), mpf(rows) / columns)),
        "match_rms_adamw": mpf(2) / 10 * mp.sqrt(max(rows, columns)),
        "none": mpf(1),
    }[adjustment]
    buffer = zeros(theta)
    while True:
        height, g = value(theta), gradient(theta)
        buffer = mu * buffer + (1 - mu) * g
        update = mu * buffer + (1 - mu) * g if nesterov else buffer
        x = (update / max(norm(update), eps)).reshape(shape)
        x = x.T if rows > columns else x
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        x = x.T if rows > columns else x
        direction = scale * x.reshape(-1)
        theta = (1 - eta * decay) * theta - eta * direction
        yield {"theta": theta, "height": height, "gradient": g, "direction": direction, "momentum": buffer}


def sam(theta, *, learning_rate, radius=0.05, adaptive=False, epsilon=1e-12, shift=0.0):
    eta, rho, eps, shift = map(mpf, (learning_rate, radius, epsilon, shift))
    while True:
        height, g = value(theta), gradient(theta)
        scale = abs(theta) + shift if adaptive else 1
        e = rho * scale**2 * g / (norm(scale * g) + eps)
        theta = theta - eta * gradient(theta + e)
        yield {"theta": theta, "height": height, "gradient": g, "perturbation": e}


def entropy_sgd(
    theta, *, noises, learning_rate, steps=20, inner_rate=0.1, noise=1e-4, averaging=0.75, scope=1e-4, scoping=1e-3,
    noise_form="paper", average_form="paper", scaled=True, momentum=0.0,
):  # fmt: skip
    eta, inner, temperature, alpha, scope, scoping, mom = map(
        mpf, (learning_rate, inner_rate, noise, averaging, scope, scoping, momentum)
    )
    heat = temperature * (mp.sqrt(2 * inner) if noise_form == "code" else mp.sqrt(inner))
    outer = zeros(theta)
    for t, draws in enumerate(noises):
        gamma = scope * (1 + scoping) ** t
        height, g = value(theta), gradient(theta)
        x = mu = theta
        b = zeros(theta)
        for k in range(steps):
            dx = gradient(x)
            b = mom * b + dx
            x = x - inner * (dx + mom * b - gamma * (theta - x)) + heat * exact(draws[k])
            mu = (1 - alpha) * mu + alpha * x if average_form == "paper" else alpha * mu + (1 - alpha) * x
        pull = (gamma if scaled else 1) * (theta - mu)
        outer = mom * outer + pull
        theta = theta - eta * (pull + mom * outer)
        yield {
            "theta": theta, "height": height, "gradient": g, "scope": gamma, "walker": x, "average": mu,
            "momentum": outer, "steps": t + 1,
        }  # fmt: skip


def induced_metric(
    theta, *, learning_rate=0.1, variant="plain", momentum=0.9, xi=0.1, beta=0.8, beta_rms=0.99, epsilon=1e-8,
    weight_decay=0.0,
):  # fmt: skip
    eta, mu, xi, beta, beta_r, eps, decay = map(
        mpf, (learning_rate, momentum, xi, beta, beta_rms, epsilon, weight_decay)
    )
    m, r, e, t = zeros(theta), zeros(theta), mpf(0), 0
    while True:
        t += 1
        height, g = value(theta), gradient(theta)
        d = zeros(theta) + 1
        if variant == "rms":
            r = beta_r * r + (1 - beta_r) * g**2
            d = sqrt(r / (1 - beta_r**t)) + eps
        e = beta * e + (1 - beta) * xi * sum(g**2 / d)
        m = mu * m + (1 - mu) * g
        metric = e / (1 - beta**t)
        s = height / (height**2 + metric) if variant == "log" else 1 / (1 + metric)
        theta = theta - eta * s * m / (1 - mu**t) / d - eta * decay * theta
        yield {
            "theta": theta, "height": height, "gradient": g, "scale": s, "preconditioner": d, "momentum": m,
            "metric": e, "square": r, "steps": t,
        }  # fmt: skip


def alice(
    theta, *, noises, learning_rate=1e-3, betas=(0.9, 0.999), quick_steps=3, omega=1.0, phi=0.1, epsilon=1e-8,
    hessian="abs", glass=True, bounds="adam", lowest=0.0, highest=None, l1=0.0, l2=0.0,
):  # fmt: skip
    sigma, b1, b2, omega, phi, eps, lowest, l1, l2 = map(
        mpf, (learning_rate, *betas, omega, phi, epsilon, lowest, l1, l2)
    )
    highest = 2 * sigma if highest is None else mpf(highest)
    mu = nu = theta
    mean = square = h = rho = zeros(theta)
    warm_up = math.floor(1 / (1 - b1) + mpf(10) ** -9)
    for n, draws in enumerate(noises, start=1):
        cap = 1 - 1 / mpf(n)
        c1, c2, c3 = min(b1, cap), min(b2, cap), min(1 - (quick_steps + 1) * (1 - b2), cap)
        height, g = value(nu), gradient(nu)
        mean = c1 * mean + (1 - c1) * (g + l1 * sign(nu) + l2 * nu)
        square = c2 * square + (1 - c2) * g**2
        if n <= warm_up or n % (quick_steps + 1) == 0:
            z = exact(draws)
            plus, minus = gradient(nu + sigma * z), gradient(nu - sigma * z)
            bend = (plus - minus) / 2 / sigma
            h = c3 * h + (1 - c3) * (bend**2 + l2**2 if hessian == "rms" else abs(bend) + l2)
            rho = c3 * rho + (1 - c3) * 2 * ((plus + minus) / 2 - g) ** 2 / sigma
        delta = zeros(theta)
        if n > warm_up:
            curved = {"abs": h, "rms": sqrt(h), "zero": zeros(theta)}[hessian]
            alpha = 3 / (4 * mp.pi) * (rho if glass else zeros(theta)) / (abs(mean) + eps)
            length = abs(mean) / (alpha + curved + sqrt(alpha * (alpha + 2 * curved)) + eps)
            unit = {"fixed": zeros(theta) + 1, "sgdm": abs(mean), "adam": abs(mean) / (sqrt(square) + eps)}[bounds]
            delta = -sign(mean) * np.maximum(lowest * unit, np.minimum(highest * unit, length))
        nu, mu = mu + omega * delta, mu + phi * delta
        yield {
            "theta": mu, "lookahead_height": height, "gradient": g, "delta": delta, "lookahead": nu, "mean": mean,
            "square": square, "hessian": h, "glass": rho, "steps": n,
        }  # fmt: skip


TRUTHS = {
    "GradientDescent": gradient_descent,
    "Adam": adam,
    "AdamW": adam,
    "RMSprop": rmsprop,
    "NAdam": nadam,
    "Lion": lion,
    "Muon": muon,
    "SAM": sam,
    "EntropySGD": entropy_sgd,
    "InducedMetric": induced_metric,
    "Alice": alice,
}
