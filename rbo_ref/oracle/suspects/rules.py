"""What people do to a line, as rewriting rules for any formula.

A rule puts something else in the place of an expression that its pattern fits; between alternatives stands ``|``.

Letters of a pattern:

- ``A``, ``B``, ``C``: any expressions; ``*A``: any number of them; ``F``: a function; ``M``: a line with a number;
- alone, an expression that is ``N`` a number, ``V`` an array, ``P`` a point of the ambient space, ``X`` any of these,
  ``L`` a name, ``I`` a count, ``R`` what a line results in, ``O`` that of a line with a loop, ``T`` the new θ,
  ``H`` a hyper-parameter, ``J`` one that is a count, ``B`` one that is a switch.

In what stands there instead, besides these:

- ``X``: the expression itself; ``K``: a constant that the answers of the port tell;
- ``Q``: each known quantity of its shape; ``S``: each number; ``W``: each vector of the shape of θ; ``U``: each
  attribute of its shape, by name; ``G``: each other hyper-parameter;
- ``Y``: each power of ten from 1e-8 to 0.1; ``Z``: each count from 1 to 20;
- ``KEY``: the name under which a line remembers; ``EACH``: the same within a step.

What names quantities that a formula lacks is no rule for it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """One thing to do; the simpler, the smaller its rank."""

    rank: int
    kind: str  # in words
    pattern: str
    instead: str
    start: float | None = None  # the constant with which the line is right, or as good as right
    grid: tuple[float, ...] = ()  # constants to begin the search with


SIZES = tuple(10.0**k for k in range(-6, 4))
BOUNDS = (("self.xp.maximum", "self.xp.minimum"), ("self.max", "self.min"), ("max", "min"))
EITHER = [f"{bound}(A, B)" for pair in BOUNDS for bound in pair]
NORMS = (
    "length(self, A) | sum_of_sizes(self, A) | largest(self, A) | largest(self, A) ** 2 | mean_square(self, A)"
    "| mean_square(self, A) ** 0.5 | self.xp.sum(A * A) | self.xp.abs(A) | A * A"
)
DECAY = "T - K * self.eta * self.theta | T - K * self.h.learning_rate * self.theta"
STILL = (
    "still_if_short(self, R, theta, pull, Y) | still_if_short(self, R, theta, self.gamma * pull, Y)"
    "| still_if_short(self, R, theta, self.gamma * pull, Y * length(self, theta))"
)

MEMORIES = (
    Rule(7, "it is a step late", "R", "late(self, KEY, R)"),
    Rule(7, "it is kept as it was first", "R", "kept_first(self, KEY, R)"),
    Rule(8, "the mean so far", "R", "mean_so_far(self, KEY, R)"),
    Rule(7, "it is gathered", "R", "gathered(self, KEY, R, K)", 0.0, (0.5, 0.9)),
    Rule(7, "it is averaged", "R", "averaged(self, KEY, R, K)", 0.0, (0.5, 0.9)),
    Rule(7, "it is gathered ahead", "R", "gathered_ahead(self, KEY, R, K)", 0.0, (0.5, 0.9)),
)
"""What a line remembers from step to step; within one step, it may begin anew in each."""

RULES = (
    # operations
    Rule(1, "the sign is lost", "-A", "A"),
    Rule(1, "a sign is wrong", "A + B", "A - B"),
    Rule(1, "a sign is wrong", "A - B", "A + B"),
    Rule(1, "a term is missing", "A + B", "A | B"),
    Rule(1, "a term is missing", "A - B", "A | -B"),
    Rule(1, "a factor is missing", "A * B | A @ B", "A | B"),
    Rule(1, "the divisor is missing", "A / B", "A"),
    Rule(2, "the divisor is a factor", "A / B", "A * B"),
    Rule(3, "the quotient is turned over", "A / B", "B / A"),
    Rule(1, "the power is missing", "A ** B", "A"),
    Rule(1, "one way is always taken", "A if B else C", "A | C"),
    # calls
    Rule(2, "a function is missing", "F(A)", "A"),
    Rule(2, "arguments are exchanged", "F(*A, B, C, *D)", "F(*A, C, B, *D)"),
    Rule(3, "only one argument counts", "F(A, B, *C)", "A | B"),
    *(Rule(2, "the bound is on the other side", f"{a}(A, B)", f"{b}(A, B)") for a, b in BOUNDS),
    *(Rule(2, "the bound is on the other side", f"{b}(A, B)", f"{a}(A, B)") for a, b in BOUNDS),
    Rule(2, "a sum stands for a bound", " | ".join(EITHER), "A + B"),
    Rule(2, "a term stands within", "F(A) + B | B + F(A)", "F(A + B)"),
    Rule(2, "a term stands outside", "F(A + B)", "F(A) + B | A + F(B)"),
    Rule(2, "the height stands first", "self.joined(A, B)", "height_first(self, A, B)"),
    Rule(4, "another norm", "self.xp.sum(A * A) | M(A)", NORMS),
    Rule(4, "it is taken for W", "M(A)", "self.stretch(A)"),
    Rule(5, "a norm of its own for each tensor", "M(A)", "for_each_tensor(self, M, A) | of_first_tensor(self, M, A)"),
    Rule(5, "a norm of its own for each coordinate", "M(A)", "for_each_coordinate(self, M, A)"),
    # another quantity, a function or a factor too many
    Rule(5, "another quantity", "L", "Q"),
    Rule(2, "the sign is wrong", "X", "-X"),
    Rule(2, "it is lost", "X", "0 * X"),
    Rule(4, "it is taken for 1", "N", "1 + 0 * N"),
    Rule(4, "only the size counts", "X", "self.xp.abs(X)"),
    Rule(4, "only the signs count", "V", "self.xp.sign(V)"),
    Rule(4, "it is normalised", "V", "unit(self, V)"),
    Rule(4, "it is divided by the number of entries", "V", "V / size(self, V)"),
    Rule(4, "the decay is added", "V", "V + self.h.weight_decay * self.theta"),
    Rule(5, "it is bounded by zero", "X", "self.xp.maximum(X, 0 * X)"),
    Rule(5, "a root too many", "N", "self.xp.sqrt(self.xp.abs(N))"),
    Rule(6, "it is squared", "X", "X * X"),
    Rule(6, "a factor too many", "X", "X * S"),
    Rule(6, "a divisor too many", "X", "X / S"),
    Rule(8, "it is shortened", "V", "to_distance(self, V, self.rho) | to_distance(self, V, self.h.radius)"),
    Rule(0, "it has a factor", "X", "K * X", 1.0),
    Rule(1, "a constant is added", "N", "N + K", 0.0),
    Rule(4, "it is clipped by length", "V", "clipped(self, V, K)", 1e9, SIZES),
    Rule(4, "its entries are clipped", "V", "between(self, V, K)", 1e9, SIZES),
    Rule(6, "a multiple of another quantity is added", "V", "V + K * Q", 0.0),
    # counts
    Rule(1, "the number of steps is wrong", "range(A)", "range(A - 1) | range(A + 1) | range(A * 2) | range(0)"),
    Rule(6, "the number of steps is fixed", "range(A)", "range(Z)"),
    Rule(6, "a number is off by one", "I", "I + 1 | I - 1"),
    # the loss asked somewhere else, or earlier
    Rule(6, "it is of the evaluation before", "self.loss(A)", "heard_before(self, A, None)"),
    Rule(6, "the value is of the evaluation before", "self.loss(A)", "heard_before(self, A, 0)"),
    Rule(6, "the gradient is of the evaluation before", "self.loss(A)", "heard_before(self, A, 1)"),
    Rule(7, "the gradient is that of another place", "self.nu", "self.normal(self.loss(W)[1])"),
    Rule(7, "the gradient is that of another place", "self.tau", "self.tangent(self.loss(W)[1])"),
    Rule(7, "the gradient is that of another place", "self.g", "self.loss(W)[1]"),
    Rule(7, "the height is that of the graph there", "A[-1]", "self.loss(W)[0]"),
    Rule(6, "the height is that of the graph there", "P", "on_graph(self, P)"),
    # memory
    *MEMORIES,
    *(
        m._replace(rank=m.rank + 1, kind=f"{m.kind}, anew each step", instead=m.instead.replace("KEY", "EACH"))
        for m in MEMORIES
    ),
    Rule(9, "what the last step left is carried on", "R", "kept(self, 'U', R)"),
    # several results
    Rule(2, "two are exchanged", "(*A, B, *C, D, *E)", "(*A, D, *C, B, *E)"),
    Rule(3, "one is taken for the other", "(*A, B, *C, D, *E)", "(*A, B, *C, B, *E) | (*A, D, *C, D, *E)"),
    Rule(6, "all are kept as they were first", "(*A, B, C)", "kept_first(self, KEY, X)"),
    # inner iterates
    Rule(5, "one coordinate at a time", "R", "in_turn(self, R, theta, k)"),
    Rule(6, "it is taken back where it leads away", "R", "unless_farther(self, R, theta)"),
    Rule(8, "no move where it would be short", "R", STILL),
    Rule(6, "the nearest inner iterate", "O", "best_iterate(self, O)"),
    Rule(6, "the mean of the inner iterates", "O", "mean_iterate(self, O, 1) | mean_iterate(self, O, 2)"),
    # the new θ
    Rule(1, "the move has a factor", "T", "moved(self, T, self.theta, K)", 1.0),
    Rule(2, "a decay is in the step", "T", DECAY, 0.0),
    Rule(3, "the move is given", "T", "displaced(self, T, self.theta)"),
    Rule(5, "two steps at once", "T", "self.one_more(T)"),
    Rule(7, "it is mixed", "T", "moved(self, Q, T, K)", 1.0, (0.5,)),
    Rule(8, "it is rounded", "T", "rounded_to(self, T, Z)"),
    # hyper-parameters that are others than those that were told
    Rule(0, "it has a factor", "H", "K * H", 1.0),
    Rule(1, "a constant is added", "H", "K + H", 0.0),
    Rule(1, "it is fixed", "H", "0.0 * H + K", 0.0, (0.1,)),
    Rule(1, "a number is off by one", "J", "J - 1 | J + 1"),
    Rule(1, "a switch is not heeded", "B", "True | False"),
    Rule(2, "it is bounded above", "H", "at_most(self, H, K)", 1e9, SIZES),
    Rule(2, "it is bounded below", "H", "at_least(self, H, K)", 0.0, SIZES),
    Rule(3, "it is squared", "H", "H * H"),
    Rule(3, "a root too many", "H", "H ** 0.5"),
    Rule(3, "one is taken for the other", "H", "G"),
)
