"""Optimizers of PyTorch whose groups of parameters have rates of their own."""

import pytest

from rbo_ref.oracle import check

torch = pytest.importorskip("torch", reason="torch is not installed")
SOME = {"gradient-descent": ["plain-bowl", "momentum-*"], "adam": "usual-waves*", "adamw": "usual-waves*"}


@pytest.mark.parametrize(("name", "optimizer"), [("SGD", "gradient-descent"), ("Adam", "adam"), ("AdamW", "adamw")])
def test_right_optimizers_move_each_group_by_its_own_rate(name, optimizer):
    report = check(getattr(torch.optim, name), optimizer=optimizer, cases=SOME[optimizer])
    assert report.passed, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]
    grouped = [result for result in report.results if result.level == "groups"]
    assert grouped
    assert {result.verdict for result in grouped} == {"pass"}
    assert report.suite.drawn == 0


def test_where_right_ports_may_be_anywhere_nothing_is_decided():
    """In float16, ε is 0 and squares of small gradients are: PyTorch's Adam is 0/0 there."""
    report = check(torch.optim.Adam, optimizer="adam", dtype="float16", cases="usual-classifier")
    assert {result.verdict for result in report.results if result.level == "groups"} == {"undecidable"}


def first_for_all(parent):
    class First(parent):
        """Reads the rate of the first group."""

        def step(self, closure=None):
            own = [group["lr"] for group in self.param_groups]
            for group in self.param_groups:
                group["lr"] = own[0]
            loss = super().step(closure)
            for group, rate in zip(self.param_groups, own, strict=True):
                group["lr"] = rate
            return loss

    return First


@pytest.mark.parametrize(("name", "optimizer"), [("SGD", "gradient-descent"), ("AdamW", "adamw")])
def test_the_rate_of_the_first_group_for_all_is_wrong_and_named(name, optimizer):
    report = check(first_for_all(getattr(torch.optim, name)), optimizer=optimizer, cases=SOME[optimizer])
    assert {result.level for result in report.failures} == {"groups"}
    assert report.diagnosis.name == "rates_of_groups_ignored"
    assert {entry.name[:15] for result in report.failures for entry in result.entries} == {"param_groups[1]"}
    assert not check(first_for_all(torch.optim.SGD), optimizer="sgd", cases="momentum-*", levels="step").failures


def test_another_fault_is_not_called_so():
    class Odd(torch.optim.SGD):
        """Stops where there are two rates."""

        def step(self, closure=None):
            rates = {group["lr"] for group in self.param_groups}
            return super().step(closure) if len(rates) == 1 else closure()

    report = check(Odd, optimizer="gradient-descent", cases=SOME["gradient-descent"])
    assert {result.level for result in report.failures} == {"groups"}
    assert report.diagnosis is None


def test_what_has_no_groups_is_not_judged_in_them():
    class Joined(torch.optim.SGD):
        """One group of all."""

        def __init__(self, params, lr, momentum, nesterov):
            params = [p for group in params for p in (group["params"] if isinstance(group, dict) else [group])]
            super().__init__(params, lr, momentum, nesterov=nesterov)

    report = check(Joined, optimizer="gradient-descent", cases=SOME["gradient-descent"])
    assert report.passed, str(report)
    grouped = [result for result in report.results if result.level == "groups"]
    assert {(result.verdict, result.declined) for result in grouped} == {("skipped", False)}
