"""Classes, factories, partials and lambdas are taken for what they are, and it is said what that was."""

import inspect
from functools import partial
from types import ModuleType

import pytest

from rbo_ref.cli import main
from rbo_ref.oracle import OptaxPort, Recorder, RightPort, TorchPort, as_port, check
from rbo_ref.oracle.parametrization import judgements_of

FEW = {"cases": ["usual-waves3", "usual-flat"], "diagnosis": False}


@pytest.fixture
def optax():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    return pytest.importorskip("optax", reason="optax is not installed")


def steps(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    return theta


@pytest.mark.parametrize(
    "port",
    [
        steps,
        partial(steps, radius=1.0),
        lambda loss, theta, **hyper: theta,
        lambda *a, **h: None,
        RightPort(),
        len,
        lambda theta: theta,
        lambda: None,
    ],
)
def test_a_port_is_a_port(port):
    assert as_port(port) is port


def adams(torch):
    def made(params, lr, betas, eps):
        return torch.optim.Adam(params, lr, betas, eps)

    def passes_on(params, **hyper):
        return torch.optim.Adam(params, **hyper)

    class Fixed(torch.optim.Adam):
        def __init__(self, params, lr, beta1, beta2, eps=1e-8):
            super().__init__(params, lr, (beta1, beta2), eps)

    return [
        torch.optim.Adam,
        partial(torch.optim.Adam, foreach=True),
        made,
        passes_on,
        Fixed,
        lambda p, **h: made(p, **h),
    ]


@pytest.mark.parametrize("kind", range(6))
def test_adam_of_pytorch_in_all_clothes(torch, kind):
    port = adams(torch)[kind]
    assert type(as_port(port)) is TorchPort
    report = check(port, optimizer="adam", **FEW)
    assert report.passed, str(report)
    assert report.library == "torch"
    assert "was taken for an optimizer of PyTorch, and given lr, " in str(report)
    assert [judgement.result.verdict for judgement in judgements_of(port, optimizer="adam", **FEW)] == ["pass"] * 4


@pytest.mark.parametrize("kind", range(5))
def test_adam_of_optax_in_all_clothes(optax, kind):
    def made(lr, b1, b2, eps):
        return optax.adam(lr, b1, b2, eps)

    port = [optax.adam, partial(optax.adam, eps_root=0.0), made, lambda **h: optax.adam(**h), None][kind]
    port = port or optax.inject_hyperparams(optax.adam)
    assert type(as_port(port)) is OptaxPort
    report = check(port, optimizer="adam", **FEW)
    assert report.passed, str(report)
    assert "was taken for a factory of Optax's transformations, and given l" in str(report)


def test_a_schedule_reaches_the_state_of_injected_hyper_parameters(optax):
    """The ball, whose hyper-parameters change in some cases; its rate is part of the state."""

    def ball(learning_rate, radius, projection_rate, projection_steps):
        def update(updates, state, params, *, value, value_and_grad_fn):
            hyper = dict(zip(("radius", "projection_rate", "projection_steps"), fixed, strict=True))
            new = RightPort()(value_and_grad_fn, params, learning_rate=learning_rate, **hyper)
            return new - params, state

        fixed = (float(radius), float(projection_rate), int(projection_steps))
        return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)

    injected = optax.inject_hyperparams(ball, static_args=("radius", "projection_rate", "projection_steps"))

    rates = []

    def stale(learning_rate, radius, projection_rate, projection_steps):
        rates.append(float(learning_rate))
        first = optax.constant_schedule(rates[0])  # which replaces what is written into the state
        return injected(first, radius, projection_rate, projection_steps)

    for factory, verdict in ((ball, "RIGHT"), (injected, "RIGHT"), (stale, "WRONG")):
        report = check(factory, cases="schedule-1d", levels="walk", diagnosis=False)
        assert report.verdict == verdict, str(report)


def test_what_is_on_by_default_is_told(torch):
    report = check(torch.optim.AdamW, optimizer="adam", **FEW)
    assert report.verdict == "WRONG"
    assert "note: weight_decay=0.01 is on, and no case of adam has such a parameter" in str(report)
    report = check(partial(torch.optim.Adam, amsgrad=True), optimizer="adam", **FEW)
    assert "amsgrad=True is on, and no case of adam has such a parameter" in report.notes

    def port(loss, theta, *, learning_rate, momentum=0.0, decay=1e-4, verbose=False):
        return theta - learning_rate * (loss(theta)[1] + decay * theta)

    report = check(port, optimizer="gradient-descent", cases="plain-bowl", diagnosis=False)
    assert report.notes == ["decay=0.0001 is on, and no case of gradient-descent has such a parameter"]


@pytest.mark.parametrize(
    ("port", "sentence"),
    [
        (
            lambda params, lr, betas, eps: 3,
            "taken for an optimizer of PyTorch, and given lr, betas, eps, and returned int",
        ),
        (lambda lr, betas, eps: {}, "taken for a factory of Optax's transformations, .* and returned dict, .* no init"),
        (lambda params, lr, beta_pair, eps: 3, "no parameter for betas; .* given lr, eps$"),
        (lambda params, base, lr, betas, eps: None, "has no parameter for learning_rate|cannot be called"),
        (lambda *, loss, theta, **more: None, "missing 2 required keyword-only arguments: 'loss' and 'theta'"),
        (lambda **more: None, "and given learning_rate, b1, b2, eps, and returned NoneType"),
    ],
)
def test_a_wrong_guess_is_told(torch, optax, port, sentence):
    with pytest.raises(TypeError, match=sentence):
        check(port, optimizer="adam")


def test_names_that_would_be_understood_are_told(torch):
    with pytest.raises(
        TypeError, match="given lr, rho, gamma; projection_steps may also be called inner_steps, num_steps"
    ):
        check(lambda params, lr, rho, gamma, often: None)


def test_what_is_made_already_is_told(torch, optax):
    with pytest.raises(TypeError, match="got Adam, which is made already: name its class"):
        check(torch.optim.Adam([torch.zeros(1)]), optimizer="adam")
    with pytest.raises(TypeError, match="which is made already"):
        check(optax.adam(0.1), optimizer="adam")


def test_what_else_a_class_needs_is_told(torch):
    class Around(torch.optim.Adam):
        def __init__(self, params, base, lr, betas, eps):
            super().__init__(params, lr, betas, eps)

    with pytest.raises(TypeError, match=r"which fails: .*missing 1 required positional argument: 'base'"):
        check(Around, optimizer="adam")
    assert check(partial(Around, base=None), optimizer="adam", **FEW).passed


def test_the_library_is_that_of_the_port(torch):
    with pytest.raises(TypeError, match="Adam is an optimizer of PyTorch, on arrays of torch, not of numpy"):
        check(torch.optim.Adam, optimizer="adam", xp="numpy")


# --- how an optimizer of PyTorch is called --------------------------------------------------------------------------


def sam(torch):
    """As most collections have it: the gradients are there when ``step(closure)`` is called."""

    class SAM(torch.optim.Optimizer):
        def __init__(self, params, base, rho, perturb_eps, adaptive=False, **kwargs):
            super().__init__(params, {"rho": rho, "eps": perturb_eps, "adaptive": adaptive, **kwargs})
            self.base = base(self.param_groups, **kwargs)
            self.param_groups = self.base.param_groups

        @torch.no_grad()
        def step(self, closure):
            params = [p for group in self.param_groups for p in group["params"]]
            h, old = self.param_groups[0], [p.clone() for p in params]
            slopes = [p.grad * (p.abs() if h["adaptive"] else 1) for p in params]
            scale = h["rho"] / (torch.stack([s.norm() for s in slopes]).norm() + h["eps"])
            for p, s in zip(params, slopes, strict=True):
                p.add_(scale * s * (p.abs() if h["adaptive"] else 1))
            torch.enable_grad()(closure)()
            for p, o in zip(params, old, strict=True):
                p.copy_(o)
            self.base.step()

    return partial(SAM, base=torch.optim.SGD)


def test_gradients_are_there_before_the_step(torch):
    report = check(sam(torch), optimizer="sam", cases=["usual-waves3", "wide-bowl", "adaptive-saddle"])
    assert report.passed, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]
    assert "given lr, rho, adaptive, perturb_eps" in report.notes[0]


def test_a_step_without_a_closure(torch):
    class Plain(torch.optim.SGD):
        def step(self):
            return super().step()

    report = check(Plain, optimizer="gradient-descent", cases=["plain-bowl", "momentum-plane", "nesterov-saddle"])
    assert report.passed, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]


def test_what_asks_twice_is_counted_twice(torch):
    class Twice(torch.optim.SGD):
        def step(self, closure):
            closure()
            return super().step(closure)

    report = check(Twice, optimizer="gradient-descent", cases="plain-bowl")
    assert report.passed
    assert report.counts["evaluations"] == 2 * report.counts["evaluations_needed"]


def test_training_needs_no_setting_of_the_caller(torch):
    with torch.no_grad():
        assert check(torch.optim.SGD, optimizer="gradient-descent", cases="plain-bowl").passed


# --- names ----------------------------------------------------------------------------------------------------------


def descent(loss, theta, *, learning_rate):
    return theta - learning_rate * loss(theta)[1]


def test_sgd_is_another_name_of_gradient_descent(tmp_path, monkeypatch, capsys):
    report = check(descent, optimizer="sgd", cases="plain-bowl")
    assert str(report).startswith("RIGHT: descent as gradient-descent (")
    assert [j.id for j in judgements_of(descent, optimizer="sgd", cases="plain-bowl", levels="step")] == [
        "plain-bowl-step"
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(f"{inspect.getsource(descent)}")
    assert main(["check", "mine.py:descent", "--optimizer", "sgd", "--case", "plain-bowl", "--json", "-"]) == 0
    assert '"port": "mine.py:descent"' in capsys.readouterr().out
    recorder = Recorder(tmp_path / "run.npz", "sgd", learning_rate=0.5)
    assert recorder.optimizer == "gradient-descent"


class Strange:
    """Arrays of a library that has things of these names, and other ones."""

    dtype, shape, device = "strange.float32", (1,), None

    def __array_namespace__(self, api_version=None):
        return ModuleType("strange")


@pytest.mark.parametrize("made", [object(), Strange()])
def test_arrays_that_cannot_carry_theta_are_refused_in_a_sentence(made):
    module = ModuleType("strange.core")
    module.asarray = lambda *_, **__: made
    sentence = (
        r"xp must be an array library, got strange.core, whose arrays are none of the array API standard .*: a port"
    )
    with pytest.raises(TypeError, match=sentence + " on arrays of its own takes and returns NumPy's"):
        check(descent, optimizer="sgd", xp=module)


def test_the_headline_counts(torch):
    report = check(torch.optim.AdamW, optimizer="adam", **FEW)
    wrong = len(report.failures)
    assert f"; in {wrong} of 4 judgements; " in report.headline()
    assert "; in 4 of 4 judgements; " in check(torch.optim.Adam, optimizer="adam", **FEW).headline()
