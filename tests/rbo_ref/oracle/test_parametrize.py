"""The judgements of the oracle as tests of pytest, in test functions."""

import pytest

from rbo_ref import oracle
from rbo_ref.oracle import MISTAKES, RightPort, parametrize
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.parametrization import judgements_of, reason_for, unmatched

pytest_plugins = "pytester"

HEAD = "from rbo_ref import oracle\n"


class Counted(RightPort):
    """Counts its steps."""

    steps = 0

    def __call__(self, *arguments, **hyper):
        type(self).steps += 1
        return super().__call__(*arguments, **hyper)


def outcomes(pytester, source, *arguments):
    pytester.makepyfile(HEAD + source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@parametrize(RightPort(), cases=["plane", "walk-2d"])
def test_it_makes_tests(judgement):
    judgement.check()


@parametrize(RIGHT_PORTS["sam"](), optimizer="sam", cases="wide-*", dtype="float32")
def test_it_makes_tests_of_other_optimizers(judgement, tmp_path):
    assert tmp_path.is_dir()  # fixtures are there
    judgement.check()


@parametrize(MISTAKES["carries_center"](), cases="walk-2d", expected_failures={"*-walk": "it remembers the centre"})
def test_expected_failures_are_no_failures(judgement):
    judgement.check()


class TestMethods:
    @parametrize(RightPort(), cases="plane", levels="step")
    def test_in_a_class(self, judgement):
        assert judgement.id == "plane-step"
        assert judgement.result.verdict == "pass"


def test_a_right_port_passes(pytester):
    result = outcomes(
        pytester,
        """
        @oracle.parametrize(oracle.RightPort(), cases=["valley-1d", "eq13-paper"])
        def test_port(judgement):
            judgement.check()
        """.replace("\n        ", "\n"),
        "-v",
        "-rs",
    )
    result.assert_outcomes(passed=3, skipped=5)
    result.stdout.fnmatch_lines(["*test_port[[]valley-1d-step[]] PASSED*", "*undecidable: rounding is amplified*"])


def test_a_wrong_port_fails_with_its_diagnosis(pytester):
    result = outcomes(
        pytester,
        """
        @oracle.parametrize(oracle.MISTAKES["radius_halved"](), cases=["valley-1d"], levels=["step"])
        def test_port(judgement):
            judgement.check()
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*valley-1d-step: the new theta is wrong: off by *", "*diagnosis: radius_halved: *"])


def test_an_expected_failure_that_passes_is_a_failure(pytester):
    result = outcomes(
        pytester,
        """
        @oracle.parametrize(
            oracle.MISTAKES["carries_center"](), cases="walk-2d", expected_failures={"walk-2d-*": "it remembers"}
        )
        def test_port(judgement):
            judgement.check()
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*it remembers*"])


def test_another_exception_is_no_expected_failure(pytester):
    result = outcomes(
        pytester,
        """
        @oracle.parametrize(oracle.RightPort(), cases="plane", levels="step", expected_failures={"*": "because"})
        def test_port(judgement):
            raise ZeroDivisionError
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(failed=1)


def test_an_id_that_matches_nothing_is_told_at_collection(pytester):
    result = outcomes(
        pytester,
        """
        @oracle.parametrize(oracle.RightPort(), cases="plane", expected_failures={"plane-stop": "a slip"})
        def test_port(judgement):
            judgement.check()
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ValueError: expected_failures: 'plane-stop' match none of the ids (plane-*"])


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"expected_failures": {"plane-stop": "why"}}, ValueError, "'plane-stop' match none of the ids"),
        ({"expected_failures": {"plane-step": ""}}, TypeError, r"\['plane-step'\] must be the reason"),
        ({"expected_failures": {"plane-step": None}}, TypeError, "must be the reason, a text, got None"),
        ({"cases": "plain"}, ValueError, "cases: 'plain' matches none of"),
        ({"levels": "steps"}, ValueError, "levels must be among"),
        ({"dtype": "float8"}, ValueError, "dtype must be one of"),
        ({"dialect": "welsh"}, ValueError, "dialect must be one of"),
        ({"optimizer": "adamant"}, ValueError, "optimizer must be one of"),
        ({"optimizer": "adam", "levels": "inner"}, ValueError, "levels must be among step, walk"),
        ({"xp": 5}, TypeError, "xp must be an array library"),
        ({"port": 3}, TypeError, "must be callable"),
    ],
)
def test_wrong_arguments_raise_where_they_stand(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        parametrize(**{"port": RightPort(), **arguments})


def test_a_function_without_a_parameter_is_refused():
    with pytest.raises(TypeError, match="test_nothing must have a parameter for the judgement"):

        @parametrize(RightPort(), cases="plane")
        def test_nothing(): ...


def test_nothing_is_judged_before_it_is_asked_and_a_case_only_once():
    Counted.steps = 0
    judgements = judgements_of(Counted(), cases=["valley-1d", "plane"])
    assert Counted.steps == 0
    for judgement in judgements[:4]:  # the four levels of a single step
        assert judgement.result.id == "valley-1d"
    assert Counted.steps == 1


def test_judgements_are_those_of_a_check():
    wrong = MISTAKES["carries_height"]()
    chosen = {"cases": ["walk-2d", "plane"], "dtype": "float32", "seed": 3}
    one_by_one = [judgement.result for judgement in judgements_of(wrong, **chosen)]
    assert one_by_one == oracle.check(wrong, **chosen).results


def test_ids_are_unique():
    for judgements in (judgements_of(RightPort()), judgements_of(RIGHT_PORTS["muon"](), optimizer="muon")):
        assert len({judgement.id for judgement in judgements}) == len(judgements)


def test_patterns():
    judgements = judgements_of(RightPort(), cases=["plane", "walk-2d"])
    assert unmatched(["plane-*", "*-walk", "walk-3d*"], judgements) == ["walk-3d*"]
    expected = {"plane-step": "first", "plane-*": "second"}
    assert [reason_for(judgement, expected) for judgement in judgements] == ["second"] * 3 + ["first", None, None]
