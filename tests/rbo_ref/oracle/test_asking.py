"""What cannot be called is neither right nor wrong: it cannot be run, and a sentence says why."""

import numpy as np
import pytest

from rbo_ref.cli import main
from rbo_ref.oracle import OptaxPort, RightPort, TorchPort, check, check_optimizer, parametrize
from rbo_ref.oracle.parametrization import judgements_of

right = RightPort()


def plain(loss, theta, *, iterations, learning_rate):
    path = [theta]
    for _ in range(iterations):
        path.append(path[-1] - learning_rate * loss(path[-1])[1])
    return path[1:]


def no_radius(loss, theta, *, learning_rate, projection_rate, projection_steps):
    return theta


def needs_more(loss, theta, *, learning_rate, radius, projection_rate, projection_steps, friction):
    return theta


def passes_on(*arguments, **hyper):
    return no_radius(*arguments, **hyper)


@pytest.mark.parametrize(
    ("port", "sentence"),
    [
        (no_radius, "no_radius has no parameter for radius; what is no rolling ball is judged with"),
        (needs_more, r"needs_more cannot be called with \(loss, theta, .*'friction'; what is no rolling ball"),
        (lambda loss: loss, "has no parameter for learning_rate, radius, projection_rate, |and torch is not installed"),
        (passes_on, "passes_on could not be called: each time it raised TypeError: .*unexpected keyword argument 'rad"),
    ],
)
def test_a_port_that_cannot_be_called_is_no_wrong_one(port, sentence):
    with pytest.raises(TypeError, match=sentence):
        check(port, cases=["plane", "walk-2d", "valley-1d"])


def test_only_the_first_argument_error_of_all_calls_counts():
    """A port that fails so in one case, and is called in another, has a fault."""

    def moody(loss, theta, **hyper):
        return no_radius(loss, theta, **hyper) if theta.shape[0] == 2 else right(loss, theta, **hyper)

    report = check(moody, cases=["plane", "valley-1d"])
    assert {r.id for r in report.failures} == {"plane"}
    assert "unexpected keyword argument 'radius'" in report.failures[0].message


def test_a_crash_in_every_case_is_wrong():
    def crashes(loss, theta, **hyper):
        return theta + "1"

    assert check(crashes, cases=["plane", "valley-1d"]).verdict == "WRONG"


def test_hyper_parameters_that_change_nothing_need_no_name():
    assert check_optimizer(plain, "gradient-descent", cases="plain-*").passed
    report = check_optimizer(plain, "gradient-descent")
    assert report.verdict == "INCOMPLETE"
    assert {r.message for r in report.results if r.declined} >= {"the port has no parameter for momentum"}
    assert not any(r.declined for r in report.results if r.id.startswith("plain-"))


def test_what_is_not_neutral_is_handed_over_or_refused():
    """A port that takes what it then does not use is wrong, not excused."""

    def ignores(loss, theta, *, iterations, learning_rate, momentum, nesterov):
        return plain(loss, theta, iterations=iterations, learning_rate=learning_rate)

    assert check_optimizer(ignores, "gradient-descent", cases="plain-*").passed
    assert not check_optimizer(ignores, "gradient-descent", cases="momentum-*", diagnosis=False).passed


def test_an_optimizer_of_pytorch_without_switches():
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Plain(torch.optim.SGD):
        def __init__(self, params, lr):
            super().__init__(params, lr=lr)

    assert check_optimizer(TorchPort(Plain), "gradient-descent", xp="torch", cases="plain-*").passed
    report = check_optimizer(Plain, "gradient-descent", cases="momentum-*")
    assert (report.verdict, report.declined) == ("NOTHING DECIDED", len(report.results))
    report = check_optimizer(torch.optim.RMSprop, "gradient-descent", diagnosis=False)
    assert report.verdict == "WRONG"
    assert {r.message for r in report.results if r.declined} == {"the port has no parameter for nesterov"}
    assert "alpha=0.99, eps=1e-08 are on, and no case of gradient-descent has such a parameter" in report.notes


def test_optax_sam_is_the_sam_of_the_paper():
    """It has no ε and is not adaptive; the paper has neither."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    optax = pytest.importorskip("optax", reason="optax is not installed")
    jax.config.update("jax_enable_x64", True)

    def sam(loss, theta, *, iterations, learning_rate, radius):
        up = optax.chain(optax.contrib.normalize(), optax.sgd(radius))
        optimizer = optax.contrib.sam(optax.sgd(learning_rate), up, sync_period=2, opaque_mode=True)
        state, path = optimizer.init(theta), []
        for _ in range(iterations):
            updates, state = optimizer.update(loss(theta)[1], state, theta, grad_fn=lambda t, _: loss(t)[1])
            theta = optax.apply_updates(theta, updates)
            path.append(theta)
        return path

    report = check_optimizer(sam, "sam", xp="jax", cases="paper-*")
    assert report.passed, str(report)
    assert report.counts["pass"] == len(report.results) == 12


@pytest.mark.parametrize("epsilon", [1e-12, 0.1])
def test_an_epsilon_that_the_paper_does_not_have_shows_in_its_cases(epsilon):
    def sam(loss, theta, *, iterations, learning_rate, radius):
        path = []
        for _ in range(iterations):
            g = loss(theta)[1]
            theta = theta - learning_rate * loss(theta + radius * g / (np.linalg.norm(g) + epsilon))[1]
            path.append(theta)
        return path

    assert check_optimizer(sam, "sam", cases="paper-*", diagnosis=False).verdict == "WRONG"


def test_an_optax_factory_that_lacks_a_parameter_is_refused():
    def factory(learning_rate): ...

    pytest.importorskip("jax", reason="jax is not installed")
    with pytest.raises(TypeError, match=r"factory has no parameter for betas.*; factory was taken for a factory"):
        check_optimizer(OptaxPort(factory), "adam", dtype="float32")


def test_tests_are_not_made_of_a_port_that_cannot_be_called():
    with pytest.raises(TypeError, match="no_radius has no parameter for radius"):
        parametrize(no_radius)
    (judgement, _) = judgements_of(plain, optimizer="gradient-descent", cases="momentum-plane")
    with pytest.raises(pytest.skip.Exception, match="skipped by the port: the port has no parameter for momentum"):
        judgement.check()


FILE = """
def step(loss, theta, learning_rate): ...
def wrapped(*arguments, **hyper): return step(*arguments, **hyper)
def plain(loss, theta, *, iterations, learning_rate):
    path = [theta]
    for _ in range(iterations):
        path.append(path[-1] - learning_rate * loss(path[-1])[1])
    return path[1:]
"""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lacking.py:step"], "step has no parameter for radius, projection_rate, projection_steps"),
        (["lacking.py:wrapped"], "wrapped could not be called: each time it raised TypeError"),
        (["optax:adam"], "what is no rolling ball is judged with optimizer=, or on the command line --optimizer"),
        (["torch.optim:RMSprop", "--optimizer", "sam"], "RMSprop has no parameter for radius; RMSprop was taken for"),
    ],
)
def test_the_command_cannot_run_them(tmp_path, monkeypatch, capsys, arguments, sentence):
    if ".py:" not in arguments[0]:
        pytest.importorskip(arguments[0].partition(":")[0], reason="not installed")
    (tmp_path / "lacking.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    assert main(["check", *arguments]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


def test_the_documented_way_to_do_without_a_switch(tmp_path, monkeypatch, capsys):
    (tmp_path / "switchless.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "switchless.py:plain", "--optimizer", "gradient-descent"]) == 3
    assert capsys.readouterr().out.startswith("INCOMPLETE: switchless.py:plain")
    assert main(["check", "switchless.py:plain", "--optimizer", "gradient-descent", "--case", "plain-*"]) == 0
    assert capsys.readouterr().out.startswith("RIGHT: switchless.py:plain")
