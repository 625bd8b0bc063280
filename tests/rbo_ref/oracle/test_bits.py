"""Bit patterns: against `struct`, `float.hex` and ml_dtypes, and back again."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle.bits import decode, encode

LETTERS = {"float16": "e", "float32": "f", "float64": "d"}
NAMES = (*LETTERS, "bfloat16")


@given(st.sampled_from(sorted(LETTERS)), st.data())
def test_patterns_are_those_of_struct(name, data):
    width = np.dtype(name).itemsize * 8
    number = data.draw(st.floats(width=width))
    assert encode(number, format_of(name)) == "0x" + struct.pack(">" + LETTERS[name], number).hex()


@given(st.integers(0, 2**16 - 1))
def test_bfloat16_is_the_upper_half_of_float32(word):
    text = f"0x{word:04x}"
    number = decode(text, format_of("bfloat16"))
    assert number.view(np.uint32) == word << 16
    assert encode(number, format_of("bfloat16")) == text


def test_bfloat16_agrees_with_ml_dtypes():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    words = np.arange(2**16, dtype=np.uint16)
    ours = decode([f"0x{word:04x}" for word in words], format_of("bfloat16"))
    np.testing.assert_array_equal(ours, words.view(bfloat16).astype(np.float32))


@given(st.data())
def test_arrays_come_back_to_the_bit(data):
    target = format_of(data.draw(st.sampled_from(sorted(LETTERS))))
    words = data.draw(arrays(f"u{target.dtype.itemsize}", array_shapes(max_dims=3, max_side=4)))
    numbers = words.view(target.dtype)  # NaN with any payload as well
    back = decode(encode(numbers, target), target)
    np.testing.assert_array_equal(back.view(words.dtype), words)
    assert back.shape == numbers.shape


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", ["1.5", "0x", "0x3ff80000000000000", "3ff8000000000000", 1.5, None, ["0x3f"], "0xzz"])
def test_other_text_is_refused(name, bad):
    with pytest.raises(ValueError, match="bit pattern"):
        decode(bad, format_of(name))


def test_ragged_lists_are_refused():
    one = encode(1.0, format_of("float64"))
    with pytest.raises(ValueError, match=r"rectangular|bit pattern"):
        decode([[one], [one, one]], format_of("float64"))
