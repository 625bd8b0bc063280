"""Lines are read or refused with a reason; numbers come back to the last bit."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geometry.arithmetic.formats import format_of
from rbo_ref._words import quoted
from rbo_ref.oracle.calls import PortError
from rbo_ref.oracle.protocol.messages import Numbers, line_of, read

styles = st.sampled_from(["bits", "decimal"])
dtypes = st.sampled_from(["float16", "float32", "float64"])


@settings(max_examples=50)
@given(st.data(), dtypes, styles)
def test_numbers_travel_unchanged(data, dtype, style):
    array = data.draw(hnp.arrays(dtype, hnp.array_shapes(max_dims=2, min_side=0)))
    numbers = Numbers(format_of(dtype), style)
    line = line_of({"id": 1, "theta": numbers.written(array)})
    _, message = read(line.rstrip(b"\n"), "result")
    back = numbers.read(message["theta"])
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array.reshape(-1))
    np.testing.assert_array_equal(np.signbit(back[~np.isnan(back)]), np.signbit(array[~np.isnan(array)]))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_nine_digits_are_enough_for_float32(number):
    """What C prints with %.9g is the float that was printed."""
    numbers = Numbers(format_of("float32"), "decimal")
    assert numbers.read([float(f"{number:.9g}")])[0] == np.float32(number)


def test_decimals_too_large_for_the_dtype_are_infinite():
    assert Numbers(format_of("float32"), "decimal").read([1e300, -1e300]).tolist() == [np.inf, -np.inf]


MESSAGES = {
    "capabilities": {"version": 1, "name": "p", "optimizers": ["adam"], "dtypes": ["float64"]},
    "evaluate": {"evaluate": ["0x3ff0000000000000"]},
    "result": {"id": 3, "theta": [1, 2.5, "NaN"], "inner": [[], [1]]},
    "iterates": {"id": 3, "iterates": [[1], [2]]},
    "skip": {"id": 3, "skip": "why"},
    "error": {"id": 3, "error": "why"},
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_is_known_by_its_key(kind):
    line = json.dumps(MESSAGES[kind]).encode()
    assert read(line, *MESSAGES) == (kind, MESSAGES[kind])
    assert read(line + b"\r", kind)[0] == kind
    with pytest.raises(PortError, match="was expected"):
        read(line, *(MESSAGES.keys() - {kind}))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"", "printed '', which is not JSON: Expecting value"),
        (b"\xff", "which is not UTF-8"),
        (b'{"id": 1, "theta": [NaN]}', "NaN is no JSON number"),
        (b'{"id": 1, "theta": [-Infinity]}', "-Infinity is no JSON number"),
        (b'{"id": 1, "id": 2, "theta": []}', "a key occurs twice"),
        (b'{"id": 1, "theta": {"a": 1, "a": 2}}', "a key occurs twice"),
        (b'"theta"', "which is not a JSON object"),
        (b"[" * 10**6, "nested too deeply"),
        (b'{"a":' * 10**6, "nested too deeply"),
        (b'{"id": 0, "theta": []}', "result.id must be bigger than or equal to 1"),
        (b'{"id": true, "theta": []}', "result.id must be integer"),
        (b'{"id": 1e999, "theta": []}', "result.id must be integer"),
        (b'{"id": ' + b"9" * 5000 + b', "theta": []}', "result.id must be integer"),
        (b'{"id": 1, "theta": [true]}', "result.theta[0] must be string or number"),
        (b'{"id": 1, "theta": ["1.0"]}', "result.theta[0] must match pattern"),
        (b'{"id": 1, "theta": [], "centre": []}', "result must not contain {'centre'} properties"),
        (b'{"id": 1, "theta": [], "skip": ""}', "'theta' or 'skip' was expected"),
        (b'{"id": 1, "skip": ""}', "skip.skip must be longer than or equal to 1"),
        (b'{"id": 1, "skip": "' + b"x" * 10001 + b'"}', "skip.skip must be shorter than or equal to 10000"),
    ],
)
def test_other_lines_are_refused_with_a_reason(line, sentence):
    with pytest.raises(PortError) as error:
        read(line, "result", "skip")
    assert sentence in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("style", "entry", "sentence"),
    [
        ("bits", 1.5, "a bit pattern of float64 is 0x and 16 hexadecimal digits, got '1.5'"),
        ("bits", "0x3fc00000", "got '0x3fc00000'"),
        ("bits", "NaN", "got 'NaN'"),
        ("decimal", "0x3ff0000000000000", "could not convert string to float"),
    ],
)
def test_numbers_in_another_style_are_refused(style, entry, sentence):
    with pytest.raises(PortError, match="printed a wrong number") as error:
        Numbers(format_of("float64"), style).read([entry])
    assert sentence in str(error.value)


def test_what_is_quoted_is_printable():
    assert quoted(b"\x1b[2J\xff") == repr("\x1b[2J\\xff")
    assert quoted("Grüße \u202e") == "'Grüße \\u202e'"
    assert len(quoted("x" * 1000)) < 70
