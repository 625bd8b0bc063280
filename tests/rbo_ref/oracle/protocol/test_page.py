"""The page about the protocol is true, word for word."""

import json
from contextlib import suppress
from functools import cache

import fastjsonschema
import numpy as np
import pytest

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle import ProgramPort, check
from rbo_ref.oracle.protocol.messages import SCHEMA, Numbers
from tests.rbo_ref.oracle.protocol.conversations import Transcript, actor, conversations

CONVERSATIONS = conversations()
SCHEMA_TEXT = json.loads(SCHEMA.read_text(encoding="utf-8"))
each_conversation = pytest.mark.parametrize("conversation", CONVERSATIONS, ids=["decimal", "bits"])


@cache
def validators():
    """For each kind of message, what raises unless a message is of it."""
    definitions = {"definitions": SCHEMA_TEXT["definitions"]}
    kinds = [reference["$ref"] for reference in SCHEMA_TEXT["oneOf"]]
    return {kind.rpartition("/")[2]: fastjsonschema.compile({**definitions, "$ref": kind}) for kind in kinds}


def kinds_of(message):
    """The kinds of message that this one is."""
    found = []
    for kind, validate in validators().items():
        with suppress(fastjsonschema.JsonSchemaValueException):
            validate(message)
            found.append(kind)
    return found


@each_conversation
def test_the_conversation_happens_word_for_word(conversation):
    said = Transcript()
    with ProgramPort(actor(conversation), heard=said.hear) as port:
        report = check(port, cases="bowl-one", levels="step")
    assert said == conversation
    assert report.passed, report


@each_conversation
def test_its_messages_fit_the_schema(conversation):
    kinds = [kinds_of(json.loads(line)) for _, line in conversation]
    inside = ["evaluate", "evaluation"] * 2
    assert [kind for (kind,) in kinds] == ["start", "capabilities", "run", *inside, "result", "stop"]


def test_both_conversations_are_about_the_same_numbers():
    decimal, bits = ([json.loads(line) for _, line in conversation] for conversation in CONVERSATIONS)
    read = Numbers(format_of("float64"), "bits").read
    for one, other in zip(decimal[2:-1], bits[2:-1], strict=True):
        assert one.keys() == other.keys()
        for key in one.keys() & {"theta", "evaluate", "gradient"}:
            np.testing.assert_array_equal(one[key], read(other[key]))


def test_the_schema_is_one():
    """Draft 7, and no definition is left unused."""
    assert SCHEMA_TEXT["$schema"] == "http://json-schema.org/draft-07/schema#"
    text = json.dumps(SCHEMA_TEXT)
    assert all(f'"#/definitions/{name}"' in text for name in SCHEMA_TEXT["definitions"])
