"""`ProgramPort`: what it tells the program, when it starts it, what it refuses."""

import json
import sys
import time

import numpy as np
import pytest

from rbo_ref.oracle import ProgramPort, Skip, check, check_optimizer
from rbo_ref.oracle.calls import PortError
from rbo_ref.oracle.protocol.port import Undeclared
from tests.rbo_ref.oracle.protocol import wicked
from tests.rbo_ref.oracle.protocol.conversations import Transcript

HYPER = {"learning_rate": 0.25, "radius": 2.0, "projection_rate": 0.25, "projection_steps": 1}
DECLARED = {"version": 1, "name": "script", "optimizers": ["rolling-ball", "adam"], "dtypes": ["float64"]}
RIGHT = [sys.executable, "-S", wicked.__file__, "is empty", "never"]


def script(*lines, **declared):
    """The command of a program that answers with these lines, one for each that it reads."""
    answers = [json.dumps({**DECLARED, **declared}), *(json.dumps(line) for line in lines)]
    return [
        sys.executable,
        "-S",
        "-c",
        "import sys\nfor line in sys.argv[1:]: input(); print(line, flush=True)",
        *answers,
    ]


def bowl(theta):
    return theta @ theta / 2, theta


def test_memory_is_forgotten_where_the_oracle_says_so():
    said = Transcript()
    with ProgramPort(RIGHT, heard=said.hear) as port:
        assert check(port, cases="walk-2d").passed
    fresh = [order["fresh"] for order in said.orders]
    assert fresh == [True] * 5 + [True] + [False] * 4  # restarted at each step; a walk of its own
    assert [order["id"] for order in said.orders] == list(range(1, 11))


def test_intermediates_arrive_as_arrays():
    parts = {"normal": [0.0, 1.0], "candidate": [1.0, 2.0], "inner": [[1.0], [0.5]]}
    with ProgramPort(script({"id": 1, "theta": [0.5], **parts}, numbers="decimal")) as port:
        result = port(bowl, np.array([1.0]), **HYPER)
    assert result.keys() == {"theta", "normal", "candidate", "inner"}
    np.testing.assert_array_equal(result["candidate"], [1.0, 2.0])
    assert [iterate.tolist() for iterate in result["inner"]] == [[1.0], [0.5]]


def test_matrices_and_draws_travel_in_row_major_order():
    said = Transcript()
    theta = np.arange(6.0).reshape(2, 3)
    answer = {"id": 1, "iterates": [list(range(6))]}
    with ProgramPort(script(answer, numbers="decimal"), "adam", heard=said.hear) as port:
        (iterate,) = port(bowl, theta, iterations=1, draws=np.ones((1, 2, 3)), betas=(0.5, 0.75), name=None)
    np.testing.assert_array_equal(iterate, theta)
    (order,) = said.orders
    assert (order["shape"], order["theta"], order["draws"]) == ([2, 3], [0, 1, 2, 3, 4, 5], [1.0] * 6)
    assert (order["iterations"], order["hyper"]) == (1, {"betas": [0.5, 0.75], "name": None})


def test_bfloat16_is_carried_by_other_arrays():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    said, theta = Transcript(), torch.tensor([1.0, 0.3], dtype=torch.bfloat16)
    answers = {"evaluate": ["0x3f80", "0x3e9a"]}, {"id": 1, "theta": ["0x3f00", "0x3e80"]}
    with ProgramPort(script(*answers, dtypes=["bfloat16"]), heard=said.hear) as port:
        result = port(bowl, theta, **HYPER)["theta"]
    assert result.dtype == torch.bfloat16
    assert result.tolist() == [0.5, 0.25]
    assert said.orders[0]["theta"] == ["0x3f80", "0x3e9a"]
    assert said[4] == (">", '{"value": "0x3f0c", "gradient": ["0x3f80", "0x3e9a"]}')


def test_an_infinite_question_is_answered_with_nan():
    said = Transcript()
    with ProgramPort(
        script({"evaluate": ["Infinity"]}, {"id": 1, "theta": [0.5]}, numbers="decimal"), heard=said.hear
    ) as p:
        check(p, cases="valley-1d", levels="step")
    assert said[4] == (">", '{"value": "NaN", "gradient": ["NaN"]}')


def test_errors_and_skips_leave_the_program_running():
    answers = [{"id": 1, "error": "no"}, {"id": 2, "skip": "not"}, {"id": 3, "theta": [0.5]}]
    with ProgramPort(script(*answers, numbers="decimal")) as port:
        with pytest.raises(PortError, match="answered with an error: no"):
            port(bowl, np.array([1.0]), **HYPER)
        with pytest.raises(Skip, match="not"):
            port(bowl, np.array([1.0]), **HYPER)
        assert port(bowl, np.array([1.0]), **HYPER)["theta"] == [0.5]


def test_it_is_started_again_and_judged_on_the_rest():
    """A program that cannot do two dimensions, and dies of it."""
    moody = "import sys, runpy, json\n" + (
        "import builtins; loads = json.loads\n"
        "def hear(line):\n"
        "    order = loads(line)\n"
        "    return sys.exit(4) if order.get('shape') == [2] else order\n"
        "json.loads = hear\n"
        f"sys.argv = ['', 'is empty', 'never']; runpy.run_path({wicked.__file__!r}, run_name='__main__')"
    )
    with ProgramPort([sys.executable, "-S", "-c", moody]) as port:
        report = check(port, cases=["valley-1d", "plane", "waves-3d", "bowl-one", "waves-10d"], levels="step")
    assert {r.id: r.verdict for r in report.results} == {
        **dict.fromkeys(("valley-1d", "waves-3d", "waves-10d"), "pass"),
        **dict.fromkeys(("plane", "bowl-one"), "fail"),
    }
    assert {r.message for r in report.failures} == {"ended with exit status 4"}


def test_it_is_not_started_for_ever():
    said = Transcript()
    with ProgramPort([sys.executable, "-S", "-c", "input()"], heard=said.hear) as port:
        report = check(port, levels="step", diagnosis=False)
    assert report.failures[-1].message == "not started again: it was closed, or broke off 20 times"
    assert said == [(">", '{"command": "start", "version": 1}')] * 20


def test_what_is_not_declared_is_skipped_and_nothing_skipped_passes():
    with ProgramPort(script()) as port:
        report = check(port, dtype="float32", cases=["plane", "walk-2d"])
        assert not report.passed
        assert {r.message for r in report.results} == {"the program declares no dtype float32, but float64"}
        assert {r.verdict for r in report.results} == {"skipped"}
    with ProgramPort(script(), "muon") as port:
        report = check_optimizer(port, "muon", cases="usual-*")
        assert {r.message for r in report.results} == {"the program declares no optimizer muon, but rolling-ball, adam"}
    with (
        ProgramPort(script(version=3)) as port,
        pytest.raises(Undeclared, match="speaks version 3 of the protocol, not 1"),
    ):
        port.require("float64")


def test_a_port_of_one_optimizer_is_not_judged_as_another():
    with ProgramPort(RIGHT) as port:
        report = check_optimizer(port, "adam", cases="short-bowl", levels="step")
    assert report.failures[0].message == "ProgramPort was made for rolling-ball, which this is not"
    with ProgramPort(RIGHT, "adam") as port:
        report = check(port, cases="plane", levels="step")
    assert report.failures[0].message == "ProgramPort was made for adam, which this is not"


def test_no_shell_is_used(tmp_path):
    heard = tmp_path / "heard"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2]); input()"
    with ProgramPort([sys.executable, "-S", "-c", code, str(heard), "$(touch a); touch b | *"]) as port:
        check(port, cases="plane", levels="step")
    assert heard.read_text() == "$(touch a); touch b | *"


def test_in_the_end_it_is_told_to_stop(tmp_path):
    farewell = tmp_path / "farewell"
    code = "import sys; lines = list(sys.stdin); open(sys.argv[1], 'w').write(lines[-1])"
    port = ProgramPort([sys.executable, "-S", "-c", code, str(farewell)])
    port.close()
    assert json.loads(farewell.read_text()) == {"command": "stop"}
    port.close()
    with pytest.raises(PortError, match="not started again"):
        port(bowl, np.array([1.0]), **HYPER)


def test_one_that_does_not_stop_is_killed():
    with ProgramPort([sys.executable, "-S", "-c", "import time\nwhile True: time.sleep(1)"]) as port:
        process = port._program._process
        began = time.monotonic()
    assert process.returncode == -9
    assert time.monotonic() - began < 10


def test_a_forgotten_port_takes_its_program_along():
    port = ProgramPort(["sleep", "1000"])
    process = port._program._process
    del port
    assert process.wait(10) == -9


@pytest.mark.parametrize(
    ("command", "limits", "error", "sentence"),
    [
        (
            "./port --fast",
            {},
            TypeError,
            "command must be a list of strings, the program and its arguments, got './port",
        ),
        ([], {}, TypeError, "command must be a list of strings"),
        (["port", 3], {}, TypeError, "command must be a list of strings"),
        (["cat"], {"time_limit": 0}, ValueError, "time_limit must be positive, got 0"),
        (["cat"], {"output_limit": -1}, ValueError, "output_limit must be positive, got -1"),
        (["./no/such/program"], {}, FileNotFoundError, "No such file or directory"),
        (["/"], {}, PermissionError, "Permission denied"),
    ],
)
def test_wrong_arguments_raise(command, limits, error, sentence):
    with pytest.raises(error, match=sentence):
        ProgramPort(command, **limits)
