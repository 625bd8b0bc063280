"""A wrong answer is told by the numbers that are wrong, in the structure that the port has them in."""

import json

import numpy as np
import pytest

from rbo_ref.oracle import RightPort, check
from rbo_ref.oracle.adapters import OptaxPort, TorchPort
from rbo_ref.oracle.parts import entry_name, shapes, split

right = RightPort()


def test_the_coordinates_that_are_off_are_named_with_their_errors():
    def port(loss, theta, **hyper):
        new = right(loss, theta, **hyper)
        return new + np.array([0.0, 1e-3, -0.5])

    report = check(port, cases="waves-3d", levels="step", diagnosis=False)
    (result,) = report.failures
    assert [entry.name for entry in result.entries] == ["theta[2]", "theta[1]"]
    assert [entry.error for entry in result.entries] == pytest.approx([0.5, 1e-3])
    assert f"{result.message}\n  theta[2] by 0.5, theta[1] by 0.001" in str(report)
    record = json.loads(report.to_json())["results"][0]["entries"]
    assert [entry["name"] for entry in record] == ["theta[2]", "theta[1]"]
    assert record[0]["tolerance"] == result.entries[0].tolerance
    assert "theta[2] by 0.5; theta[1] by 0.001" in report.to_html()
    assert "theta[2] by 0.5\ntheta[1] by 0.001" in report.to_junit()


def test_a_few_are_shown_and_ten_are_kept():
    report = check(lambda loss, theta, **hyper: theta + 1, cases="waves-10d", levels="step", diagnosis=False)
    (result,) = report.failures
    assert len(result.entries) == 10
    assert result.where.endswith(" and 7 more")


def test_numbers_that_are_none_come_first():
    def port(loss, theta, *, iterations, learning_rate):
        new = theta - learning_rate * loss(theta)[1]
        new[-1], new[0] = np.nan, new[0] + 1
        return [new] * iterations

    report = check(port, optimizer="gradient-descent", cases="plain-waves10", levels="step", diagnosis=False)
    assert [entry.name for entry in report.failures[0].entries] == ["theta[9]", "theta[0]"]
    assert json.loads(report.to_json())["results"][0]["entries"][0]["error"] is None


def test_a_quantity_of_the_step_is_named_too():
    def port(loss, theta, **hyper):
        return {"theta": right(loss, theta, **hyper), "normal": np.array([0.0, 0.0, 0.0, 2.0])}

    report = check(port, cases="waves-3d", levels="primitives", diagnosis=False)
    assert {entry.name for entry in report.failures[0].entries} == {f"normal[{i}]" for i in range(4)}


@pytest.mark.parametrize("theta", [(1,), (2,), (3,), (10,), (6,), (3, 4), (26,)])
def test_names_in_pytorch_and_optax_lead_to_the_number(theta):
    """Each name is what Python evaluates to the entry."""
    numbers = np.arange(float(np.prod(theta))).reshape(theta)
    parts = split(numbers)
    groups = [{"params": parts}] if len(parts) < 3 else [{"params": parts[:1]}, {"params": parts[1:]}]
    tree = parts[0] if len(parts) == 1 else dict(zip(("weights", "bias", "scale")[-len(parts) :], parts, strict=True))
    torch, optax = TorchPort(lambda params: None), OptaxPort(lambda: None)
    for i in range(numbers.size):
        assert eval(torch.entry(i, theta), {"param_groups": groups}) == i
        assert eval(optax.entry(i, theta), {"params": tree}) == i
        assert eval(entry_name(i, theta, "theta"), {"theta": numbers}) == i
    assert len(shapes(theta)) == len(parts)


def test_a_wrong_parameter_of_pytorch_is_named():
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Forgets(torch.optim.SGD):
        """The second parameter of the second group stays where it is."""

        def step(self, closure=None):
            groups, self.param_groups = self.param_groups, [dict(group) for group in self.param_groups]
            for group in self.param_groups[1:]:
                group["params"] = group["params"][:-1]
            loss = super().step(closure)
            self.param_groups = groups
            return loss

    report = check(Forgets, optimizer="gradient-descent", cases="plain-waves10", levels="step", diagnosis=False)
    assert [entry.name for entry in report.failures[0].entries] == ["param_groups[1]['params'][1]"]
