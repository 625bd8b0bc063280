"""Real loops of PyTorch and JAX are recorded as they were, and judged."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rbo_ref.cli import main
from rbo_ref.oracle import Recorder, Recording, check_trajectory
from rbo_ref.oracle.replay import RecordingError, open_recording

PORTS = Path(__file__).parents[3] / "ports"


@pytest.fixture
def network():
    """A small network in PyTorch with mini-batches, and a function that makes gradients at a step."""
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)

    def made(dtype=None):
        dtype = dtype or torch.float32

        def random(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

        layers = [torch.nn.Linear(4, 3, dtype=dtype), torch.nn.Linear(3, 2, dtype=dtype)]
        model, x, y = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1]), random(20, 4), random(20, 2)
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(random(*p.shape))

        def loss(step):
            model.zero_grad()
            value = ((model(x[step % 5 :: 5]) - y[step % 5 :: 5]) ** 2).mean()
            value.backward()
            return value

        return layers, loss

    return made


def trained(
    path, network, optimizer, *, closure=False, steps=6, dtype=None, name="gradient-descent", stop=None, **options
):
    """A run of so many steps, with a rate that is halved after every other step, in two groups."""
    import torch

    layers, loss = network(dtype)
    groups = [{"params": layers[0].parameters()}, {"params": layers[1].parameters(), "lr": 0.03}]
    made = getattr(torch.optim, optimizer)(groups, lr=0.1, **options)
    schedule = torch.optim.lr_scheduler.StepLR(made, 2, 0.5)
    with Recorder(path, name) as recorder:
        recorder.watch(made)
        for step in range(steps):
            if step == stop:
                raise KeyboardInterrupt
            if closure:
                made.step(lambda step=step: loss(step))
            else:
                loss(step)
                made.step()
            schedule.step()
    return layers


def judged(path):
    return [check_trajectory(path.with_stem(f"{path.stem}-{group}")) for group in (0, 1)]


@pytest.mark.parametrize("closure", [False, True])
def test_a_right_run_in_two_groups_with_a_schedule_is_right(tmp_path, network, closure):
    layers = trained(tmp_path / "run.npz", network, "SGD", momentum=0.9, closure=closure)
    for report in judged(tmp_path / "run.npz"):
        assert (report.verdict, report.dtype, report.counts["pass"]) == ("RIGHT", "float32", 6)
    recording = open_recording(tmp_path / "run-1.npz")
    (piece,) = recording.pieces(100)
    np.testing.assert_array_equal(piece.fields["learning_rate"], np.float64(0.03) * 0.5 ** (np.arange(6) // 2))
    np.testing.assert_array_equal(
        piece.theta[-1], np.concatenate([p.detach().reshape(-1) for p in layers[1].parameters()])
    )
    assert ("value" in recording.shapes) == closure
    assert recording.metadata["momentum"] == 0.9


def test_a_dampened_momentum_is_wrong_from_the_second_step_on(tmp_path, network):
    trained(tmp_path / "run.jsonl", network, "SGD", momentum=0.9, dampening=0.1)
    for report in judged(tmp_path / "run.jsonl"):
        assert (report.verdict, report.first_wrong) == ("WRONG", 1)
    assert main(["replay", str(tmp_path / "run-0.jsonl")]) == 1


@pytest.mark.parametrize(("optimizer", "name"), [("Adam", "adam"), ("AdamW", "adamw")])
def test_adam_is_right_and_not_the_other_one(tmp_path, network, optimizer, name):
    import torch

    trained(
        tmp_path / "run.csv", network, optimizer, name=name, dtype=torch.float64, weight_decay=0.01 * (name == "adamw")
    )
    assert [report.verdict for report in judged(tmp_path / "run.csv")] == ["RIGHT", "RIGHT"]
    trained(tmp_path / "wrong.csv", network, "AdamW", name="adam", dtype=torch.float64, weight_decay=0.1)
    assert [report.verdict for report in judged(tmp_path / "wrong.csv")] == ["WRONG", "WRONG"]


def test_a_rate_that_the_recording_does_not_tell_is_wrong_there(tmp_path):
    theta = np.array([1.0, -2.0])
    with Recorder(tmp_path / "run.npz", "gradient-descent", learning_rate=0.25) as recorder:
        for step in range(5):
            before, theta = theta, theta - (0.25 if step < 3 else 0.2) * theta**3
            recorder.add(before, before**3, after=theta)
    assert check_trajectory(tmp_path / "run.npz").first_wrong == 3


def test_an_interrupted_run_keeps_all_steps_that_were_done(tmp_path, network):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run.npz", network, "SGD", momentum=0.9, stop=4)
    assert [report.counts["pass"] for report in judged(tmp_path / "run.npz")] == [4, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-0.npz", "run-1.npz"]


def test_a_step_that_is_interrupted_is_not_recorded(tmp_path):
    torch = pytest.importorskip("torch")
    theta = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = torch.optim.SGD([theta], lr=0.5)

    def closure(fails):
        optimizer.zero_grad()
        value = (theta**2).sum()
        value.backward()
        if fails:
            raise ZeroDivisionError
        return value

    def run():
        with Recorder(tmp_path / "run.npz", "gradient-descent") as recorder:
            recorder.watch(optimizer)
            for step in range(3):
                optimizer.step(lambda step=step: closure(step == 2))

    with pytest.raises(ZeroDivisionError):
        run()
    assert check_trajectory(tmp_path / "run.npz").counts["pass"] == 2
    optimizer.step(lambda: closure(False))  # nobody looks on any more


def example(name):
    """The module of an example port."""
    spec = importlib.util.spec_from_file_location(name, PORTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_ball_is_recorded_with_its_inner_iterates_and_judged_without_a_loss(tmp_path):
    torch = pytest.importorskip("torch")
    port = example("torch_port")
    weights = [torch.nn.Parameter(torch.tensor(w, dtype=torch.float64)) for w in ([1.0, -2.0], [[0.5]])]
    ball = port.RollingBall(weights, lr=0.1, radius=0.5, projection_rate=0.05, projection_steps=4)

    def closure():
        ball.zero_grad()
        value = sum((w**2).sum() + torch.sin(3 * w).sum() for w in weights)
        value.backward()
        return value

    with Recorder(tmp_path / "run.npz", "rolling-ball") as recorder:
        recorder.watch(ball)
        for _ in range(5):
            ball.step(closure)
    report = check_trajectory(tmp_path / "run.npz")
    assert (report.verdict, report.steps) == ("RIGHT", 5)
    assert open_recording(tmp_path / "run.npz").shapes["inner"] == (4, 3)


@pytest.mark.parametrize(("jit", "x64"), [(False, True), (True, False), (True, True)])
def test_optax_with_a_schedule(tmp_path, jit, x64):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", x64)
    try:
        optax_with_a_schedule(tmp_path, jax, optax, jit)
    finally:
        jax.config.update("jax_enable_x64", before)


def optax_with_a_schedule(tmp_path, jax, optax, jit):
    rate = optax.exponential_decay(0.1, 2, 0.5)
    hyper = {"learning_rate": rate, "betas": (0.9, 0.999), "epsilon": 1e-8}
    with Recorder(tmp_path / "run.npz", "adam", **hyper) as recorder:
        transformation = recorder.wrapped(optax.adam(rate))
        params = {"a": jax.numpy.arange(1.0, 4.0), "b": jax.numpy.ones((2, 2))}
        state = transformation.init(params)

        def step(params, state):
            loss = lambda p: (p["a"] ** 4).sum() + jax.numpy.cos(p["b"]).sum()  # noqa: E731
            value, gradient = jax.value_and_grad(loss)(params)
            moves, state = transformation.update(gradient, state, params, value=value)
            return optax.apply_updates(params, moves), state

        step = jax.jit(step) if jit else step
        for _ in range(5):
            params, state = step(params, state)
    report = check_trajectory(tmp_path / "run.npz")
    assert (report.verdict, report.counts["pass"]) == ("RIGHT", 5)
    with pytest.raises(RecordingError, match="must be given the parameters"):
        transformation.update(params, state)


def test_the_ball_of_optax_is_recorded_with_its_inner_iterates(tmp_path):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    hyper = {"learning_rate": 0.1, "radius": 0.5, "projection_rate": 0.05, "projection_steps": 3}
    served = jax.value_and_grad(lambda p: (p["a"] ** 2).sum() + jax.numpy.sin(3 * p["b"]))
    with Recorder(tmp_path / "run.npz", "rolling-ball", **hyper) as recorder:
        transformation = recorder.wrapped(example("optax_port").rolling_ball(**hyper))
        params = {"a": jax.numpy.arange(1.0, 3.0), "b": jax.numpy.asarray(0.5)}
        state = transformation.init(params)

        @jax.jit
        def step(params, state):
            value, gradient = served(params)
            moves, state = transformation.update(gradient, state, params, value=value, value_and_grad_fn=served)
            return optax.apply_updates(params, moves), state

        for _ in range(4):
            params, state = step(params, state)
    report = check_trajectory(tmp_path / "run.npz")
    assert (report.verdict, report.steps) == ("RIGHT", 4)
    assert open_recording(tmp_path / "run.npz").shapes["inner"] == (3, 3)


def test_what_cannot_be_recorded_is_a_sentence(tmp_path):
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"path must end in \.npz"):
        Recorder(tmp_path / "run.txt", "adam")
    with pytest.raises(ValueError, match="optimizer must be one of"):
        Recorder(tmp_path / "run.npz", "magic")
    with pytest.raises(TypeError, match="adam has no radius"):
        Recorder(tmp_path / "run.npz", "adam", radius=1.0)
    with pytest.raises(RecordingError, match="no step was taken"), Recorder(tmp_path / "run.npz", "adam"):
        pass
    theta = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([theta], lr=0.5)
    with Recorder(tmp_path / "run.npz", "gradient-descent") as recorder:
        recorder.watch(optimizer)
        with pytest.raises(RecordingError, match="has no gradient"):
            optimizer.step()
        theta.grad = torch.ones(2)
        optimizer.step()
        with torch.no_grad():
            theta.add_(1)
        with pytest.raises(RecordingError, match="changed between two steps"):
            optimizer.step()
    assert check_trajectory(tmp_path / "run.npz").counts["pass"] == 1


def test_a_run_whose_gradients_were_not_recorded_needs_its_loss():
    with pytest.raises(RecordingError, match=r"judged with one, or for gradient-descent, adam, .* by the gradients"):
        check_trajectory([[1.0], [0.5]], optimizer="adam", learning_rate=0.1, betas=(0.9, 0.999), epsilon=1e-8)


def test_what_a_recording_cannot_hold_of_muon_is_said():
    recording = Recording(np.ones((3, 4)), optimizer="muon", gradient=np.ones((2, 4)))
    with pytest.raises(RecordingError, match=r"every θ of muon must be a matrix, got shape \(4,\)"):
        check_trajectory(recording)
