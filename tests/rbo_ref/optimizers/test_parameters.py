"""θ in every structure, losses of every kind, hyper-parameters over a batch, and random numbers."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace
from numpy.testing import assert_allclose, assert_array_equal

from geometry import FunctionGraph
from rbo_ref import (
    SAM,
    Adam,
    AdamW,
    Alice,
    EntropySGD,
    GradientDescent,
    InducedMetric,
    Lion,
    Muon,
    NAdam,
    RMSprop,
    roll,
    trajectory,
)
from rbo_ref.optimizers import Outcome, flatten
from rbo_ref.optimizers._randomness import signs
from tests.conftest import BACKENDS
from tests.rbo_ref.optimizers.cases import CASES, WAVE, first_step, value

EPS = float(np.finfo(float).eps)
VECTORS = [case for case in CASES if not isinstance(case.optimizer, Muon)]
ONE_OF_EACH = list({type(case.optimizer): case for case in VECTORS}.values())
each_form = pytest.mark.parametrize("case", VECTORS, ids=lambda case: case.name)
each_optimizer = pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda case: case.name)
THETA = np.random.default_rng(5).uniform(-1, 1, 6)


# Trees.


class Pair(NamedTuple):
    left: Any
    right: Any


def trees(theta: Any) -> dict[str, Any]:
    """A vector of six numbers in several structures; `flatten` gives it back."""
    xp = array_namespace(theta)
    a, b, c = theta[:1], xp.reshape(theta[1:5], (2, 2)), xp.reshape(theta[5:], ())
    return {
        "list": [a, b, c],
        "tuple": (a, b, c),
        "dict": {"a": a, "b": b, "c": c},
        "dict out of order": {"c": c, "a": a, "b": b},
        "nested": {"x": [a, {"w": b}], "y": (c,)},
        "named": Pair(a, [b, c]),
        "empty leaf": [a, xp.reshape(theta[:0], (0, 3)), b, c],
    }


class Tree:
    """The wave of a tree, with a gradient of its structure."""

    def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
        flat = flatten(theta)
        height, slope = WAVE.value_and_gradient(flat.vector)
        return height, flat.restore(slope)


@pytest.mark.parametrize("name", trees(THETA))
def test_a_tree_is_a_vector_and_comes_back(backend, name):
    theta = backend.asarray(THETA)
    tree = trees(theta)[name]
    flat = flatten(tree)
    assert_array_equal(backend.to_numpy(flat.vector), backend.to_numpy(theta))
    back = flat.restore(flat.vector)
    assert type(back) is type(tree)
    assert not isinstance(tree, dict) or list(back) == list(tree)
    assert_array_equal(backend.to_numpy(flatten(back).vector), backend.to_numpy(theta))
    assert [leaf.shape for leaf in _leaves(back)] == [leaf.shape for leaf in _leaves(tree)]


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in _leaves(tree[key])]
    return [leaf for branch in tree for leaf in _leaves(branch)] if isinstance(tree, list | tuple) else [tree]


@each_form
def test_a_step_on_a_tree_is_the_step_on_its_vector(case):
    noises = case.noises((), 6)
    for name, tree in trees(THETA).items():
        vector, states = THETA, [case.optimizer.init(THETA), case.optimizer.init(tree)]
        for noise in noises:
            more = {} if case.noise is None else {"noise": noise}
            one = case.optimizer.step(WAVE, vector, states[0], **more)
            other = case.optimizer.step(Tree(), tree, states[1], **more)
            assert_array_equal(flatten(other.theta).vector, one.theta, err_msg=name)
            assert_array_equal(other[3], one[3])  # the gradient, as a vector
            vector, tree, states = one.theta, other.theta, [one.state, other.state]


def test_norms_run_over_all_leaves():
    class Plane:
        def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
            return np.asarray(0.0), {"a": np.array([3.0]), "b": np.array([[4.0]])}

    theta = {"b": np.zeros((1, 1)), "a": np.zeros(1)}
    assert_allclose(
        first_step(SAM(1.0, radius=5.0, epsilon=0.0), Plane(), theta).perturbation, [3.0, 4.0], rtol=4 * EPS
    )
    scale = first_step(InducedMetric(1.0, xi=1.0, beta=0.0), Plane(), theta).scale
    assert_allclose(scale, 1 / 26, rtol=4 * EPS)


def test_keys_are_sorted_so_that_no_library_can_mix_them_up():
    """JAX returns dictionaries with sorted keys; a state must fit the parameters all the same."""
    jax = pytest.importorskip("jax")
    backend = BACKENDS["jax"]()
    optimizer = Adam(0.1)

    class Bowl:
        def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
            return theta["b"][0] + theta["w"][0], {"w": 20 * theta["w"], "b": theta["b"] - 1}

    trees = [{"w": np.array([1.0, 2.0]), "b": np.array([3.0])}]
    trees.append({key: backend.asarray(leaf) for key, leaf in trees[0].items()})
    states = [optimizer.init(tree) for tree in trees]
    steps = [optimizer.step, jax.jit(optimizer.step, static_argnums=0)]
    for _ in range(3):
        taken = [step(Bowl(), tree, state) for step, tree, state in zip(steps, trees, states, strict=True)]
        trees, states = [t.theta for t in taken], [t.state for t in taken]
    for key in ("w", "b"):
        assert_allclose(trees[1][key], trees[0][key], rtol=1e-14)


def test_a_mapping_of_any_kind():
    tree = {"a": THETA[:2], "b": THETA[2:]}
    for kind in (OrderedDict, MappingProxyType):
        moved = first_step(GradientDescent(0.1), Tree(), kind(tree)).theta
        assert moved.keys() == tree.keys()


def test_leaves_share_one_floating_type():
    flat = flatten([np.ones(2, dtype=np.float32), np.ones(1)])
    assert flat.vector.dtype == np.float64
    assert flatten([np.arange(3)]).vector.dtype == np.float64
    assert flatten([np.ones(2, np.float32), np.arange(2, dtype=np.int8)]).vector.dtype == np.float64
    assert flatten([np.ones(2, np.float32)]).vector.dtype == np.float32


def test_a_list_of_numbers_is_an_array():
    assert flatten([1, 2]).vector.shape == (2,)
    assert flatten([[1, 2], [3, 4]]).vector.shape == (2, 2)
    assert flatten([np.float64(1), np.float64(2)]).vector.shape == (2,)
    assert first_step(GradientDescent(0.5), WAVE, [1, 2]).theta.dtype == np.float64


# Losses.


@pytest.mark.parametrize(
    ("name", "case"),
    [("torch", case) for case in ONE_OF_EACH]
    + [("jax-jit", case) for case in ONE_OF_EACH if isinstance(case.optimizer, SAM | Alice)],
    ids=lambda given: getattr(given, "name", given),
)
def test_a_callable_is_differentiated_by_its_framework(case, name):
    backend = BACKENDS[name]()
    theta = backend.asarray(THETA)
    more = {} if case.noise is None else {"noise": backend.asarray(case.noises((), 6)[0])}
    state = case.optimizer.init(theta)
    one = case.optimizer.step(WAVE, theta, state, **more).theta
    other = backend.jit(lambda t: case.optimizer.step(value, t, state, **more).theta)(theta)
    tree = {"a": theta[:4], "b": theta[4:]}

    def of_tree(tree: Any) -> Any:
        return value(array_namespace(tree["a"]).concat([tree["a"], tree["b"]]))

    third = flatten(backend.jit(lambda t: case.optimizer.step(of_tree, t, state, **more).theta)(tree)).vector
    for found in (other, third):
        assert_allclose(backend.to_numpy(found), backend.to_numpy(one), rtol=0, atol=64 * EPS)


def test_an_object_with_vectors():
    class Wave:
        def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
            return WAVE.value_and_gradient(theta)

    thetas = THETA.reshape(3, 2)
    assert_array_equal(first_step(Adam(), Wave(), thetas).theta, first_step(Adam(), WAVE, thetas).theta)


# Batches.


@pytest.mark.parametrize("name", ["numpy", "strict-no-float64", "torch", "jax-jit"])
@each_optimizer
def test_hyper_parameters_broadcast_against_the_batch(name, case):
    """Two starts × three rates in one call are six calls."""
    backend = BACKENDS[name]()
    rates = np.array([0.05, 0.1, 0.2])
    if isinstance(case.optimizer, SAM):
        grid = replace(case.optimizer, learning_rate=None, base=GradientDescent(rates))
        single = [replace(case.optimizer, learning_rate=rate) for rate in rates]
    else:
        grid = replace(case.optimizer, learning_rate=rates)
        single = [replace(case.optimizer, learning_rate=rate) for rate in rates]
    starts = np.stack([THETA, -THETA])[:, None, :]
    noise = case.noises((), 6)[0]
    more = {} if noise is None else {"noise": backend.asarray(noise)}
    if isinstance(case.optimizer, EntropySGD):
        more = {"noise": backend.asarray(noise[:, None, None, :])}

    theta = backend.asarray(starts)
    step = backend.jit(lambda t: grid.step(WAVE, t, grid.init(t), **more))(theta)
    assert step.theta.shape == (2, 3, 6)
    allowed = 64 * np.finfo(backend.dtypes[-1]).eps
    for i, start in enumerate(starts[:, 0]):
        for j, optimizer in enumerate(single):
            one = first_step(
                optimizer, WAVE, backend.asarray(start), **({} if noise is None else {"noise": backend.asarray(noise)})
            )
            assert_allclose(backend.to_numpy(step.theta)[i, j], backend.to_numpy(one.theta), rtol=0, atol=allowed)


@pytest.mark.parametrize(
    "optimizer",
    [
        AdamW([0.1, 0.2]),
        RMSprop([0.1, 0.2], centered=True),
        NAdam([0.1, 0.2], betas=([0.5, 0.9], 0.9)),
        Lion([0.1, 0.2]),
        SAM(base=GradientDescent([0.1, 0.2], momentum=0.5)),
        EntropySGD([0.1, 0.2], steps=2),
        InducedMetric([0.1, 0.2], variant="rms"),
        Alice([0.1, 0.2], betas=(0.5, 0.9), quick_steps=1),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_a_compiled_loop_keeps_the_shapes_of_the_state(optimizer):
    """What lax.scan needs: the state goes in as it comes out."""
    jax = pytest.importorskip("jax")
    theta = jax.numpy.broadcast_to(BACKENDS["jax"]().asarray(THETA), (2, 6))

    def body(carry: tuple, _: Any) -> tuple:
        step = optimizer.step(WAVE, *carry)
        return (step.theta, step.state), step[2]

    (end, _), heights = jax.lax.scan(body, (theta, optimizer.init(theta)), None, length=6)
    assert heights.shape == (6, 2)
    one_step, carry = jax.jit(body), (theta, optimizer.init(theta))
    for _ in range(6):
        carry, _ = one_step(carry, None)
    assert_allclose(end, carry[0], rtol=0, atol=1e-12)


def test_a_batch_of_hyper_parameters_other_than_rates():
    optimizer = InducedMetric(0.1, xi=[0.1, 1.0], momentum=[0.0, 0.5], beta=[[0.0], [0.8]], weight_decay=0.1)
    both = first_step(optimizer, WAVE, np.broadcast_to(THETA, (2, 2, 6)))
    for i, beta in enumerate((0.0, 0.8)):
        for j, (xi, momentum) in enumerate(((0.1, 0.0), (1.0, 0.5))):
            one = first_step(InducedMetric(0.1, xi=xi, momentum=momentum, beta=beta, weight_decay=0.1), WAVE, THETA)
            assert_allclose(both.theta[i, j], one.theta, rtol=0, atol=16 * EPS)


def test_roll_and_trajectory_take_every_optimizer():
    for case in VECTORS:
        path = trajectory(case.optimizer, WAVE, THETA.reshape(2, 3), 4)
        assert path.theta.shape == (5, 2, 3)
        # The heights are f(θ_t), for Alice too, who looks at other places.
        assert_allclose(path.height, WAVE.value(path.theta), rtol=8 * EPS)
        assert path.center is None
        assert_array_equal(list(islice(roll(case.optimizer, WAVE, THETA.reshape(2, 3)), 4))[-1].theta, path.theta[-1])


def test_a_schedule_may_be_traced():
    jax = pytest.importorskip("jax")
    theta = BACKENDS["jax"]().asarray(THETA)

    @jax.jit
    def step(rate: Any) -> Any:
        return first_step(AdamW(rate, betas=(1 - rate, 0.999)), WAVE, theta).theta

    assert_allclose(step(0.1), first_step(AdamW(0.1, betas=(0.9, 0.999)), WAVE, theta).theta, rtol=0, atol=16 * EPS)


def test_nothing_is_changed_in_place():
    for case in VECTORS:
        theta = THETA.copy()
        state = case.optimizer.init(theta)
        copies = [np.array(array) for array in state if isinstance(array, np.ndarray)]
        first = case.optimizer.step(WAVE, theta, state).theta
        assert_array_equal(theta, THETA)
        for array, copy in zip([a for a in state if isinstance(a, np.ndarray)], copies, strict=True):
            assert_array_equal(array, copy)
        assert_array_equal(case.optimizer.step(WAVE, theta, state).theta, first)  # random numbers included


# Matrices.


@pytest.mark.parametrize("name", ["numpy", "strict", "torch", "jax-jit"])
def test_muon_on_trees_of_matrices(name):
    backend = BACKENDS[name]()
    tree = {"b": backend.asarray(THETA[:2].reshape(1, 2)), "a": [backend.asarray(THETA[2:].reshape(2, 2))]}
    moved = backend.jit(lambda t: Muon(0.1).step(Tree(), t, Muon(0.1).init(t)).theta)(tree)
    # By hand: the leaves in sorted order, each for itself.
    slope = WAVE.gradient(np.concatenate([THETA[2:], THETA[:2]]))
    for matrix, g, theta in (
        (moved["a"][0], slope[:4].reshape(2, 2), THETA[2:].reshape(2, 2)),
        (moved["b"], slope[4:].reshape(1, 2), THETA[:2].reshape(1, 2)),
    ):
        plane = FunctionGraph(lambda t, g=g: t @ g.ravel(), lambda t, g=g: np.zeros_like(t) + g.ravel())
        alone = first_step(Muon(0.1, shape=g.shape), plane, theta.ravel()).theta
        assert_allclose(backend.to_numpy(matrix), alone.reshape(g.shape), rtol=0, atol=1e-13)


def test_muon_on_one_matrix():
    class Plane:
        def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
            return np.sum(theta), np.ones((2, 3))

    moved = first_step(Muon(0.1), Plane(), THETA.reshape(2, 3)).theta
    flat = first_step(Muon(0.1, shape=(2, 3)), FunctionGraph(lambda t: t.sum(-1), np.ones_like), THETA).theta
    assert_array_equal(moved, flat.reshape(2, 3))


# Random numbers.


def draws(optimizer: Any, theta: Any, steps: int = 2) -> np.ndarray:
    """What the noise of each step was, seen in where the walk goes on a flat loss."""
    flat = FunctionGraph(lambda t: 0 * t[..., 0], lambda t: 0 * t)
    return np.stack([np.asarray(step.walker) for step in islice(roll(optimizer, flat, theta), steps)])


WALK = EntropySGD(0.0, steps=1, inner_rate=1.0, noise=1.0, scope=0.0)


def test_random_numbers_depend_on_seed_and_step_alone():
    first = draws(WALK, np.zeros(50), 3)
    assert_array_equal(first, draws(WALK, np.zeros(50), 3))
    assert_array_equal(first[:, :20], draws(WALK, np.zeros(20), 3))
    others = [*first, *draws(replace(WALK, seed=1), np.zeros(50), 3)]
    assert np.abs(np.corrcoef(others) - np.eye(6)).max() < 0.6  # 4 standard deviations of 1/√50
    for shift in range(1, 9):  # no stream is another one, shifted
        assert not np.isin(first[0][shift:], first[1]).any()


def test_numpy_draws_for_all_but_jax():
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    ours = draws(WALK, np.zeros(5))
    assert_array_equal(ours, draws(WALK, torch.zeros(5, dtype=torch.float64)))
    backend = BACKENDS["jax"]()
    theirs = draws(WALK, backend.asarray(np.zeros(5)))
    assert not np.isin(ours, theirs).any()
    state = WALK.init(backend.asarray(np.zeros(5)))
    flat = FunctionGraph(lambda t: 0 * t[..., 0], lambda t: 0 * t)
    assert_array_equal(jax.jit(lambda s: WALK.step(flat, jax.numpy.zeros(5), s).walker)(state), theirs[0])


@pytest.mark.parametrize("name", ["numpy", "strict", "torch", "jax"])
def test_signs_are_signs(name):
    theta = BACKENDS[name]().asarray(np.zeros(1))
    drawn = BACKENDS[name]().to_numpy(signs(3, array_namespace(theta).asarray(1), theta, (4, 100)))
    assert_array_equal(np.abs(drawn), 1)
    assert abs(np.mean(drawn)) < 5 / 20  # 5 standard deviations of a mean of 400


def test_alice_looks_to_both_sides():
    places: list[np.ndarray] = []

    def evaluate(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places.append(t)
        return t.sum(-1), t

    first_step(Alice(0.5), FunctionGraph.from_value_and_gradient(evaluate), np.zeros((4, 100)))
    center, plus, minus = places
    assert not center.any()
    assert_array_equal(plus, -minus)
    assert_array_equal(plus, 0.5 * signs(0, np.asarray(1), center, (4, 100)))


# Status.


@pytest.mark.parametrize("name", ["numpy", "strict", "torch"])
def test_each_item_has_its_own_status(name):
    backend = BACKENDS[name]()
    starts = np.array([[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0], [0.0, 1.0]])
    for case in ONE_OF_EACH:
        theta = backend.asarray(starts)
        step = backend.jit(lambda t, o=case.optimizer: o.step(WAVE, t, o.init(t)))(theta)
        assert_array_equal(backend.to_numpy(step.status), [Outcome.STEPPED, *[Outcome.NOT_FINITE] * 2, Outcome.STEPPED])
        alone = first_step(case.optimizer, WAVE, theta[0, :])
        if case.noise is None:
            assert_allclose(backend.to_numpy(step.theta)[0], backend.to_numpy(alone.theta), rtol=1e-6)
