"""Real ports, written as their users write them, and the adapters that turn them into steps."""

import numpy as np
import pytest

from rbo_ref.oracle import OptaxPort, RightPort, TorchPort, as_port, check
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.dialects import Hyper
from tests.rbo_ref.oracle.conftest import example

QUICK = ["valley-1d", "bowl-*", "waves-3d", "waves-10d", "schedule-*"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numpy_loop_is_right(dtype):
    assert check(example("numpy_port").PORT, dtype=dtype).passed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_torch_optimizer_is_right(torch, dtype):
    report = check(as_port(example("torch_port").PORT), xp="torch", dtype=dtype)
    assert report.passed, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]


@pytest.mark.parametrize("jit", [False, True])
def test_the_optax_transformation_is_right(jax, jit):
    report = check(OptaxPort(example("optax_port").PORT, jit=jit), xp="jax", cases=QUICK)
    assert report.passed, str(report)


def test_a_torch_optimizer_is_a_real_one(torch):
    """Several tensors, two groups, one ball over all: the same as the flat reference."""
    ball = example("torch_port").RollingBall
    case = next(case for case in all_cases() if case.id == "waves-10d")
    hyper = Hyper(**case.hyper(0))
    flat = np.array(case.theta)

    def loss_of(parts):
        theta = torch.cat([part.reshape(-1) for part in parts])
        return (theta.sin() * torch.linspace(0.1, 1.0, 10, dtype=torch.float64)).sum() + theta.square().sum() / 2

    parts = [torch.nn.Parameter(torch.tensor(flat[:4], dtype=torch.float64).reshape(2, 2))]
    parts.append(torch.nn.Parameter(torch.tensor(flat[4:], dtype=torch.float64)))
    groups = [{"params": [parts[0]]}, {"params": [parts[1]]}]
    optimizer = ball(groups, hyper.learning_rate, hyper.radius, hyper.projection_rate, hyper.projection_steps)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(parts)
        loss.backward()
        return loss

    optimizer.step(closure)

    def loss(theta):
        k = np.linspace(0.1, 1.0, 10)
        return np.sum(np.sin(theta) * k) + theta @ theta / 2, np.cos(theta) * k + theta

    expected = RightPort()(loss, flat, **hyper._asdict())
    found = np.concatenate([part.detach().numpy().reshape(-1) for part in parts])
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_state_carried_by_a_torch_optimizer_is_found_by_the_walk(torch, no_pairs):
    class Sticky(example("torch_port").RollingBall):
        """Keeps the first gradient for the candidate of all steps."""

        @torch.no_grad()
        def step(self, closure):
            def first(call=closure):
                loss = torch.enable_grad()(call)()
                for p in self._params():
                    self.state[p].setdefault("grad", p.grad.clone())
                return loss

            first()
            kept = [self.state[p]["grad"] for p in self._params()]
            asked = 0

            def stale():
                nonlocal asked
                loss = closure()
                if asked == 0:
                    for p, g in zip(self._params(), kept, strict=True):
                        p.grad.copy_(g)
                asked += 1
                return loss

            return super().step(stale)

    report = check(TorchPort(Sticky), xp="torch", cases=QUICK)
    assert {result.level for result in report.failures} == {"walk"}
    assert report.diagnosis is None or report.diagnosis.name.startswith("carries")


def test_a_wrong_optax_transformation_is_diagnosed(jax):
    import optax

    right = example("optax_port").PORT

    def applied_twice(learning_rate, radius, projection_rate, projection_steps):
        inner = right(learning_rate, radius, projection_rate, projection_steps)

        def update(updates, state, params, **extra):
            updates, state = inner.update(updates, state, params, **extra)
            return jax.tree.map(lambda u: 2 * u, updates), state

        return optax.GradientTransformationExtraArgs(inner.init, update)

    report = check(OptaxPort(applied_twice), xp="jax", cases=["waves-3d", "bowl-one", "valley-1d"])
    assert report.diagnosis.name == "update_applied_twice"


def test_common_spellings_are_recognised():
    seen = {}

    def factory(eta, rho, gamma, P):
        seen.update(eta=eta, rho=rho, gamma=gamma, P=P)

    port = TorchPort(factory)
    assert [port.spellings(name) for name in Hyper._fields] == [("eta",), ("rho",), ("gamma",), ("P",)]
    assert port.lacks(dict.fromkeys(Hyper._fields)) == []


def test_what_cannot_be_adapted_says_why(torch):
    class NoRadius(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

    with pytest.raises(TypeError, match=r"NoRadius has no parameter for radius, .*taken for an optimizer of PyTorch"):
        check(NoRadius)
    with pytest.raises(TypeError, match="a port must be callable, got int"):
        as_port(3)


def test_the_kinds_are_told_apart(torch):
    assert isinstance(as_port(example("torch_port").PORT), TorchPort)
    assert isinstance(as_port(example("optax_port").PORT), OptaxPort)
    assert isinstance(as_port(RightPort), RightPort)
    step = example("numpy_port").PORT
    assert as_port(step) is step
    assert as_port(len) is len
