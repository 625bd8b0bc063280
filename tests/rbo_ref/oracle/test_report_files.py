"""Reports in files: JSON by its schema, JUnit XML as its readers expect it, a page that needs nothing else."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import fastjsonschema
import numpy as np
import pytest

import rbo_ref.oracle
from rbo_ref.oracle import MISTAKES, Report, Result, RightPort, Skip, check, check_optimizer
from rbo_ref.oracle.catalogue import CATALOGUES as OTHERS
from rbo_ref.oracle.reference import rolling_ball
from rbo_ref.oracle.report import Diagnosis, Scene, environment, junit, page
from rbo_ref.oracle.report.plots import contour

SOME = ["valley-1d", "eq13-paper", "waves-3d", "walk-2d", "plane"]
SCHEMA = json.loads((Path(rbo_ref.oracle.__file__).parent / "schemas" / "report.json").read_text(encoding="utf-8"))
valid = fastjsonschema.compile(SCHEMA)

NASTY = "<b>&\"' \x00\x07\x1b[31m\ud800\ufffe ]]> é 漢 🎳"
nasty = Report(
    f"port {NASTY}",
    f"library {NASTY}",
    "float64",
    "authors",
    [Result(f"case {NASTY}", f"level {NASTY}", "fail", np.inf, np.nan, f"message {NASTY}")],
    Diagnosis(f"name {NASTY}", f"description {NASTY}", f"evidence {NASTY}"),
)


def only_1d(loss, theta, **hyper):
    if theta.shape[0] > 1:
        raise Skip("not written yet")
    return RightPort()(loss, theta, **hyper)


REPORTS = {
    "right": lambda: check(rolling_ball, cases=SOME),
    "wrong": lambda: check(MISTAKES["tangent_unit"](), cases=SOME),
    "raises": lambda: check(lambda loss, theta, **h: 1 / 0, cases=SOME, diagnosis=False),
    "diverges": lambda: check(lambda loss, theta, **h: theta + 1e300, cases=SOME),
    "stands still": lambda: check(lambda loss, theta, **h: theta.copy(), cases=SOME),
    "undecided": lambda: check(RightPort(), cases="eq13-paper", levels="step"),
    "many dimensions": lambda: check(MISTAKES["stale_gradient"](), cases="waves-50d", diagnosis=False),
    "memory": lambda: check(MISTAKES["carries_center"](), cases=["walk-10d", "waves-3d"], diagnosis=False),
    "another optimizer": lambda: check_optimizer(
        OTHERS["sam"]["descends_first"](), "sam", cases="wide-*", diagnosis=False
    ),
    "a matrix": lambda: check_optimizer(OTHERS["muon"]["ascent"](), "muon", cases="short-*", diagnosis=False),
    "incomplete": lambda: check(only_1d, cases=["valley-1d", "plane"]),
    "nothing": lambda: Report("nothing", "numpy", "float64", "authors"),
    "nasty": lambda: nasty,
}


made = cache(lambda name: REPORTS[name]())


@pytest.fixture(params=REPORTS)
def report(request):
    return made(request.param)


def test_json_keeps_to_its_schema(report):
    record = json.loads(report.to_json())
    valid(record)
    valid({"passed": False, "reports": [record, record]})


def test_a_wrong_record_is_refused():
    record = json.loads(nasty.to_json())
    for wrong in ({"passed": 1}, {"results": [{}]}, {"suite": {"version": "1.0"}}, {"counts": {"pass": -1}}):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            valid(record | wrong)


# --- JUnit XML ------------------------------------------------------------------------------------------------------


def test_junit_counts_what_it_holds(report):
    root = ElementTree.fromstring(report.to_junit().encode())
    suites = root.findall("testsuite")
    for element in (root, *suites):
        assert int(element.get("tests")) == len(element.findall(".//testcase"))
        assert int(element.get("failures")) == len(element.findall(".//failure"))
        assert int(element.get("errors")) == len(element.findall(".//error"))
    for suite in suites:
        assert int(suite.get("skipped")) == len(suite.findall(".//skipped"))
    assert len(root.findall(".//failure")) == len(report.failures)
    assert len(root.findall(".//testcase/[@name]")) == len(report.results) + len(root.findall(".//error"))


def test_junit_passes_only_what_passes(report):
    root = ElementTree.fromstring(report.to_junit().encode())
    assert report.passed == (not root.findall(".//failure") and not root.findall(".//error"))


def test_junit_is_in_the_dialect_of_jenkins(report):
    """The structure of junit-10.xsd of Jenkins' xUnit plugin: which elements and attributes, in which order."""
    allowed = {
        "testsuites": ({"name", "tests", "failures", "errors", "time"}, ["testsuite"]),
        "testsuite": (
            {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
            ["properties", "testcase", "system-out", "system-err"],
        ),
        "properties": (set(), ["property"]),
        "property": ({"name", "value"}, []),
        "testcase": ({"name", "classname", "time", "group"}, ["skipped", "error", "failure", "system-out"]),
        "failure": ({"message", "type"}, []),
        "error": ({"message", "type"}, []),
        "skipped": ({"message", "type"}, []),
    }
    required = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name", "classname"}}
    for element in ElementTree.fromstring(report.to_junit().encode()).iter():
        attributes, children = allowed[element.tag]
        assert required.get(element.tag, set()) <= set(element.keys()) <= attributes
        assert re.fullmatch(r"[0-9]*(\.[0-9]*)?", element.get("time", ""))
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)


def test_junit_gives_reasons_and_circumstances():
    root = ElementTree.fromstring(junit([made("wrong")]))
    failure = root.find(".//testcase[@name='valley-1d']/failure")
    assert "off by" in failure.get("message")
    assert "diagnosis: tangent_unit" in failure.text
    assert root.find(".//skipped").get("message") == "skipped: the port hands out no intermediates"
    facts = {p.get("name"): p.get("value") for p in root.iterfind(".//properties/property")}
    assert facts["numpy"] == np.__version__
    assert facts["suite"].startswith("suite ")


def test_several_reports_make_one_file():
    reports = [made("right"), made("wrong")]
    root = ElementTree.fromstring(junit(reports))
    assert int(root.get("tests")) == sum(len(report.results) for report in reports)
    assert len({suite.get("name") for suite in root}) == len(root)


# --- the page -------------------------------------------------------------------------------------------------------

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Reads a page as a browser does, and insists that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        assert not any(name.startswith("on") for name, _ in attributes), "scripts in attributes"
        assert not any(name in ("src", "href") and not value.startswith("#") for name, value in attributes)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_stands_alone(report):
    text = report.to_html()
    reader = read(text)
    assert text.startswith("<!DOCTYPE html>")
    assert len(text.encode("utf-8", "strict")) < 500_000
    assert not {"script", "iframe", "object", "embed", "img", "link"} & set(reader.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in text
    assert report.headline().partition(" ")[0] in "".join(reader.texts)


def test_pictures_are_xml_with_a_title_and_hold_finite_numbers(report):
    pictures = re.findall(r"<svg.*?</svg>", report.to_html(), re.DOTALL)
    assert pictures
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root[0].tag == "title"
        assert root[0].text
        assert root.get("role") == "img"
        assert not re.search(r"[\"\s(,M](nan|inf|-inf)\b", re.sub(r"<(title|desc|text)[^>]*>[^<]*", "", picture))


def test_every_text_is_escaped():
    text = page([nasty])
    assert "<b>" not in text
    assert "\x07" not in text
    shown = "".join(read(text).texts)
    assert r"""<b>&"' \x00\x07\x1b[31m\ud800\ufffe ]]> é""" in shown
    assert "漢 🎳" in shown


def test_the_page_shows_the_first_wrong_place_beside_the_truth():
    text = page([made("wrong")])
    assert "here it left the truth" in text
    assert "left the truth" not in page([made("right")])


def test_the_page_has_a_mark_for_every_judgement():
    report = made("wrong")
    judged = [r for r in report.results if r.verdict in ("pass", "fail")]
    marks = re.findall(r"<title>([^<]*): (pass|fail), ([^<]*)</title>", page([report]))
    assert sorted((f"{r.id} [{r.level}]", r.verdict) for r in judged) == sorted((m[0], m[1]) for m in marks)


def test_marks_beyond_the_limit_stand_right_of_it():
    """The abscissa is a logarithm: 1 is at the limit, and each factor of ten is as wide."""
    sizes = {"a": 1e-3, "b": 1e-1, "c": 1.0, "d": 10.0, "e": 1e3}
    results = [Result(i, "step", "fail" if s > 1 else "pass", s, 1.0, "") for i, s in sizes.items()]
    text = page([Report("p", "numpy", "float64", "authors", results)])
    at = {i: float(x) for x, i in re.findall(r"translate\(([\d.]+) [^>]*><title>(\w) \[step\]", text)}
    decade = (at["e"] - at["a"]) / 6
    assert [at[i] - at["c"] for i in "abde"] == pytest.approx([-3 * decade, -decade, decade, 3 * decade], abs=0.2)
    limit = float(re.search(r'd="M([\d.]+) \d+V\d+" class="limit"', text)[1])
    assert limit == pytest.approx(at["c"], abs=0.1)


def test_many_results_are_cut_short_and_the_failures_stay():
    results = [Result(f"case-{k}", "step", "pass", 0.5, 1.0, "") for k in range(5000)]
    results.append(Result("bad", "step", "fail", 2.0, 1.0, "off"))
    text = page([Report("p", "numpy", "float64", "authors", results)])
    assert len(text) < 500_000
    assert "bad [step]: fail" in text
    assert "... and 4501 more" in text


def test_several_reports_share_a_page():
    text = page([made("right"), made("wrong")])
    assert text.count("<section") == 2
    assert 'href="#report-1"' in text


def test_contours_of_a_plane_and_a_circle():
    x, y = np.linspace(-1, 1, 33), np.linspace(-1.5, 1.5, 41)
    plane = contour(x, y, 2 * x[None, :] + y[:, None], 0.3)
    assert 2 * plane[..., 0] + plane[..., 1] == pytest.approx(0.3)  # interpolation of a plane is exact
    circle = contour(x, y, x[None, :] ** 2 + y[:, None] ** 2, 0.49)
    assert np.linalg.norm(circle, axis=-1) == pytest.approx(0.7, abs=(1.5 / 40) ** 2 / 0.7)
    lengths = np.linalg.norm(circle[:, 0] - circle[:, 1], axis=-1)
    assert lengths.sum() == pytest.approx(2 * np.pi * 0.7, rel=1e-2)


def test_contours_skip_what_is_not_finite():
    x = np.linspace(0, 1, 3)
    heights = np.array([[0, 1, np.nan], [0, 1, np.inf], [0, 1, 2]])
    assert np.isfinite(contour(x, x, heights, 0.5)).all()
    assert contour(x, x, np.full((3, 3), np.nan), 0.5).shape == (0, 2, 2)


# --- scenes ---------------------------------------------------------------------------------------------------------


def test_a_scene_starts_together_and_parts_where_the_port_goes_wrong():
    scene = check(MISTAKES["stale_gradient"](), cases="waves-3d", diagnosis=False).scene()
    assert isinstance(scene, Scene)
    assert (scene.port[0] == scene.truth[0][0]).all()
    assert scene.wrong == 2  # as the level "inner" says, too
    assert scene.port[1] == pytest.approx(scene.truth[0][1])
    assert scene.port[2] != pytest.approx(scene.truth[0][2])


def test_a_right_port_keeps_to_the_truth():
    scene = check(RightPort(), cases="valley-1d").scene()
    assert scene.wrong is None
    assert scene.port == pytest.approx(scene.truth[0])
    center, contact = scene.ball["center"], np.append(scene.port[0], scene.heights(scene.port[:1]))
    assert np.linalg.norm(center - contact) == pytest.approx(0.5)  # the radius of the case
    assert scene.heights(scene.port) == pytest.approx(np.sin(scene.port[:, 0]))


def test_a_walk_has_the_true_step_from_each_place():
    scene = check(MISTAKES["carries_center"](), cases="walk-2d", diagnosis=False).scene()
    assert scene.wrong == 2
    assert len(scene.port) - 1 == len(scene.truth) == 3  # one more step than is wrong, for the diagnosis
    for place, line in zip(scene.port, scene.truth, strict=False):
        assert (line[0] == place).all()
    assert scene.port[1] == pytest.approx(scene.truth[0][1])


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize(
    ("port", "truth"),
    [
        ([0, 1e300], [0, 1e-300]),
        ([0, 1], [0]),
        ([0], [0, -1e300, 1e300]),
        ([1e-310, 2e-310], [1e-310, 3e-310]),
        ([1e16, 1e16 + 2], [1e16, 1e16 + 4]),
    ],
)
def test_wild_numbers_make_a_picture(d, port, truth):
    def path(numbers):
        return np.array([[x, *[0.0] * (d - 1)] for x in numbers], dtype=float)

    def heights(places):
        with np.errstate(all="ignore"):
            return np.minimum(places[:, 0] ** 2, 1e300)

    scene = Scene("wild", heights, path(port), [path(truth)], len(port) - 1 or None)
    report = Report("p", "numpy", "float64", "authors", [], scene=lambda: scene)
    for picture in re.findall(r"<svg.*?</svg>", report.to_html(), re.DOTALL):
        ElementTree.fromstring(picture)
        assert not re.search(r"\b(nan|inf)\b", picture)


def test_nothing_to_see_is_no_scene():
    assert check(lambda loss, theta, **h: None, cases="plane").scene() is None


# --- the environment ------------------------------------------------------------------------------------------------


def test_the_environment_says_what_a_verdict_may_depend_on():
    found = environment("numpy")
    assert {"python", "numpy", "scipy", "python-flint", "rbo-ref", "platform", "blas", "fused multiply-add"} <= set(
        found
    )
    assert all(isinstance(value, str) and value for value in found.values())
    assert environment("no_such_library")["no-such-library"] == "unknown"


def test_switches_of_pytorch_are_told():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        assert environment("torch")["torch float32 matmul precision"] == "high"
    finally:
        torch.set_float32_matmul_precision(before)
    assert environment("torch")["torch TF32 in matmul"] in ("True", "False")


def test_switches_of_jax_are_told():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    assert environment("jax.numpy")["jax_enable_x64"] == str(jax.config.jax_enable_x64)
    assert environment("jax.numpy")["jax"] == jax.__version__
