"""Hostile ports and programs, judged by the command line: each gets a verdict or a sentence, in time, and nothing else.

Ports in Python misbehave in one to three ways, at drawn moments; programs at the start, when a run is asked, and in the
middle of one. Reports go to files, to standard output, or to a full disk.
"""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from xml.etree import ElementTree

from fuzzing import Fault
from fuzzing._hostile import MISBEHAVIOURS, MOMENTS, NAME, Ran, ran, source
from rbo_ref.cli import _guard, main
from tests.rbo_ref.oracle.protocol import wicked
from tests.rbo_ref.tainted import only_shown

COUNT = 1000
TIME_LIMIT = 0.2  # seconds
VERDICTS = {0: ("RIGHT: ",), 1: ("WRONG: ",), 2: (), 3: ("INCOMPLETE: ", "NOTHING DECIDED: ")}
EVERY = list(itertools.product(("run", "evaluation", "start"), wicked.BEHAVIOURS))
REPORTS = {"json": json.loads, "junit": ElementTree.fromstring, "html": lambda text: text.index("</html>")}
LOST = ("/dev/full", "no/such/place")
FILES = ("report", "report", "report", "-", *LOST)
HARMLESS = ("leaves a child in its own session",)  # of programs: in some moments they have answered before


def prepared(folder: Path) -> Callable[[int, Random], str]:
    _guard.OVERDUE = 1.0
    importlib.import_module("rbo_ref.cli._check")  # once, and not in every fork
    importlib.import_module("tqdm")

    def attempt(number: int, random: Random) -> str:
        place = folder / str(number)
        place.mkdir()
        try:
            return (program if number % 2 else port)(number, random, place)
        finally:
            shutil.rmtree(place)

    return attempt


def port(number: int, random: Random, folder: Path) -> str:
    """A port in Python."""
    drawn = [
        (random.choice(list(MISBEHAVIOURS)), random.choice(list(MOMENTS))) for _ in range(random.choice((1, 1, 2, 3)))
    ]
    base = random.choice(("RightPort", "RightPort", "MISTAKES['ascent']"))
    (folder / "hostile.py").write_text(source(drawn, base))
    cases = random.sample(["plane", "valley-1d", "walk-2d", "waves-3d"], random.choice((1, 2)))
    arguments = ["hostile.py:step", *(word for case in cases for word in ("--case", case))]
    allowed = {0 if base == "RightPort" else 1}.union(*(MISBEHAVIOURS[name][1] for name, _ in drawn))
    try:
        return judged(arguments, random, folder, allowed)
    except Exception as error:
        raise Fault(f"{drawn}, {base}, {cases}: {type(error).__name__}: {error}") from error


def program(number: int, random: Random, folder: Path) -> str:
    """A program."""
    moment, behaviour = EVERY[number // 2 % len(EVERY)]
    command = ["--", sys.executable, "-S", wicked.__file__, behaviour, moment]
    allowed = ({0} if behaviour in HARMLESS else set()) | ({1, 2, 3} if moment == "start" else {1, 3})
    arguments = ["--case", random.choice(["plane", "walk-2d"]), "--level", random.choice(["step", "walk"])]
    try:
        return judged(arguments, random, folder, allowed, command)
    except Exception as error:
        raise Fault(f"{behaviour} at {moment}: {type(error).__name__}: {error}") from error


def judged(
    arguments: list[str], random: Random, folder: Path, allowed: set[int], command: list[str] | None = None
) -> str:
    """What a check came to, if it may."""
    kind, file = random.choice(list(REPORTS)), random.choice(FILES)
    out = random.choice((None, None, None, "/dev/full"))
    words = ["check", *arguments, "--time-limit", str(TIME_LIMIT), f"--{kind}", file, *(command or [])]
    came = ran(main, words, folder, out)
    is_lost = file in LOST or out is not None
    if came.status not in (allowed | {2} if is_lost else allowed) or (came.status == 2 and not came.told):
        raise Fault(f"status {came.status}, expected one of {allowed}; {words}, {out}; {came.told[-200:]!r}")
    if is_lost and came.status in (0, 1) and "only its end could stop it" not in came.told:
        raise Fault(f"status {came.status}, though there is no report")
    if list(folder.glob("**/.*.new")):
        raise Fault("a file is half written")
    whole(came, kind, folder / "report", file)
    return f"status {came.status}"


def whole(came: Ran, kind: str, path: Path, file: str) -> None:
    """Raise unless output and report are whole, and say the same as the status."""
    shown(came)
    text = path.read_text("utf-8") if path.exists() else came.out if file == "-" else ""
    if not text:
        return
    report = REPORTS[kind](text)
    if kind == "json" and report["passed"] != (came.status == 0) and came.status != 2:
        raise Fault(f"status {came.status}, and passed is {report['passed']}")


def shown(came: Ran) -> None:
    """Raise unless all that was said only shows, but for what a port has printed itself."""
    if came.out[:1] not in "{<" or not came.out:
        only_shown(came.out, VERDICTS[came.status] or ("RIGHT: ", "WRONG: ", "INCOMPLETE: ", "NOTHING DECIDED: "))
    if NAME in came.out or "Traceback" in came.out:
        raise Fault("words of a port are on standard output")
    if NAME not in came.told and "xxxx" not in came.told and "Warning" not in came.told:
        only_shown(came.told, ["rbo-ref:"])
