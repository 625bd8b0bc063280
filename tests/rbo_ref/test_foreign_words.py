"""No words of others reach a terminal or a file as they are: each field of each kind of input is forged, one by one."""

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from rbo_ref.cli import COMMANDS, main
from rbo_ref.oracle import Recording, RightPort
from rbo_ref.oracle.board import Cell, to_json
from rbo_ref.oracle.replay import save_recording
from tests.rbo_ref.tainted import FORGED, LONG, lines, only_shown

PLAIN = FORGED.replace("\ud800", "")  # for names that the operating system, or a type, takes


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: its status, and all that it said, which only shows."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, own):
        status = main([os.fspath(argument) for argument in arguments])
        captured = capsys.readouterr()
        only_shown(captured.out, own)
        only_shown(captured.err, ["rbo-ref:"])
        return status, captured.out + captured.err

    return run


def test_commands_print_in_one_way():
    folder = Path(main.__code__.co_filename).parent
    printing = [path.name for path in folder.glob("*.py") if re.search(r"(?<![\w.])print\(", path.read_text("utf-8"))]
    assert sorted(printing) == ["_freeze.py", "_streams.py"]  # a progress, and the one way


# Ports.

PORT = """
from rbo_ref.oracle import RightPort, Skip
FORGED = {forged!r}

class Port:
    def __call__(self, loss, theta, **hyper):
        return RightPort()(loss, theta, **hyper)

port = Port()
"""
PORTS = {
    "names": ("for name in ('language', 'kind', '__qualname__', '__module__', '__doc__', 'name'):\n"
              "    setattr(port, name, FORGED)", 0),
    "library": ("port.library = FORGED", 2),
    "xp": ("port.library = FORGED.encode('ascii', 'replace').decode()[:2]", 2),
    "type": ("Port.__name__ = Port.__qualname__ = FORGED[:-1]\nPort.__module__ = FORGED", 0),
    "lacks": ("Port.lacks = lambda self, arguments: [FORGED]", 2),
    "exception": ("def port(loss, theta, **hyper): raise type(FORGED[:-1], (Exception,), {})(FORGED)", 1),
    "long": ("def port(loss, theta, **hyper): raise ValueError(FORGED * 10**5)", 1),
    "skip": ("def port(loss, theta, **hyper): raise Skip(FORGED)", 3),
    "keys": ("def port(loss, theta, **hyper): return {FORGED: theta}", 1),
    "result": ("def port(loss, theta, **hyper): return type(FORGED[:-1], (), {})()", 1),
    "inner": ("def port(loss, theta, **hyper): return {'theta': theta, 'inner': type(FORGED[:-1], (), {})()}", 1),
    "parameters": ("def port(loss, theta, *, learning_rate): pass\nport.__qualname__ = FORGED[:-1]", 2),
    "import": ("raise ImportError(FORGED)", 2),
    "syntax": ("raise SyntaxError(FORGED, (FORGED, 1, 1, FORGED))", 2),
    "name": ("raise type(FORGED[:-1], (Exception,), {})(FORGED)", 2),
    "factory": ("class port:\n    def __init__(self): raise ValueError(FORGED)", 2),
    "exit": ("raise SystemExit(FORGED)", 2),
    "filename": ("exec(compile('def port(loss, theta, **hyper): 1/0', FORGED[:-1], 'exec'))", 1),
    "warning": ("import warnings\nwarnings.simplefilter('ignore')\nwarnings.warn(FORGED)", 0),
}  # fmt: skip


@pytest.mark.parametrize(("words", "status"), PORTS.values(), ids=PORTS)
def test_a_port(run, monkeypatch, words, status):
    monkeypatch.delitem(sys.modules, "tainted_port", raising=False)
    Path("tainted_port.py").write_text(f"{PORT.format(forged=FORGED)}\n{words}\n")
    files = ["--json", "r.json", "--junit", "r.xml", "--html", "r.html"]
    verdict = {0: "RIGHT: tainted", 1: "WRONG: tainted", 2: "rbo-ref:", 3: "NOTHING DECIDED: tainted"}[status]
    assert run("check", "tainted_port.py:port", "--case", "plane", *files, own=[verdict])[0] == status
    if status != 2:
        assert json.loads(Path("r.json").read_text())["passed"] is (status == 0)
        assert [e.tag for e in ElementTree.parse("r.xml").iter() if e.tag in ("failure", "error")] == [] or status
        only_shown(Path("r.html").read_text("utf-8"), [verdict])


# Programs: what they say to the start, and to a run.

PROGRAM = "import sys; [(sys.stdin.readline(), sys.stdout.write(line + chr(10)), sys.stdout.flush()) for line in {}]"
CAPABILITIES = {
    "version": 1, "name": "port", "language": "C", "optimizers": ["rolling-ball"], "dtypes": ["float64"],
    "numbers": "bits", "dialects": {"rolling-ball": "authors"},
}  # fmt: skip
START = json.dumps(CAPABILITIES)
SAYINGS = [
    *([line] for line in lines(CAPABILITIES)),
    *([START, line] for line in lines({"id": 1, "error": "none"})),
    *([START, line] for line in lines({"id": 1, "skip": "none"})),
    *([START, line] for line in lines({"id": 1, "theta": ["0x3ff0000000000000"] * 2, "inner": []})),
    *([START, line] for line in lines({"evaluate": ["0x3ff0000000000000"] * 2})),
    [PLAIN.replace("\n", " ")],
    [START, PLAIN.replace("\n", " ")],
    [START, json.dumps({"id": 1, "error": LONG})],
]


@pytest.mark.parametrize("number", range(4))
def test_a_program(run, number):
    for said in SAYINGS[number::4]:
        code = PROGRAM.format(repr(said))
        arguments = ["check", "--case", "plane", "--level", "step", "--time-limit", "20", "--transcript", "t.txt"]
        own = [f"{verdict}: {sys.executable}" for verdict in ("WRONG", "NOTHING DECIDED")]
        assert run(*arguments, "--", sys.executable, "-S", "-c", code, own=own)[0] in (1, 2, 3)
        conversation = Path("t.txt").read_bytes().decode("utf-8").split("\n")
        assert all(line.isprintable() and line[:1] in "<>" for line in conversation)


def test_last_words_of_a_program(run):
    code = f"import sys; sys.stderr.buffer.write({PLAIN.encode()!r}); sys.exit(3)"
    assert run("check", "--case", "plane", "--", sys.executable, "-S", "-c", code, own=["WRONG: "])[0] == 1
    assert run("check", "--case", "plane", "--", f"./{PLAIN}", own=[])[0] == 2


# Recordings.

HYPER = {"learning_rate": 0.1, "radius": 0.5, "projection_rate": 0.1, "projection_steps": 1}
ABOUT = {"format": "rbo-recording", "version": 1, "dtype": "float64", "dialect": "authors", "loss": "himmelblau"}
RECORD = ABOUT | {"optimizer": "rolling-ball", "port": "mine", "note": ["a"]} | HYPER
ROWS = ['{"theta": [0.5, 0.5]}', '{"theta": [0.6, 0.6]}']


def recordings():
    """Text files with one forged word each."""
    for line in lines(RECORD):
        yield "\n".join([line, *ROWS])
    for line in lines({"theta": [0.5, 0.5], "value": 1.0, "inner": [[0.5, 0.5]]}):
        yield "\n".join([json.dumps(RECORD), line, ROWS[1]])
    for key in RECORD:
        yield f"# {key}: {json.dumps(FORGED)}\ntheta_0,theta_1\n0.5,0.5\n0.6,0.6\n"
    for name in (FORGED, LONG):
        yield f"# {json.dumps(name)}: 1\ntheta_0,theta_1\n0.5,0.5\n0.6,0.6\n"
        yield f"theta_0,{json.dumps(name)[1:-1]}\n0.5,0.5\n0.6,0.6\n"
        yield f"theta_0,theta_1\n0.5,{json.dumps(name)[1:-1]}\n0.6,0.6\n"
    yield f"# {PLAIN}\ntheta_0,theta_1\n0.5,0.5\n0.6,0.6\n"
    yield f'theta_0,"{PLAIN}"\n0.5,0.5\n0.6,0.6\n'
    yield f'theta_0,theta_1\n0.5,"{PLAIN}"\n0.6,0.6\n'


def test_a_recording(run):
    path = f"run {PLAIN.replace('/', '')[:40]}"
    own = ["WRONG: mine", r"WRONG: \x1b[2K\rRIGHT", r"WRONG: run \x1b[2K", "WRONG: None"]
    for text in recordings():
        Path(path).write_bytes(text.encode())
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in HYPER.items()]
        status, _ = run("replay", path, "--loss", "himmelblau", *arguments, "--junit", "r.xml", own=own)
        assert status in (1, 2, 3)


def test_an_archive(run):
    port, theta = RightPort(), [np.array([0.5, 0.5])]
    theta.append(port(lambda x: (x @ x, 2 * x), theta[0], **HYPER))
    save_recording(Recording(np.array(theta), **HYPER), "good.npz")
    with np.load("good.npz") as archive:
        arrays = dict(archive)
    structured = np.zeros(2, dtype=[(PLAIN, float)])
    told = [np.array(line) for line in lines(json.loads(str(arrays["metadata"])))]
    odd = [{"theta": structured}, {"theta": np.array([PLAIN, PLAIN])}, {PLAIN.replace("/", ""): arrays["theta"]}]
    for change in [*({"metadata": text} for text in told), *odd]:
        np.savez("bad.npz", **{**arrays, **change})
        assert run("replay", "bad.npz", "--loss", "paraboloid", own=["WRONG: ", "RIGHT: bad.npz"])[0] in (0, 1, 2)


# Boards, heights, and what stands on the command line.


def test_a_board(run):
    cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "WRONG", {"fail": 1}, versions={"torch": "2"})
    told = {"name": "ascent", "description": "up", "evidence": "all"}
    good = json.loads(to_json([replace(cell, difference=told)]))
    Path("good.json").write_text(json.dumps(good))
    for line in lines(good):
        Path("bad.json").write_text(line)
        assert run("board", "--compare", "good.json", "bad.json", own=[])[0] in (0, 1, 2)


@pytest.mark.parametrize("suffix", ["", ".npy", ".png"])
def test_heights(run, suffix):
    name = PLAIN.replace("/", "")[:60] + suffix
    assert run("iron", name, "--radius", "1", own=[])[0] == 2
    Path(name).write_bytes(FORGED.encode("utf-8", "surrogatepass"))
    assert run("iron", name, "--radius", "1", own=[])[0] == 2


OPTIONS = {
    "check": ["", "--xp", "--dtype", "--optimizer", "--dialect", "--case", "--seed", "--time-limit", "--level"],
    "replay": ["", "--loss", "--radius", "--hyper", "--dtype", "--compare"],
    "vectors": ["--lint", "--judge"],
    "board": ["--library", "--table", "--compare", "--dtype"],
    "draw": ["", "--out", "--start"],
    "iron": ["--radius", "--box", "--nan"],
    "matrix": ["--csv", "--dtype", "--processes"],
    "cases": ["", "--optimizer"],
}  # fmt: skip


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_command_line(run, capsys, command):
    for option in OPTIONS.get(command, [""]):
        words = [command] if command else []
        words += [option, FORGED] if option else [FORGED]
        status = main(words)
        captured = capsys.readouterr()
        assert status == 2
        only_shown(captured.out + captured.err, ["rbo-ref:"])
