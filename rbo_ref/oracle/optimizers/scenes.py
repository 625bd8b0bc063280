"""The run that tells most about a port of an optimizer, as a `Scene`."""

from __future__ import annotations

from rbo_ref.oracle.optimizers.judge import Run, Setting, true_steps
from rbo_ref.oracle.report import Result, Scene
from rbo_ref.oracle.report.scene import heights_of
from rbo_ref.oracle.scenes import telling, titled, walked

__all__ = ["scene_of"]


def scene_of(judged: list[tuple[Result, Run]], setting: Setting) -> Scene | None:
    """The path of a port in the run that tells most, with the true step from each place; None if it never moved."""
    answered = [(result, run) for result, run in judged if run.verdicts]
    if not answered:
        return None
    result, run = min(answered, key=lambda pair: telling(pair[0], pair[1].case.theta.size, "walk"))
    here, steps, truth = run.case.start(setting.target), true_steps(run.case, setting), []
    true = next(steps)
    for verdict, there in zip(run.verdicts, run.outcome.iterates, strict=False):
        truth.append(walked([here.reshape(-1), true.theta.middle.reshape(-1)]))
        here = there
        if verdict is not run.verdicts[-1]:
            true = steps.send(there)
    went = run.outcome.iterates[: len(run.verdicts)]
    port = walked([run.case.start(setting.target).reshape(-1), *(place.reshape(-1) for place in went)])
    wrong = None if run.wrong is None else min(run.wrong + 1, len(port) - 1)
    return Scene(titled(result), heights_of(run.case.loss), port, truth, wrong)
