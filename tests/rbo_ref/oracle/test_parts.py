"""Optimizers are handed several parameters: whoever treats each of them on its own is found out."""

from math import prod

import numpy as np
import pytest

from rbo_ref import laws
from rbo_ref.oracle import OptaxPort, TorchPort, check, check_optimizer
from rbo_ref.oracle.parts import joined, shapes, split
from tests.rbo_ref.oracle.conftest import example

SOME = ["bowl-one", "plane", "waves-3d", "waves-10d", "walk-*", "valley-1d"]


@pytest.mark.parametrize("d", range(1, 60))
def test_the_parts_are_the_whole(d):
    theta = np.arange(float(d))
    parts = split(theta)
    assert [part.shape for part in parts] == list(shapes((d,)))
    assert sum(map(prod, shapes((d,)))) == d
    np.testing.assert_array_equal(joined(parts), theta)
    assert len(parts) == 1 if d % 2 else parts[-1].ndim == 0


def test_all_shapes_are_handed_over(torch):
    """One parameter and several, matrices and numbers, one group and two: each in some case."""
    seen = set()

    class Seen(example("torch_port").RollingBall):
        def __init__(self, params, lr, radius, projection_rate, projection_steps):
            super().__init__(params, lr, radius, projection_rate, projection_steps)
            seen.add(tuple(tuple(tuple(p.shape) for p in group["params"]) for group in self.param_groups))

    assert check(TorchPort(Seen), xp="torch", cases=SOME).passed
    assert seen == {(((1,),),), (((3,),),), (((1,), ()),), (((2, 3),), ((3,), ()))}


def torch_ball(torch, chosen, per_tensor):
    class Ball(torch.optim.Optimizer):
        def __init__(self, params, lr, radius, projection_rate, projection_steps):
            given = {
                "lr": lr,
                "radius": radius,
                "projection_rate": projection_rate,
                "projection_steps": projection_steps,
            }
            super().__init__(params, given)

        @torch.no_grad()
        def step(self, closure):
            closure, h = torch.enable_grad()(closure), self.param_groups[0]
            f, params, goals = closure().detach().clone(), chosen(self.param_groups), []
            total = sum((p.grad**2).sum() for p in params)
            for p in params:
                q = (p.grad**2).sum() if per_tensor else total
                lift = h["radius"] / (1 + q).sqrt()
                goals.append((p - (lift + h["lr"]) * p.grad, f + lift - h["lr"] * q))
            for _ in range(h["projection_steps"]):
                v = closure().detach()
                for p, (x, y) in zip(params, goals, strict=True):
                    p.sub_(h["projection_rate"] * ((p - x) + (v - y) * p.grad))

    return Ball


def everything(groups):
    return [p for group in groups for p in group["params"]]


def first_parameter(groups):
    return groups[0]["params"][:1]


def first_group(groups):
    return groups[0]["params"]


def test_one_ball_over_all_parameters_is_right(torch):
    assert check(TorchPort(torch_ball(torch, everything, per_tensor=False)), xp="torch", cases=SOME).passed


def test_a_ball_for_each_parameter_is_wrong_and_named(torch):
    report = check(TorchPort(torch_ball(torch, everything, per_tensor=True)), xp="torch", cases=SOME)
    assert report.diagnosis.name == "ball_per_tensor"
    assert {r.id for r in report.failures} == {"bowl-one", "plane", "waves-10d", "walk-2d", "walk-10d"}


@pytest.mark.parametrize("chosen", [first_parameter, first_group])
def test_who_moves_only_some_parameters_is_wrong(torch, chosen):
    report = check(TorchPort(torch_ball(torch, chosen, per_tensor=False)), xp="torch", cases=SOME, diagnosis=False)
    assert {r.id for r in report.failures} >= {"waves-10d", "walk-10d"}
    assert "waves-3d" not in {r.id for r in report.failures}


def torch_sam(torch, chosen, per_tensor):
    class SAM(torch.optim.Optimizer):
        def __init__(self, params, lr, rho, adaptive, eps):
            super().__init__(params, {"lr": lr, "rho": rho, "adaptive": adaptive, "eps": eps})

        @torch.no_grad()
        def step(self, closure):
            closure, h = torch.enable_grad()(closure), self.param_groups[0]
            closure()
            params = chosen(self.param_groups)
            old = [p.clone() for p in params]
            scales = [p.abs() if h["adaptive"] else torch.ones_like(p) for p in params]
            norms = [(s * p.grad).norm() for s, p in zip(scales, params, strict=True)]
            if not per_tensor:
                norms = [torch.stack(norms).norm()] * len(norms)
            for p, s, norm in zip(params, scales, norms, strict=True):
                p.add_(h["rho"] * s * s * p.grad / (norm + h["eps"]))
            closure()
            for p, o in zip(params, old, strict=True):
                p.copy_(o - h["lr"] * p.grad)

    return SAM


def test_one_norm_over_all_parameters_is_right(torch):
    assert check_optimizer(TorchPort(torch_sam(torch, everything, per_tensor=False)), "sam", xp="torch").passed


def test_a_norm_for_each_parameter_is_wrong_and_named(torch):
    report = check_optimizer(TorchPort(torch_sam(torch, everything, per_tensor=True)), "sam", xp="torch")
    assert report.diagnosis.name == "norm_per_tensor"
    assert {"wide-bowl", "usual-classifier", "adaptive-waves10"} <= {r.id for r in report.failures}


@pytest.mark.parametrize("chosen", [first_parameter, first_group])
def test_a_run_that_leaves_parameters_where_they_are_is_wrong(torch, chosen):
    port = TorchPort(torch_sam(torch, chosen, per_tensor=False))
    report = check_optimizer(port, "sam", xp="torch", cases="wide-*", diagnosis=False)
    assert {r.id for r in report.failures} >= {"wide-waves10"}
    assert "wide-far" not in {r.id for r in report.failures}


def test_optax_leaves_with_balls_of_their_own_are_wrong_and_named(jax):
    import optax

    def rolling_balls(learning_rate, radius, projection_rate, projection_steps):
        def update(updates, state, params, *, value, value_and_grad_fn, **extra):
            lifts = jax.tree.map(lambda g: radius / (1 + (g**2).sum()) ** 0.5, updates)
            goals = jax.tree.map(lambda p, g, lift: p - (lift + learning_rate) * g, params, updates, lifts)
            heights = jax.tree.map(lambda g, lift: value + lift - learning_rate * (g**2).sum(), updates, lifts)
            end = params
            for _ in range(projection_steps):
                f, slope = value_and_grad_fn(end)
                end = jax.tree.map(
                    lambda t, x, y, g: t - projection_rate * ((t - x) + (f - y) * g),  # noqa: B023
                    end, goals, heights, slope,
                )  # fmt: skip
            return jax.tree.map(lambda new, old: new - old, end, params), state

        return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)

    report = check(OptaxPort(rolling_balls), xp="jax", cases=["bowl-one", "plane", "waves-3d", "waves-10d", "walk-2d"])
    assert report.diagnosis.name == "ball_per_tensor"
    assert {r.id for r in report.failures} == {"bowl-one", "plane", "waves-10d", "walk-2d"}


def test_optax_runs_are_handed_several_arrays_too(jax):
    import optax

    def sgd(learning_rate, momentum, nesterov):
        right = optax.sgd(learning_rate, momentum, nesterov)

        def update(updates, state, params):  # the norm of each array is scaled away
            updates, state = right.update(updates, state, params)
            return jax.tree.map(lambda u: u / (1 + (u**2).sum()), updates), state

        return optax.GradientTransformation(right.init, update)

    seen = set()

    def spying(learning_rate, momentum, nesterov):
        right = optax.sgd(learning_rate, momentum, nesterov)

        def init(params):
            seen.add(str(jax.tree.map(jax.numpy.shape, params)))
            return right.init(params)

        return optax.GradientTransformation(init, right.update)

    few = {"optimizer": "gradient-descent", "xp": "jax", "cases": ["plain-*", "momentum-waves3"]}
    assert not check_optimizer(OptaxPort(sgd), diagnosis=False, **few).passed
    assert check_optimizer(OptaxPort(spying), **few).passed
    several = {"(3,)", "{'bias': (1,), 'scale': ()}", "{'bias': (3,), 'scale': (), 'weights': (2, 3)}"}
    assert seen == several | {"(3, 4)"}  # a case that is a matrix stays one


def test_a_matrix_stays_whole(torch):
    seen = set()

    class Muon(torch.optim.Muon):
        def __init__(self, params, **hyper):
            seen.update(tuple(p.shape) for p in params)
            super().__init__(params, **hyper)

    def muon(params, lr, momentum, nesterov, weight_decay, ns_steps, ns_coefficients, eps):
        given = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        return Muon(params, lr=lr, ns_steps=ns_steps, ns_coefficients=ns_coefficients, eps=eps, **given)

    assert check_optimizer(TorchPort(muon), "muon", xp="torch", inner_dtype="bfloat16", cases="short-*").passed
    assert seen == {(2, 2), (6, 2), (2, 4), (1, 4)}


@pytest.mark.parametrize("law", ["idle-parameters", "no-memory"])
def test_an_adapter_starts_afresh_where_the_number_of_parameters_changes(torch, law):
    port = TorchPort(example("torch_port").RollingBall)
    laws.LAWS[law].check(port, xp="torch", dtype="float64", max_examples=30)


def test_an_adapter_of_optax_starts_afresh_too(jax):
    port = OptaxPort(example("optax_port").PORT)
    laws.LAWS["idle-parameters"].check(port, xp="jax", dtype="float64", max_examples=2)
