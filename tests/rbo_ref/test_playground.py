"""The page rolls as Python does, judges as Python does, and answers whatever is thrown at it."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from geometry import Descent, Sampling, distance
from rbo_ref.cli import main
from rbo_ref.landscapes import by_name
from rbo_ref.oracle import OPTIMIZERS
from rbo_ref.oracle.catalogue import MISTAKES, in_dialect, right_port
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.vectors import VectorSet, generation, judge_answers, play
from rbo_ref.playground.assembly import ASKING, BALL, JUDGE, landscapes_script, page, scripts, surfaces
from rbo_ref.playground.page_questions import questions, vectors_of_the_ball
from rbo_ref.rolling_ball import RollingBall
from tests.rbo_ref.browser import Browser, executable

SAMPLE = (
    *("valley-1d", "slope-1d", "crest-1d", "bowl-one", "bowl-jumps", "bowl-overshoot", "plane", "cliff"),
    *("saddle-small", "schedule-1d"),
)
PORTS = ("stale_gradient", "ascent", "carries_center", "full_gradient")
NOTHING = {"readings": {}, "losses": {}, "suspects": {}, "vectors": []}


def node(script):
    found = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stderr[-2000:]
    return found.stdout


def embedded(script):
    from py_mini_racer import MiniRacer

    return MiniRacer().eval(f"let said = ''; const console = {{ log: (text) => {{ said += text; }} }};\n{script}\nsaid")


def engine():
    if shutil.which("node"):
        return node
    pytest.importorskip("py_mini_racer", reason="neither node nor mini-racer runs JavaScript here")
    return embedded


@pytest.fixture(scope="module")
def js():
    """The value of an expression after some scripts, in whatever runs JavaScript here."""
    run = engine()
    return lambda text, expression: json.loads(run(f"{text}\nconsole.log(JSON.stringify({expression}));"))


# --- the ball -------------------------------------------------------------------------------------------------------

STARTS = {1: [[0.3], [-1.1], [2.2]], 2: [[0.3, -0.4], [1.2, 0.9], [-1.3, 0.5]]}


@pytest.fixture(scope="module")
def rolling():
    return landscapes_script() + scripts(BALL)


def test_values_and_derivatives_are_those_of_the_landscapes(js, rolling):
    asked = {shown: STARTS[d] for shown, (_, d) in surfaces().items()}
    found = js(
        f"{rolling}\nconst asked = {json.dumps(asked)};",
        "Object.entries(asked).map(([name, places]) => places.map((theta) => "
        "({ ...lookAt(LANDSCAPES[name], theta), value: LANDSCAPES[name].value(theta) })))",
    )
    for (shown, places), answers in zip(asked.items(), found, strict=True):
        graph = by_name(surfaces()[shown][0])
        for theta, answer in zip(places, answers, strict=True):
            value, gradient, hessian = graph.value(theta), graph.gradient(theta), graph.hessian(theta)
            assert answer["f"] == answer["value"]
            # the phases of the finest wrinkles carry the rounding of 10⁴·θ, their curvature that times 10⁴
            np.testing.assert_allclose(answer["f"], value, rtol=1e-9, atol=1e-11, err_msg=shown)
            np.testing.assert_allclose(answer["g"], gradient, rtol=1e-9, atol=1e-9, err_msg=shown)
            size = 1e-9 * max(1, np.abs(hessian).max())
            np.testing.assert_allclose(answer["h"], hessian.reshape(-1), rtol=1e-8, atol=size, err_msg=shown)


WILD = "weierstrass"  # slopes and curvatures so large that rounding decides where a ball goes, whatever its size
SOLVERS = {"newton": "footpoint", "inner": "footpoint", "newton, carried": "distance"}


def mild(shown, theta):
    """A ball that fits into every wrinkle, in small steps that come near: rounding is not amplified."""
    size = 1e-8 if shown == "wrinkled" else 1e-3
    slope = np.linalg.norm(by_name(surfaces()[shown][0]).gradient(theta))
    rate = 0.3 / (1 + slope**2)
    return {"learningRate": size / 10, "radius": size, "projectionRate": rate, "projectionSteps": 7}


def test_balls_roll_as_in_python(js, rolling):
    asked = [
        (shown, theta, mild(shown, theta) | {"solver": name.partition(",")[0], "variant": variant}, name)
        for shown, (own, d) in surfaces().items()
        if own != WILD
        for theta in STARTS[d]
        for name, variant in SOLVERS.items()
    ]
    found = js(
        f"{rolling}\nfunction rolled([name, theta, ball]) {{\n"
        "  let center = null;\n  return [1, 2, 3].map(() => {\n"
        "    const step = rollStep(LANDSCAPES[name], ball, theta, center);\n"
        "    center = step.candidate; theta = step.theta; return [...theta, ...step.candidate];\n  });\n}",
        f"{json.dumps(asked)}.map(rolled)",
    )
    assert len(found) > 100
    for (shown, start, told, name), steps in zip(asked, found, strict=True):
        graph = by_name(surfaces()[shown][0])
        solver = Descent(told["projectionRate"], 7) if name == "inner" else None
        ball = RollingBall(told["learningRate"], told["radius"], solver, SOLVERS[name])
        state, theta = ball.init(start), np.array(start)
        for answer in steps:
            step = ball.step(graph, theta, state)
            moved, (theta, state) = np.abs(step.theta - theta).max(), step[:2]
            near = 1e-5 * moved + (
                1e-10 if told["radius"] < 1e-6 else 1e-12
            )  # of the way; what rounding does to slopes
            np.testing.assert_allclose(
                answer, [*theta, *step.candidate], rtol=1e-12, atol=near, err_msg=f"{shown} {name}"
            )


def test_a_large_ball_does_not_stay_in_a_narrow_valley(js, rolling):
    """Newton's stationary point below the centre is no minimum of the distance there."""
    query = [-np.pi / 2, 1.0]
    (theta,) = js(rolling, f"footpoint(LANDSCAPES.sine, {query}, [-1.5708])")
    distance = np.hypot(theta - query[0], np.sin(theta) - query[1])
    assert distance == pytest.approx(1.814544, abs=1e-6)


def test_samples_find_points_as_near_as_those_of_python(js, rolling):
    queries = [[0.3, 2.0], [1.2, 1.1], [-2.0, 0.4]]
    found = js(rolling, f"{queries}.map((query) => searched(LANDSCAPES.wrinkled, query, [query[0]])[0])")
    graph = by_name("wrinkled")
    near = [np.hypot(theta - x, graph.value([theta]) - y) for theta, (x, y) in zip(found, queries, strict=True)]
    assert (near <= distance(graph, queries, solver=Sampling()) * (1 + 2e-3)).all()


def test_the_offset_function_is_where_balls_rest(js, rolling):
    """On a plane of slope 1 a ball of radius 1 has its centre √2 above; over a crack it does not sink."""
    tops = js(
        rolling,
        "[offsetFunction(Array.from({ length: 401 }, (_, i) => (i - 200) / 100), 0.01, 1)[200], "
        "offsetFunction(Array.from({ length: 401 }, (_, i) => (i === 200 ? -5 : 0)), 0.01, 1)[200]]",
    )
    assert tops == pytest.approx([np.sqrt(2), 1], abs=1e-4)


# --- the judge ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stock(request):
    """Vectors of the ball: all that the page holds with --full, else those of a few cases."""
    if request.config.getoption("full"):
        return vectors_of_the_ball()
    drafts = [
        ({"flags": []} | record, loss)
        for record, loss in generation.run_vectors([ROLLING_BALL])
        if record["dtype"] == "float64" and record["kind"] == "run" and record["id"].split(".")[2] in SAMPLE
        if record["dialect"] in ("authors", "full-contact")
    ]
    vectors = {record["id"]: record for record, _ in drafts}
    return VectorSet(vectors, {record["loss"]: loss for record, loss in drafts}, {}, frozenset(vectors))


@pytest.fixture(scope="module")
def asked(stock):
    return questions(stock)


@pytest.fixture(scope="module")
def judge(js, asked):
    """The page's judgements on texts of answers."""
    text = f"{scripts(JUDGE)}\nconst questions = {json.dumps(asked)};"

    def judged(*files):
        call = f"{json.dumps(files)}.map((file) => judgeFile(questions, file))"
        return js(text, f"{call}.map(({{ answers, ...found }}) => found)")

    return judged


def answers_of(stock, port, dialect="authors", kinds=("run", "scripted")):
    lines = []
    for vector in stock.vectors.values():
        if vector["dialect"] == dialect and vector["kind"] in kinds:
            try:
                answer = play.answer_of(vector, stock.loss(vector), port)
            except Exception:  # the script has ended
                continue
            finite = np.nan_to_num(answer["iterates"], nan=1e300, posinf=1e300, neginf=-1e300)
            lines.append(json.dumps({"id": vector["id"], "iterates": finite.tolist()}))
    return "\n".join(lines)


def test_verdicts_and_names_are_those_of_python(request, stock, judge, tmp_path):
    """On right ports in two readings, a right port that claims another reading, and ports of the catalogue."""
    full = request.config.getoption("full")
    names = [name for name in MISTAKES if full or name in PORTS]
    ports = {"right": right_port(ROLLING_BALL)} | {name: MISTAKES[name] for name in names}
    assert len(ports) >= (97 if full else 4)
    files = {name: answers_of(stock, port) for name, port in ports.items()}
    files["other reading"] = answers_of(stock, in_dialect(right_port(ROLLING_BALL), "full-contact"), "full-contact")
    files["claims another"] = files["other reading"].replace("full-contact", "authors")
    verdicts = set()
    for name, found in zip(files, judge(*files.values()), strict=True):
        (tmp_path / "answers.jsonl").write_text(files[name])
        judgement = judge_answers(stock, tmp_path / "answers.jsonl")
        assert found["verdict"] == judgement.verdict, name
        assert [r["verdict"] for r in found["results"]] == [r.verdict for r in judgement.results], name
        given, expected = found["diagnosis"], judgement.diagnosis
        assert (given and given["name"]) == (expected and expected.name), name
        assert sorted(found["owed"]) == judgement.owed
        verdicts.add(found["verdict"])
    assert verdicts >= {"RIGHT", "WRONG"}


def test_a_file_that_breaks_off_is_incomplete(stock, judge):
    *some, _ = answers_of(stock, right_port(ROLLING_BALL)).splitlines()
    (found,) = judge("\n".join(some))
    assert found["verdict"] == "INCOMPLETE"
    assert len(found["owed"]) == 1


VALLEY = "rolling-ball.run.valley-1d.authors.float64"


@pytest.mark.parametrize(
    ("line", "verdict", "message"),
    [
        ("", "NOTHING DECIDED", ""),
        ("\x00\x01rubbish", "WRONG", "not JSON"),
        ("[" * 20000, "WRONG", "not JSON"),
        ("null", "WRONG", "an answer is an object with an id"),
        ('{"id": 3}', "WRONG", "an answer is an object with an id"),
        ('{"id": "rolling-ball.run.valley-1d.authors.float65"}', "WRONG", "there is no such vector"),
        ('{"id": "__proto__", "iterates": [[1]]}', "WRONG", "there is no such vector"),
        ('{"id": "adam.run.valley-1d.paper.float64", "iterates": [[1]]}', "NOTHING DECIDED", "this page judges"),
        (
            '{"id": "rolling-ball.run.valley-1d.authors.float32", "iterates": [[1]]}',
            "NOTHING DECIDED",
            "this page judges",
        ),
        (f'{{"id": "{VALLEY}"}}', "WRONG", "expected iterates, got nothing"),
        (f'{{"id": "{VALLEY}", "toString": [[1]]}}', "WRONG", "expected iterates, got toString"),
        (f'{{"id": "{VALLEY}", "iterates": [1]}}', "WRONG", "expected lists of shape (1, 1)"),
        (f'{{"id": "{VALLEY}", "iterates": [[true]]}}', "WRONG", "expected numbers"),
        (f'{{"id": "{VALLEY}", "iterates": [["0x12"]]}}', "WRONG", "expected bit patterns"),
        (f'{{"id": "{VALLEY}", "iterates": [[NaN]]}}', "WRONG", "iterates is NaN or infinite"),
        (f'{{"id": "{VALLEY}", "iterates": [[-Infinity]]}}', "WRONG", "iterates is NaN or infinite"),
        (f'{{"id": "{VALLEY}", "iterates": [[1e999]]}}', "WRONG", "iterates is NaN or infinite"),
        (f'{{"id": "{VALLEY}", "iterates": [["0x4000000000000000"]]}}', "WRONG", "iterates is off by"),
    ],
)
def test_rubbish_is_answered(judge, line, verdict, message):
    (found,) = judge(line)
    assert found["verdict"] == verdict
    assert message in (found["results"] or [{"message": ""}])[0]["message"]
    assert found["diagnosis"] is None


@pytest.fixture(scope="module")
def asking(js, asked):
    """What code answers to a question, and the verdict on it."""
    text = f"{scripts([*JUDGE, *ASKING])}\nconst questions = {json.dumps(asked)};"
    some = 'questions.vectors.filter(({ kind, reading }) => kind === "run" && reading === "authors")'

    def judged(*codes):
        each = f"{some}.map((vector) => answerTo(code, vector, questions.losses[vector.loss]))"
        call = f"{json.dumps(codes)}.map((code) => judgeAnswers(questions, {each}))"
        return js(text, f"{call}.map(({{ answers, ...found }}) => found)")

    return judged


def example(js, number):
    text = scripts(["controls.js"])
    start, end = text.index("const RIGHT_STEP"), text.index("let asked")
    return js(text[start:end], f"Object.values(EXAMPLES_TO_JUDGE)[{number}]")


def test_the_examples_are_what_they_say(js, asking):
    right, stale, uphill, empty = asking(*(example(js, number) for number in range(4)))
    assert (right["verdict"], right["diagnosis"]) == ("RIGHT", None)
    assert (stale["verdict"], stale["diagnosis"]["name"]) == ("WRONG", "stale_gradient")
    assert (uphill["verdict"], uphill["diagnosis"]["name"]) == ("WRONG", "ascent")
    assert (empty["verdict"], empty["diagnosis"]) == ("WRONG", None)
    assert "step returned undefined, not an array" in empty["results"][0]["message"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "the code defines no function called step"),
        ("function (", "raised SyntaxError"),
        ("throw null", "raised an exception: null"),
        ("const step = () => { undefined.x; }", "raised TypeError"),
        ("const step = () => 3", "step returned number, not an array"),
        ("const step = (loss, theta) => [...theta, 1]", "numbers, expected"),
        ("const step = (loss, theta) => theta.map(String)", "what is not all numbers"),
        ("const step = (loss, theta) => loss(3)", "loss was called with something else"),
        ("const step = (loss, theta) => theta.map(() => NaN)", "iterates is NaN or infinite"),
        ("const step = (loss, theta) => { theta.length = 0; return theta; }", "step returned 0 numbers"),
    ],
)
def test_whatever_code_does_is_told(asking, code, message):
    (found,) = asking(code)
    assert found["verdict"] == "WRONG"
    assert message in found["results"][0]["message"]


def test_a_step_that_remembers_is_asked_anew(asking):
    """What an earlier question left behind does not reach the next one."""
    (found,) = asking("let asked = 0; const step = (loss, theta) => { if (asked++ > 30) throw 1; return theta; }")
    assert all("raised" not in result["message"] for result in found["results"])


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_is_one_file_and_fetches_nothing(asked):
    text = page(asked)
    assert not re.search(r"https?:|\bsrc=|@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|importScripts", text)
    assert "default-src 'none'" in text
    assert not re.search(r"/\*[A-Z]+\*/", text)  # nothing is left to fill in
    assert len(text.encode()) <= 2e6
    assert json.loads(re.search(r'id="questions">(.*?)</script>', text).group(1))["vectors"]


def test_the_command_writes_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("rbo_ref.cli._play.page", lambda progress: "<!DOCTYPE html>é")
    assert main(["play", "--out", str(tmp_path / "play.html")]) == 0
    assert (tmp_path / "play.html").read_bytes() == "<!DOCTYPE html>é".encode()
    assert main(["play", "--out", str(tmp_path / "missing" / "play.html")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_other_optimizers_are_told_apart_from_rubbish(judge):
    (found,) = judge("\n".join(json.dumps({"id": f"{name}.run.x.paper.float64", "a": 1}) for name in OPTIMIZERS[1:]))
    assert {result["verdict"] for result in found["results"]} == {"skipped"}


def test_no_name_is_given_where_something_is_not_compared(asked, js):
    """A wrong trajectory may have another reason than the wrong runs beside it."""
    runs = [v for v in asked["vectors"] if v["reading"] == "authors" and v["parts"]["iterates"]["shape"][0] == 1]
    trajectory = runs[0] | {"id": runs[0]["id"].replace(".run.", ".trajectory."), "kind": "trajectory"}
    text = f"""{scripts(JUDGE)}
        const suspects = {json.dumps(asked["suspects"])}, runs = {json.dumps(runs)}, more = {json.dumps(trajectory)};
        const k = suspects.authors.findIndex(({{ name }}) => name === "ascent");
        function nameOf(vectors) {{
          const wrong = (vector) => [Array.from(suspectAnswers(vector)[k].floats)];
          const answers = vectors.map((vector) => ({{ id: vector.id, iterates: wrong(vector) }}));
          return judgeAnswers({{ suspects, vectors }}, answers).diagnosis?.name ?? null;
        }}"""
    assert js(text, "[nameOf(runs), nameOf([...runs, more])]") == ["ascent", None]


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(asked, tmp_path_factory):
    """The page, opened in a browser; it gives the value of an expression."""
    if executable() is None:
        pytest.skip("there is no Chromium here")
    path = tmp_path_factory.mktemp("page") / "play.html"
    path.write_text(page(asked), encoding="utf-8")
    with Browser(f"{path.as_uri()}#landscape=sine&steps=2") as opened:
        assert opened("document.readyState") == "complete"
        yield opened


def judgement(browser, code, more=""):
    """What the page shows after it has judged a step."""
    return browser(
        f"(async () => {{ {more} $('code').value = {json.dumps(code)}; await judgeCode(); "
        "return $('judgement').innerText; })()"
    )


def test_the_ball_moves_when_it_is_told(browser):
    assert browser("$('reading').textContent").startswith("Step 2:")
    assert browser("$('step').click(), $('reading').textContent").startswith("Step 3:")
    key = "$('picture').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' })), $('reading').textContent"
    assert browser(key).startswith("Step 4:")
    assert browser("$('reset').click(), $('reading').textContent").startswith("Step 0:")


def test_every_landscape_is_drawn(browser):
    """Something is seen, and a step is taken."""
    each = (
        "Object.keys(LANDSCAPES).map((name) => { $('landscape').value = name; "
        "$('landscape').dispatchEvent(new Event('change')); $('step').click(); "
        "const { width, height } = $('picture');"
        "const { data } = $('picture').getContext('2d').getImageData(0, 0, width, height);"
        "return [name, $('reading').textContent.slice(0, 7), new Set(new Uint32Array(data.buffer)).size > 10, "
        "$('complaint').hidden]; })"
    )
    assert browser(each) == [[name, "Step 1:", True, True] for name in surfaces()]


def test_wrong_settings_are_told(browser):
    for name, value, told in (
        ("radius", -1, "The radius must"),
        ("start", "1, x", "The start must"),
        ("width", 0, "The width"),
    ):
        say = f"$('{name}').value = '{value}', restart(), [$('complaint').hidden, $('complaint').textContent]"
        hidden, text = browser(f"choose($('landscape').value), {say}")
        assert not hidden
        assert text.startswith(told)
    assert browser("choose('sine'), restart(), $('complaint').hidden")


def test_steps_are_judged_in_a_worker(browser, js):
    assert judgement(browser, example(js, 0)).startswith("RIGHT")
    wrong = judgement(browser, example(js, 1))
    assert wrong.startswith("WRONG")
    assert "stale_gradient:" in wrong
    assert browser("document.querySelectorAll('#judgement canvas').length") == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("function step() { for (;;); }", "no answer within 0.3 s"),
        ("for (;;);", "no answer within 0.3 s"),
        ("postMessage('RIGHT'); const step = (loss, theta) => theta;", "the code sent messages of its own"),
    ],
)
def test_code_that_does_not_answer_is_ended(browser, code, told):
    text = judgement(browser, code, "patience = 300;")
    assert text.startswith("NOTHING DECIDED")
    assert told in text


def test_files_are_judged(browser, stock):
    lines = answers_of(stock, MISTAKES["stale_gradient"])
    given = "(async () => {{ await judgeGiven(new File([{0}], 'answers.jsonl')); return $('judgement').innerText; }})()"
    assert "stale_gradient:" in browser(given.format(json.dumps(lines)))
    assert "not JSON" in browser(given.format("new Uint8Array(1000)"))


def test_nothing_is_fetched_or_complained_of(browser):
    assert (
        browser("performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('blob:')).length") == 0
    )
    assert browser.complaints == []
