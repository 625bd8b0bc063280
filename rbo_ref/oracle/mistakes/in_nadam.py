"""What people get wrong in NAdam."""

from __future__ import annotations

from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]

MISTAKES = {
    "schedule_counts_from_zero": Mistake(
        "The schedule is that of the step before", rate=lambda self, t: self.right.rate(t - 1)
    ),
    "schedule_not_halved": Mistake(
        "The momentum is β₁(1 − 0.96^(tψ)): the ½ is missing",
        rate=lambda self, t: self.h.betas[0] * (1 - 0.96 ** (t * self.h.momentum_decay)),
    ),
    "product_missing": Mistake(
        "The bias corrections are those of Adam, 1 − β₁ᵗ and 1 − β₁ᵗ⁺¹, and not 1 − π",
        renewed=lambda self, g, now: (1 - now) * g / self.correction(self.h.betas[0], self.t),
        carried=lambda self, m, later: later * m / self.correction(self.h.betas[0], self.t + 1),
    ),
    "product_of_this_step": Mistake(
        "The mean is corrected by 1 − π_t and not by 1 − π_{t+1}",
        carried=lambda self, m, later: later * m / (1 - self.product),
    ),
    "rate_of_this_step": Mistake(
        "The mean is weighed by μ_t and not by μ_{t+1}",
        carried=lambda self, m, later: self.right.carried(m, self.rate(self.t)),
    ),
    "mean_alone": Mistake("The gradient itself is left out of the look-ahead", renewed=lambda self, g, now: 0 * g),
    "gradient_alone": Mistake("The mean is left out of the look-ahead", carried=lambda self, m, later: 0 * m),
    "gradient_not_corrected": Mistake(
        "The gradient is not divided by 1 − π_t", renewed=lambda self, g, now: (1 - now) * g
    ),
    "mean_not_corrected": Mistake("The mean is not divided by 1 − π_{t+1}", carried=lambda self, m, later: later * m),
    "correction_of_square_missing": Mistake("The second moment has no bias correction", mean_square=lambda self, v: v),
    "epsilon_inside_the_root": Mistake(
        "Epsilon stands under the root: √(v̂ + ε)", denominator=lambda self, v: self.xp.sqrt(v + self.h.epsilon)
    ),
    "epsilon_missing": Mistake("There is no epsilon", denominator=lambda self, v: self.xp.sqrt(v)),
    "betas_swapped": Mistake(
        "β₁ and β₂ are exchanged", tuned=lambda self, hyper: hyper | {"betas": hyper["betas"][::-1]}
    ),
}
