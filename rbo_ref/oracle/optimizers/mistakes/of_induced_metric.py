"""The optimizers of the induced metric, and what people get wrong in them."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right


@right
class InducedMetricPort(OptimizerPort):
    """A right port."""

    optimizer = "induced-metric"

    def begin(self, theta: Array) -> None:
        self.m, self.r, self.e = 0 * theta, 0 * theta, 0

    def stepped(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        diagonal = self.diagonal(g) if self.h.variant == "rms" else 1
        self.m = self.h.momentum * self.m + (1 - self.h.momentum) * g
        self.e = self.averaged(self.e, self.metric(g, diagonal))
        e = self.corrected(self.e, self.h.beta)
        s = self.shrinkage(f, e)
        move = self.h.learning_rate * s * self.corrected(self.m, self.h.momentum) / diagonal
        return theta - move - self.decay(theta, s)

    def diagonal(self, g: Array) -> Array:
        self.r = self.h.beta_rms * self.r + (1 - self.h.beta_rms) * g * g
        return self.xp.sqrt(self.corrected(self.r, self.h.beta_rms)) + self.h.epsilon

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * self.xp.sum(g * g / diagonal)

    def averaged(self, e: Array, q: Array) -> Array:
        return self.h.beta * e + (1 - self.h.beta) * q

    def corrected(self, average: Array, beta: float) -> Array:
        return average / (1 - beta**self.t)

    def shrinkage(self, f: Array, e: Array) -> Array:
        return f / (f * f + e) if self.h.variant == "log" else 1 / (1 + e)

    def decay(self, theta: Array, s: Array) -> Array:
        return self.h.learning_rate * self.h.weight_decay * theta


@mistake
class metric_from_the_momentum(InducedMetricPort):
    """The metric is that of the momentum m instead of the gradient."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return super().metric(self.m, diagonal)


@mistake
class metric_not_corrected(InducedMetricPort):
    """The average e of the metric has no bias correction."""

    def corrected(self, average: Array, beta: float) -> Array:
        return average if average is self.e else super().corrected(average, beta)


@mistake
class metric_not_averaged(InducedMetricPort):
    """The metric is that of the present gradient: it is not averaged."""

    def averaged(self, e: Array, q: Array) -> Array:
        return q * (1 - self.h.beta**self.t)


@mistake
class metric_per_coordinate(InducedMetricPort):
    """Each coordinate has a metric of its own, ξgᵢ²: the sum is missing."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * g * g / diagonal


@mistake
class metric_mean(InducedMetricPort):
    """The metric takes the mean of gᵢ² instead of the sum."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return super().metric(g, diagonal) / g.shape[0]


@mistake
class metric_unsquared(InducedMetricPort):
    """The metric is ξ|g| instead of ξ|g|²."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * self.xp.sqrt(self.xp.sum(g * g / diagonal))


@mistake
class metric_of_absolutes(InducedMetricPort):
    """The metric sums |gᵢ| instead of gᵢ²."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * self.xp.sum(self.xp.abs(g) / diagonal)


@mistake
class metric_without_preconditioner(InducedMetricPort):
    """The metric of the variant "rms" is ξ|g|²: it is not divided by D."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * self.xp.sum(g * g)


@mistake
class xi_squared(InducedMetricPort):
    """The metric is ξ²|g|²."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * super().metric(g, diagonal)


@mistake
class xi_ignored(InducedMetricPort):
    """The metric is |g|², without ξ."""

    def metric(self, g: Array, diagonal: Array) -> Array:
        return super().metric(g, diagonal) / self.h.xi


@mistake
class shrinkage_by_the_root(InducedMetricPort):
    """The step is divided by √(1 + ê), the root of the determinant, instead of 1 + ê."""

    def shrinkage(self, f: Array, e: Array) -> Array:
        right = super().shrinkage(f, e)
        return right if self.h.variant == "log" else self.xp.sqrt(right)


@mistake
class shrinkage_missing(InducedMetricPort):
    """The step is not shrunk by the metric."""

    def shrinkage(self, f: Array, e: Array) -> Array:
        return 1 / f if self.h.variant == "log" else 1 + 0 * f


@mistake
class log_unsquared(InducedMetricPort):
    """The variant "log" has f/(f + ê) instead of f/(f² + ê)."""

    def shrinkage(self, f: Array, e: Array) -> Array:
        return f / (f + e) if self.h.variant == "log" else super().shrinkage(f, e)


@mistake
class log_without_loss(InducedMetricPort):
    """The variant "log" has 1/(f² + ê): the f above is missing."""

    def shrinkage(self, f: Array, e: Array) -> Array:
        return 1 / (f * f + e) if self.h.variant == "log" else super().shrinkage(f, e)


@mistake
class log_gradient_only(InducedMetricPort):
    """The variant "log" has the metric of log f but follows the gradient of f: 1/(1 + ê/f²)."""

    def shrinkage(self, f: Array, e: Array) -> Array:
        return 1 / (1 + e / (f * f)) if self.h.variant == "log" else super().shrinkage(f, e)


@mistake
class log_ignored(InducedMetricPort):
    """The variant "log" is the plain one."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"variant": "plain"} if hyper["variant"] == "log" else hyper


@mistake
class rms_not_corrected(InducedMetricPort):
    """The average r of the squares has no bias correction."""

    def corrected(self, average: Array, beta: float) -> Array:
        return average if average is self.r else super().corrected(average, beta)


@mistake
class rms_epsilon_inside_the_root(InducedMetricPort):
    """Epsilon stands under the root: D = √(r̂ + ε)."""

    def diagonal(self, g: Array) -> Array:
        self.r = self.h.beta_rms * self.r + (1 - self.h.beta_rms) * g * g
        return self.xp.sqrt(self.corrected(self.r, self.h.beta_rms) + self.h.epsilon)


@mistake
class rms_in_the_metric_only(InducedMetricPort):
    """The step of the variant "rms" is not divided by D; the metric is."""

    def diagonal(self, g: Array) -> Array:
        self.hidden = super().diagonal(g)
        return 1

    def metric(self, g: Array, diagonal: Array) -> Array:
        return super().metric(g, self.hidden if self.h.variant == "rms" else 1)


@mistake
class momentum_not_corrected(InducedMetricPort):
    """The momentum has no bias correction."""

    def corrected(self, average: Array, beta: float) -> Array:
        return average if average is self.m else super().corrected(average, beta)


@mistake
class decay_shrunk(InducedMetricPort):
    """The decay is shrunk by the metric like the step."""

    def decay(self, theta: Array, s: Array) -> Array:
        return s * super().decay(theta, s)


@mistake
class decay_without_rate(InducedMetricPort):
    """The decay is λθ, without the learning rate."""

    def decay(self, theta: Array, s: Array) -> Array:
        return self.h.weight_decay * theta


@mistake
class decay_ignored(InducedMetricPort):
    """There is no decay."""

    def decay(self, theta: Array, s: Array) -> Array:
        return 0 * theta


@mistake
class decay_of_the_result(InducedMetricPort):
    """The decay is of the new parameters: (1 − ηλ)θ′ after the step."""

    def stepped(self, theta: Array) -> Array:
        new = super().stepped(theta)
        return new - self.h.learning_rate * self.h.weight_decay * new

    def decay(self, theta: Array, s: Array) -> Array:
        return 0 * theta
