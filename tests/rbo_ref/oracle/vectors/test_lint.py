"""`lint` sees every change, and says where it is."""

import json
import random
import time

import pytest

from rbo_ref.oracle.vectors import VectorError, checks, generation, judge_answers, lint, read_vector
from rbo_ref.oracle.vectors.reading import parsed


def change(path, number, edit):
    """Edit the record on a line of a file."""
    lines = path.read_text().splitlines()
    record = json.loads(lines[number - 1])
    record = edit(record) or record
    lines[number - 1] = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n")


def test_an_untouched_set_has_no_problem(folder, stock, copy):
    assert lint(copy).problems == []
    found = lint(folder)
    assert found.problems == []
    assert found.vectors == len(stock.vectors)


def set_in(*path):
    def edit(record):
        *inner, last, value = path
        for key in inner:
            record = record[key]
        record[last] = value

    return edit


def flipped(record):
    bits = record["theta"]["bits"]
    bits[0] = bits[0][:-1] + ("0" if bits[0][-1] != "0" else "1")


def swapped(record):
    record["expected"]["iterates"]["lower"], record["expected"]["iterates"]["upper"] = (
        record["expected"]["iterates"][end] for end in ("upper", "lower")
    )


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda r: r.pop("tolerance") and None, "sam.jsonl:5: not as the schema says: data must contain"),
        (set_in("kind", "guess"), "sam.jsonl:5: not as the schema says: data.kind must be one of"),
        (set_in("extra", 1), "sam.jsonl:5: not as the schema says: data must not contain {'extra'} properties"),
        (set_in("id", "sam.run.moved.paper.float64"), "sam.jsonl:5: id: 'sam.run.moved.paper.float64' does not say"),
        (flipped, "sam.jsonl:5: theta: the decimal"),
        (swapped, "sam.jsonl:5: expected.iterates:"),
        (set_in("expected", "iterates", "decimal", 0, 0, "7"), "sam.jsonl:5: expected.iterates: 7 is not between"),
        (set_in("expected", "iterates", "lower", 0, 0, "0x7fc00000"), "is not between nan and"),
        (set_in("tolerance", "iterates", "bits", 0, 0, "0x0000000000000000"), "sam.jsonl:5: tolerance.iterates: "),
        (set_in("theta", "bits", 0, "0x3f80"), "a bit pattern of"),
        (set_in("theta", {"bits": ["0x3f800000"], "decimal": ["1.0"]}), "expected"),
        (set_in("iterations", 3), "sam.jsonl:5: expected.iterates: has shape"),
        (set_in("flags", ["sam.unheard_of"]), "notes.json: 'sam.unheard_of' does not list the vectors"),
        (set_in("hyper", 0, "radius", "decimal", "0.3"), "sam.jsonl:5: hyper[0].radius: the decimal 0.3 is not"),
    ],
)
def test_a_changed_vector_is_found(copy, edit, sentence):
    change(copy / "sam.jsonl", 5, edit)
    problems = lint(copy).problems
    assert any(sentence in problem for problem in problems), problems
    assert "sam.jsonl: the checksum is not that of the manifest" in problems


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("sam.jsonl", lambda text: text.replace('":', '": ', 1), "sam.jsonl:1: not written in the canonical way"),
        ("sam.jsonl", lambda text: text + text.splitlines()[-1] + "\n", "is there twice, or not in order"),
        ("sam.jsonl", lambda text: "{}{" + text, "sam.jsonl:1: not JSON: Extra data"),
        ("sam.jsonl", lambda text: "\udcff" + text, "sam.jsonl:1: not UTF-8: invalid start byte at byte 0"),
        ("sam.jsonl", lambda text: "[" * 100_000 + "\n" + text, "sam.jsonl:1: not JSON that can be read"),
        ("sam.jsonl", lambda text: "", "must_pass.txt:"),
        ("losses.jsonl", lambda text: text.replace("0x", "0y", 1), "losses.jsonl:1: not as the schema says"),
        ("losses.jsonl", lambda text: "", "loss: there is no "),
        ("must_pass.txt", lambda text: text + "a.b.c\n", "'a.b.c' is not the id of a decidable vector"),
        ("notes.json", lambda text: "[]", "notes.json: not as the schema says: data must be object"),
        ("manifest.json", lambda text: "{", "manifest.json: not JSON"),
        ("trajectories.npz", lambda text: "", "trajectories.npz: not a file of arrays"),
        ("vector.schema.json", lambda text: text + " ", "vector.schema.json: the checksum is not"),
        ("other.txt", lambda text: "", "unknown file: 'other.txt'"),
    ],
)
def test_a_changed_file_is_found(copy, name, content, sentence):
    path = copy / name
    text = path.read_bytes().decode(errors="replace") if path.exists() else ""
    path.write_bytes(content(text).encode(errors="surrogateescape"))
    assert any(sentence in problem for problem in lint(copy).problems)


def test_a_missing_file_is_found(copy):
    (copy / "sam.jsonl").unlink()
    assert "sam.jsonl: missing" in lint(copy).problems


def test_there_must_be_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        lint(tmp_path / "nowhere")


# --- sets that somebody has forged: their checksums are right ---


def signed(folder):
    """Write the manifest anew."""
    made = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    (folder / "manifest.json").write_text(json.dumps(generation._manifest(made)))
    return folder


def put(key, value):
    return lambda record: record | {key: value}


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        ("sam.jsonl", b"nonsense"),
        ("sam.jsonl", b"3"),
        ("sam.jsonl", b"{}"),
        ("sam.jsonl", b"\xff\xfe"),
        ("sam.jsonl", b"[" * 100_000),
        ("sam.jsonl", b'{"id": {"id": ' * 20_000),
        ("sam.jsonl", put("loss", "nowhere")),
        ("sam.jsonl", put("expected", {})),
        ("losses.jsonl", put("terms", [{}])),
        ("losses.jsonl", put("terms", [{"kind": "quadratic"}])),
        ("losses.jsonl", put("dimension", 9)),
        ("trajectories.npz", b"PK\x03\x04"),
        ("must_pass.txt", b"\xff"),
    ],
)
def test_a_forged_set_judges_nothing(copy, tmp_path, small, name, forged):
    if callable(forged):
        change(copy / name, 1, forged)
    else:
        (copy / name).write_bytes(forged)
    asked = json.loads(small["sam.jsonl"].splitlines()[0])
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"id": asked["id"], "iterates": asked["expected"]["iterates"]["lower"]}))
    with pytest.raises(VectorError) as told:
        judge_answers(signed(copy), answers)
    assert 10 < len(str(told.value)) < 500
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("path", ["..", ".", "other.jsonl"])
def test_a_manifest_lists_files_of_the_set_alone(copy, path):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"].append({"path": path, "bytes": 0, "sha256": "0" * 64})
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert f"manifest.json: lists {path}, which is not there" in lint(copy).problems
    with pytest.raises(VectorError, match="is no folder of vectors: cannot read"):
        judge_answers(copy, "answers.jsonl")


# --- fuzzed lines ---------------------------------------------------------------------------------------------------

TOKENS = [
    "null",
    "true",
    "-1",
    "1e999",
    "NaN",
    '"0x"',
    '"0xffffffffffffffff"',
    "[]",
    "{}",
    '""',
    "[[[]]]",
    '"é"',
    "\\",
    "\x00",
]
CHARACTERS = '{}[]",:0123456789abcdefxeE+-. \\\x00\x7fé'


def mutated(line, dice):
    """A line with something cut, doubled, replaced or exchanged."""
    kind = dice.randrange(6)
    i, j = sorted(dice.randrange(len(line)) for _ in range(2))
    j = min(j, i + 60)
    if kind == 0:
        return line[:i] + line[j:]
    if kind == 1:
        return line[:i] + line[i:j] * 2 + line[j:]
    if kind == 2:
        return line[:i] + dice.choice(CHARACTERS) + line[i + 1 :]
    if kind == 3:
        return line[:i]
    start, end = line.find(":", i) + 1, line.find(",", max(line.find(":", i), 0))
    return line[:start] + dice.choice(TOKENS) + line[end:] if start < end else line[i:j]


VALUES = (
    *(
        None,
        True,
        -1,
        0.5,
        10**30,
        [],
        {},
        [[]],
        [1, "a"],
        "",
        "nan",
        "inf",
        "1e9999",
        "1e99999",
        "footpoint",
        "float16",
    ),
    *("trajectory", "bfloat16", "0x0000", "0x7fc00000", "0xffffffff", "0x7ff8000000000000", "0xfff0000000000000"),
)


def disturbed(line, dice):
    """A line with an entry of its record exchanged, doubled or taken away."""
    node = record = json.loads(line)
    while True:
        key = dice.choice(sorted(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node[key], dict | list) and node[key] and dice.random() < 0.9:
            node = node[key]
            continue
        if dice.random() < 0.2:
            del node[key]
        else:
            node[key] = dice.choice(VALUES) if dice.random() < 0.7 else [node[key]] * 2
        return json.dumps(record)


def told(line, dimensions):
    """What is wrong with a fuzzed line: a sentence, or nothing where the change made no difference."""
    try:
        if '"terms"' in line:
            return next(checks.flawed_loss(parsed(line, "loss")), "")
        return next(checks.flawed_vector(read_vector(line.encode(errors="surrogatepass")), dimensions), "")
    except VectorError as error:
        return str(error)


def fuzz(folder, count, seed=0):
    dice = random.Random(seed)
    dimensions = {r["id"]: r["dimension"] for r in map(json.loads, (folder / "losses.jsonl").read_text().splitlines())}
    lines = [text for path in sorted(folder.glob("*.jsonl")) for text in path.read_text().splitlines()]
    short = sorted(lines, key=len)[: len(lines) // 2]
    changes = (mutated, disturbed, disturbed)
    return [told(changes[i % 3](dice.choice(short), dice), dimensions) for i in range(count)]


def test_a_fuzzed_line_is_told_in_a_sentence(folder):
    sentences = fuzz(folder, 2000)
    wrong = [sentence for sentence in sentences if sentence]
    assert len(wrong) > 1500
    assert all(len(sentence) < 400 and "\n" not in sentence for sentence in wrong)


@pytest.mark.parametrize("number", ["1e9999", "-1e9999", "0." + "0" * 5000 + "1", "9" * 5000])
def test_numbers_of_any_length_take_no_time(number):
    loss = {"id": "a", "dimension": 1, "terms": []}
    began = time.process_time()
    with pytest.raises(VectorError):
        parsed(json.dumps(loss).replace("[]", number), "loss")
    numbers = {"lower": ["0x0000000000000000"], "upper": ["0x0000000000000001"], "decimal": [number]}
    flaw, _ = checks._flawed_enclosure(numbers, checks.FLOAT64)
    assert flaw is None or "is not between" in flaw
    assert time.process_time() - began < 1
