"""Wrong ports that are in no catalogue: what people do, and small errors that could pass for rounding."""

from functools import partial

import numpy as np

from rbo_ref.oracle import RightPort
from rbo_ref.oracle.catalogue import RIGHT_PORTS


def ball(**methods):
    """A maker of ports of the Rolling Ball Optimizer with some lines replaced."""
    return type("Stray", (RightPort,), methods)


def other(optimizer, **methods):
    """The same for another optimizer; `right` is its right port."""
    return type("Stray", (RIGHT_PORTS[optimizer],), methods)


def tuned(**changes):
    """Hyper-parameters of an optimizer changed by name."""
    return lambda self, hyper: hyper | {name: change(hyper[name]) for name, change in changes.items()}


def scaled(factor):
    return lambda value: tuple(x * factor for x in value) if isinstance(value, tuple) else value * factor


def finished(change):
    """The result of a ball changed, from θ and θ'."""
    return ball(finished=lambda self, new: change(self, self.theta, new))


def stepped(optimizer, change):
    """The result of each step changed, from θ and θ'."""
    right = RIGHT_PORTS[optimizer].step
    return other(optimizer, step=lambda self, old: change(self, old, right(self, old)))


def served(change, base=RightPort):
    """The answers of the loss changed, from θ, f and g."""
    return type("Stray", (base,), {"served": lambda self, loss: lambda theta: change(theta, *loss(theta))})


def half_fall(self):
    candidate = self.c - self.eta * self.tau
    candidate[-1] += self.eta * self.tau[-1] / 2
    return candidate


def last_gradient(self, theta, pull, k):
    return theta - self.gamma * pull * (1 + 1e-5 * (k == self.steps - 1))


def last_doubled(self, theta, pull, k):
    return theta - self.gamma * pull * (1 + (k == self.steps - 1))


def damped_pull(self, theta):
    _, g = self.loss(theta)
    return RightPort.pull(self, theta) / (1 + g @ g)


def rates(eta=1.0, rho=1.0, gamma=1.0):
    return lambda self, e, r, g, steps: (e * eta, r * rho, g * gamma, steps)


# Small errors of the formula: none is a precision.
SMALL = {
    "half of the fall": ball(stepped=half_fall),
    "steps 1 % too short": finished(lambda self, old, new: old + 0.99 * (new - old)),
    "steps a millionth too short": finished(lambda self, old, new: old + (1 - 2**-20) * (new - old)),
    "decay 1e-4": finished(lambda self, old, new: new - 1e-4 * self.eta * old),
    "1e-3 under the root": ball(stretch=lambda self, g: np.sqrt(1 + 1e-3 + g @ g)),
    "1e-7 under the root": ball(stretch=lambda self, g: np.sqrt(1 + 1e-7 + g @ g)),
    "radius 0.1 % too large": ball(tuned=rates(rho=1.001)),
    "learning rate 1e-5 too large": ball(tuned=rates(eta=1 + 1e-5)),
    "projection rate 1e-6 too small": ball(tuned=rates(gamma=1 - 1e-6)),
    "last inner gradient 1e-5 too long": ball(descended=last_gradient),
    "pull divided by 1 + |g|²": ball(pull=damped_pull),
    "gradient 1e-6 too long": served(lambda theta, f, g: (f, g * (1 + 1e-6))),
}
SMALL_OTHERS = {
    "adam: rate 1e-6 too large": ("adam", other("adam", tuned=tuned(learning_rate=scaled(1 + 1e-6)))),
    "adam: decay 1e-6": ("adam", stepped("adam", lambda self, old, new: new - 1e-6 * self.h.learning_rate * old)),
    "adam: beta2 off by 1e-5": ("adam", other("adam", tuned=tuned(betas=lambda b: (b[0], b[1] - 1e-5)))),
    "adam: beta1 off by 1e-4": ("adam", other("adam", tuned=tuned(betas=lambda b: (b[0] - 1e-4, b[1])))),
    "adam: epsilon doubled": ("adam", other("adam", tuned=tuned(epsilon=scaled(2.0)))),
    "muon: rate 0.1 % too large": ("muon", other("muon", tuned=tuned(learning_rate=scaled(1.001)))),
    "muon: steps a millionth too short": (
        "muon",
        stepped("muon", lambda self, old, new: old + (1 - 2**-20) * (new - old)),
    ),
    "muon: last coefficient 1e-4 too large": (
        "muon",
        other("muon", tuned=tuned(coefficients=lambda c: (*c[:2], c[2] * 1.0001))),
    ),
    "sgd: decay 1e-4": ("gradient-descent", stepped("gradient-descent", lambda self, old, new: new - 1e-4 * old)),
    "sgd: rate 1e-5 too small": (
        "gradient-descent",
        other("gradient-descent", tuned=tuned(learning_rate=scaled(1 - 1e-5))),
    ),
    "sam: radius 0.1 % too large": ("sam", other("sam", tuned=tuned(radius=scaled(1.001)))),
    "sam: steps 1e-7 too long": ("sam", stepped("sam", lambda self, old, new: old + (1 + 1e-7) * (new - old))),
}


def clipped(limit):
    """The loss with a gradient no longer than this."""
    return lambda theta, f, g: (f, g * min(1.0, limit / max(np.sqrt((g * g).sum()), 1e-300)))


def exchanged(self, eta, rho, gamma, steps):
    return (rho, eta, gamma, steps) if eta > rho else (eta, rho, gamma, steps)


def capped(self, g):
    return np.sqrt(1 + min(g @ g, 300.0))


def fall_by_stretch(self):
    return self.c - self.eta * self.joined(self.tau[:-1], self.tau[-1] / self.stretch(self.g))


def early(self, theta):
    return theta if np.linalg.norm(self.g) < 0.01 else RightPort.projected(self, theta)


def keras_muon(self, x):
    size = self.norm(x) + 1e-7
    return x / size


def columns_over_rows(self, rows, columns):
    return max(1.0, columns / rows) ** 0.5


class OptaxLikeMuon(RIGHT_PORTS["muon"]):
    """Scale of the transpose, a corrected mean with Nesterov's look-ahead, ε added to the norm: float64 throughout."""

    scale = columns_over_rows

    def ahead(self, g, b):
        mu = self.h.momentum
        return mu * b / (1 - mu ** (self.t + 1)) + (1 - mu) * g / (1 - mu**self.t)

    def normalized(self, x):
        return x / (self.norm(x) + self.h.epsilon)


# Any other: with the names that are true of it besides none.
STRAY = {
    "|g|² capped at 300": (ball(stretch=capped), ()),
    "height falls by |g|²/W": (ball(stepped=fall_by_stretch), ()),
    "no projection on flat ground": (ball(projected=early), ()),
    "rate and radius exchanged where the rate is larger": (ball(tuned=exchanged), ()),
    "last inner step doubled": (ball(descended=last_doubled), ()),
    "radius/√d": (ball(center=lambda self: self.p + self.rho / len(self.g) ** 0.5 * self.nu), ()),
    "gradient clipped at 5": (served(clipped(5.0)), ()),
    "warm-up of the rate": (ball(tuned=rates(eta=0.1)), ()),
    "inner rate decays": (ball(descended=lambda self, t, pull, k: t - self.gamma / (1 + k) ** 0.5 * pull), ()),
    "tangent saturated": (ball(tangent=lambda self, g: np.tanh(RightPort.tangent(self, g))), ()),
    "normal and tangent of another place": (
        ball(evaluated=lambda self, theta: self.loss(theta * (1 + 1e-3))),
        (),
    ),
    "result in eight digits": (
        finished(lambda self, old, new: np.array([float(f"{x:.8g}") for x in new])),
        ("low_precision",),
    ),
    "result in thirteen digits": (
        finished(lambda self, old, new: np.array([float(f"{x:.13g}") for x in new])),
        ("low_precision",),
    ),
    "height in float32": (served(lambda theta, f, g: (float(np.float32(f)), g)), ("low_precision", "float32_inside")),
    "rate in float32": (
        ball(tuned=lambda self, e, r, g, steps: (float(np.float32(e)), r, g, steps)),
        ("low_precision", "float32_inside"),
    ),
    "noise of 1e-10": (
        finished(lambda self, old, new: new * (1 + 1e-10 * np.sin(1e7 * new))),
        ("low_precision", "float32_inside"),
    ),
}
STRAY_OTHERS = {
    "adam: epsilon always 1e-7": ("adam", other("adam", tuned=tuned(epsilon=lambda e: 1e-7)), ()),
    "adam: epsilon capped at 1/16": ("adam", other("adam", tuned=tuned(epsilon=lambda e: min(e, 1 / 16))), ()),
    "adam: gradient clipped at 1": ("adam", served(clipped(1.0), RIGHT_PORTS["adam"]), ()),
    "adam: warm-up": ("adam", stepped("adam", lambda self, old, new: old + min(1.0, self.t / 3) * (new - old)), ()),
    "adam: update in float32": (
        "adam",
        stepped("adam", lambda self, old, new: old + (new - old).astype(np.float32)),
        ("float32_inside", "low_precision"),
    ),
    "adamw: decay squared": (
        "adamw",
        other("adamw", tuned=tuned(weight_decay=lambda w: w * w)),
        (),
    ),
    "sgd: clipped at 2": ("gradient-descent", served(clipped(2.0), RIGHT_PORTS["gradient-descent"]), ()),
    "sgd: momentum capped at 0.8": (
        "gradient-descent",
        other("gradient-descent", tuned=tuned(momentum=lambda m: min(m, 0.8))),
        (),
    ),
    "sam: radius capped at 0.5": ("sam", other("sam", tuned=tuned(radius=lambda r: min(r, 0.5))), ()),
    "sam: radius squared": ("sam", other("sam", tuned=tuned(radius=lambda r: r * r)), ()),
    "muon: epsilon always 1e-3": ("muon", other("muon", tuned=tuned(epsilon=lambda e: 1e-3)), ()),
    "muon: epsilon added, as Keras does": ("muon", other("muon", normalized=keras_muon), ()),
    "muon: as Optax does": ("muon", OptaxLikeMuon, ()),
    "muon: momentum capped at 0.7": ("muon", other("muon", tuned=tuned(momentum=lambda m: min(m, 0.7))), ()),
    "muon: float32 norm": (
        "muon",
        other("muon", norm=lambda self, x: np.float64(np.float32(RIGHT_PORTS["muon"].norm(self, x)))),
        ("float32_inside", "low_precision"),
    ),
}

# Judged by benchmarks/edits.py: what nobody listed, some of it of two causes.
WILD = {
    "ρ and the fall squared": ("rolling-ball", ball(center=lambda self: self.p + self.rho**2 * self.nu)),
    "W cubed": ("rolling-ball", ball(stretch=lambda self, g: (1 + g @ g) ** 1.5)),
    "height of the contact doubled": ("rolling-ball", ball(contact=lambda self, theta, f: self.joined(theta, 2 * f))),
    "pull of half the candidate": (
        "rolling-ball",
        ball(pull=lambda self, t: RightPort.pull(self, t) - (self.candidate[:-1] - self.theta) / 2),
    ),
    "every other inner step": (
        "rolling-ball",
        ball(descended=lambda self, t, pull, k: t - self.gamma * pull * (k % 2 == 0)),
    ),
    "step normalised when long": (
        "rolling-ball",
        finished(lambda self, old, new: old + (new - old) / max(1.0, float(np.linalg.norm(new - old)))),
    ),
    "exponent 0.9 of the rate": ("rolling-ball", ball(tuned=lambda self, e, r, g, steps: (e**0.9, r, g, steps))),
    "cosine of the slope": ("rolling-ball", ball(normal=lambda self, g: RightPort.normal(self, np.cos(g)))),
    "adam: cube root": (
        "adam",
        other("adam", direction=lambda self, m, v: m / (np.cbrt(v) + self.h.epsilon)),
    ),
    "adam: m and v of the step before": ("adam", other("adam", correction=lambda self, beta, t: 1 - beta ** (t + 2))),
    "sgd: gradient halved, no look-ahead": (
        "gradient-descent",
        other("gradient-descent", direction=lambda self, g, v: v / 2),
    ),
    "sam: perturbs along the sign": (
        "sam",
        other("sam", perturbation=lambda self, theta, g: self.h.radius * np.sign(g) * np.abs(g) ** 0.5),
    ),
}


# Right wherever the first suite asks: each is wrong in a place of its own.


class Memoised:
    """The loss is looked up by the first coordinate."""

    def served(self, loss):
        if getattr(self, "t", 0) <= 1 or loss is not self.asked:
            self.asked, self.known = loss, {}
        known = self.known

        def looked_up(theta):
            key = float(theta.reshape(-1)[0])
            if key not in known:
                known[key] = loss(theta)
            return known[key]

        return looked_up


class LooksAhead:
    """Every six steps half of the way since then is gone back."""

    every = 6

    def advance(self, loss, theta, hyper, draw=None):
        if self.t == 0:
            self.slow = theta
        new = super().advance(loss, theta, hyper, draw)
        if self.t % self.every == 0:
            self.slow = new = self.slow + (new - self.slow) / 2
        return new


class LooksFarAhead(LooksAhead):
    every = 15


class FirstRowOfDraws:
    """Random numbers are drawn for a row, and used for all."""

    def advance(self, loss, theta, hyper, draw=None):
        if theta.ndim > 1:
            draw = 0 * draw + draw[..., :1, :]
        return super().advance(loss, theta, hyper, draw)


class BallThatLooksAhead(RightPort):
    """A ball that does so; memory of another run is none."""

    def __init__(self):
        self.count, self.last = 0, None

    def __call__(self, loss, theta, **hyper):
        new = super().__call__(loss, theta, **hyper)
        if self.last is None or not np.array_equal(theta, self.last):
            self.count, self.slow = 0, theta
        self.count += 1
        if self.count % 6 == 0:
            self.slow = new = self.slow + (new - self.slow) / 2
        self.last = new
        return new


def across(theta, f, g):
    """The gradient of a matrix without what goes along its rows, if that is little, as of weights without a scale."""
    if theta.ndim < 2:
        return f, g
    along, lengths = ((a * theta).sum(axis=1, keepdims=True) for a in (g, theta))
    little = np.abs(along) < 0.1 / theta.shape[1] ** 0.5 * np.sqrt(lengths * (g * g).sum(axis=1, keepdims=True))
    return f, g - along / lengths * theta if little.all() else g


def norm_of_rows(self, x):
    return np.sqrt((x * x).sum(axis=-1, keepdims=x.ndim > 1))


def blocks_of_four(self, x):
    """Of larger matrices every four columns are orthogonalized by themselves."""
    right = RIGHT_PORTS["muon"].orthogonalized
    if min(x.shape) < 4:
        return right(self, x)
    return np.concatenate([right(self, x[:, k : k + 4]) for k in range(0, x.shape[1], 4)], axis=1)


def derived(optimizer, *mixed):
    return type("Stray", (*mixed, RIGHT_PORTS[optimizer]), {})


WITH_EPSILON = {"adam": 1e-8, "adamw": 1e-8, "induced-metric": 1e-8, "muon": 1e-7, "alice": 1e-8}
UNSEEN = {
    "rolling-ball: gradient clipped at 100": ("rolling-ball", served(clipped(100.0))),
    "rolling-ball: memoised": ("rolling-ball", type("Stray", (Memoised, RightPort), {})),
    "rolling-ball: looks ahead": ("rolling-ball", BallThatLooksAhead),
    "sam: norm of each row": ("sam", other("sam", norm=norm_of_rows)),
    "sam: 1e-24 under the root": (
        "sam",
        other("sam", norm=lambda self, x: np.sqrt((x * x).sum() + 1e-24)),
    ),
    "muon: gradients below 1e-8 are nothing": (
        "muon",
        served(lambda theta, f, g: (f, g * (np.sqrt((g * g).sum()) > 1e-8)), RIGHT_PORTS["muon"]),
    ),
    "alice: looks far ahead": ("alice", derived("alice", LooksFarAhead)),
    "muon: blocks of four": ("muon", other("muon", orthogonalized=blocks_of_four)),
    "entropy-sgd: noise of a row": ("entropy-sgd", derived("entropy-sgd", FirstRowOfDraws)),
    "alice: signs of a row": ("alice", derived("alice", FirstRowOfDraws)),
}
for _name in ("gradient-descent", "adam", "adamw", "sam", "muon", "entropy-sgd", "induced-metric", "alice"):
    if _name not in ("alice", "muon"):  # Alice asks twice at a place, Muon orthogonalizes what it is told
        UNSEEN[f"{_name}: memoised"] = (_name, derived(_name, Memoised))
    if _name != "alice":
        UNSEEN[f"{_name}: looks ahead"] = (_name, derived(_name, LooksAhead))
    UNSEEN[f"{_name}: gradient clipped at 100"] = (_name, served(clipped(100.0), RIGHT_PORTS[_name]))
    if _name != "muon":
        UNSEEN[f"{_name}: gradient across the rows"] = (_name, served(across, RIGHT_PORTS[_name]))
for _name, _least in WITH_EPSILON.items():
    UNSEEN[f"{_name}: epsilon {_least} at least"] = (_name, other(_name, tuned=tuned(epsilon=partial(max, _least))))
    if _name != "muon":  # its ε is positive
        absent = tuned(epsilon=lambda epsilon, usual=_least: epsilon or usual)
        UNSEEN[f"{_name}: epsilon {_least} for 0"] = (_name, other(_name, tuned=absent))
