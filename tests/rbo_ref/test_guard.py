"""A port that ends the process has given no verdict, and whoever started the command is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")

PORTS = """
import collections, ctypes, itertools, os, pathlib, signal, time
from rbo_ref.oracle import RightPort
step = RightPort()
def vanishes(loss, theta, **hyper): os._exit(0)
def exits_in_c(loss, theta, **hyper): ctypes.CDLL(None).exit(0)
def crashes(loss, theta, **hyper): os.kill(os.getpid(), signal.SIGSEGV)
def vanishes_later(loss, theta, **hyper): return os._exit(1) if theta.shape[0] == 2 else step(loss, theta, **hyper)
def forks(loss, theta, **hyper):
    os.fork()
    return step(loss, theta, **hyper)
def becomes_a_daemon(loss, theta, **hyper):
    if os.fork():
        os._exit(0)
    os.setsid()
    pathlib.Path("pid").write_text(str(os.getpid()))
    return step(loss, theta, **hyper)
def leaves_a_daemon(loss, theta, **hyper):
    if not os.path.exists("pid") and os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            pathlib.Path("pid").write_text(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    return step(loss, theta, **hyper)
def listens(loss, theta, **hyper):
    heard = []
    signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    signal.raise_signal(signal.SIGUSR1)
    return step(loss, theta, **hyper) if heard else None
def spins(loss, theta, **hyper): collections.deque(itertools.repeat(0), maxlen=0)  # in C, and for ever
def waits(loss, theta, **hyper):
    pathlib.Path("pid").write_text(str(os.getpid()))
    time.sleep(60)
"""
COMMAND = [sys.executable, "-m", "rbo_ref.cli"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ports.py").write_text(PORTS)
    (tmp_path / "gone.py").write_text("import os; os._exit(0)")
    return tmp_path


@pytest.mark.parametrize(
    ("port", "sentence"),
    [
        ("ports.py:vanishes", "ended itself with exit status 0 while ports.py:vanishes was judged in case valley-1d"),
        ("ports.py:exits_in_c", "ended itself with exit status 0 while ports.py:exits_in_c was judged in case valley"),
        ("ports.py:crashes", "was killed by SIGSEGV while ports.py:crashes was judged in case valley-1d"),
        (
            "ports.py:vanishes_later",
            "ended itself with exit status 1 while ports.py:vanishes_later was judged in case pl",
        ),
    ],
)
def test_a_process_that_vanishes_is_no_verdict(folder, port, sentence):
    arguments = ["check", port, "--case", "valley-1d", "--case", "plane", "--json", "out.json"]
    ran = subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=here())
    assert ran.returncode == 3
    assert ran.stderr.startswith(f"rbo-ref: INCOMPLETE: the process {sentence}")
    assert ran.stdout == ""
    assert not (folder / "out.json").exists()


def judged(folder, port, *arguments):
    command = [*COMMAND, "check", f"ports.py:{port}", "--case", "plane", *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=here(), timeout=60)
    return ran.returncode, ran.stdout, ran.stderr


def test_a_port_that_forks_has_one_verdict(folder):
    status, out, told = judged(folder, "forks", "--json", "out.json")
    assert (status, told) == (1, "")
    assert out.count("diagnosis: ") == out.count("WRONG: ") == 1
    assert "forked, and came back in two processes" in out


def test_a_port_that_becomes_a_daemon_has_none(folder):
    status, out, told = judged(folder, "becomes_a_daemon", "--json", "out.json")
    assert (status, out) == (3, "")
    assert told.startswith("rbo-ref: INCOMPLETE: the process ended itself with exit status 0 while ports.py:becomes_a_")
    assert not (folder / "out.json").exists()
    assert is_gone(int((folder / "pid").read_text()))


def test_what_a_port_leaves_running_is_ended(folder):
    status, _, told = judged(folder, "leaves_a_daemon")
    assert (status, told) == (0, "rbo-ref: a port has left 1 process running, which was ended\n")
    assert is_gone(int((folder / "pid").read_text()))


def test_a_port_has_the_main_thread(folder):
    assert judged(folder, "listens")[::2] == (0, "")


def test_what_cannot_be_imported_cannot_be_run(folder):
    command = [*COMMAND, "check", "gone.py:step"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=here())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("rbo-ref: the process ended itself with exit status 0 while gone.py was imported")


def test_compiled_code_that_never_comes_back_is_ended_with_its_process(folder):
    code = "import sys; from rbo_ref.cli import _guard, main; _guard.OVERDUE = 0.2; sys.exit(main())"
    command = [sys.executable, "-c", code, "check", "ports.py:spins", "--case", "plane", "--time-limit", "0.1"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=here(), timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    sentence = "rbo-ref: WRONG: no answer while ports.py:spins was judged in case plane, and only its end could stop it"
    assert ran.stderr.strip() == sentence


def test_a_loss_that_vanishes_is_no_verdict(folder):
    (folder / "run.csv").write_text("theta_0\n1.0\n0.75\n")
    options = ["--learning-rate", "0.5", "--radius", "1", "--projection-rate", "0.1", "--projection-steps", "1"]
    arguments = ["replay", "run.csv", "--loss", "gone.py:loss", *options]
    ran = subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=here())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "ended itself with exit status 0 while gone.py was imported" in ran.stderr


def test_output_comes_once(folder):
    arguments = ["check", "ports.py:step", "--case", "plane", "--level", "step"]
    ran = subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=here())
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("RIGHT: ") == 1


@pytest.fixture
def interruptible():
    """Tests in the background ignore Ctrl-C, and what they start would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["the process", "its group"])
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 2), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_signals_end_both_processes(folder, whom, number, status):
    """Ctrl-C of a terminal goes to the group, `kill` to the process alone."""
    command = [*COMMAND, "check", "ports.py:waits", "--case", "plane"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, env=here(), **pipes)
    wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text())
    whom(process.pid, signal.Signals[number])
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status
    assert errors == ("rbo-ref: interrupted\n" if number == "SIGINT" else "")
    wait_for(lambda: is_gone(int((folder / "pid").read_text())))


def here():
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid):
    """Or a corpse that nobody has fetched yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
