"""Conformance vectors: questions with certified answers in files, for ports in any language.

`generate` writes a set of them, `lint` checks one, `judge_answers` judges what a port has answered. The page
``docs/vectors.rst`` says how to read a vector.
"""

from rbo_ref.oracle.vectors.answers import Judgement, judge_answers
from rbo_ref.oracle.vectors.generation import SUITE, generate
from rbo_ref.oracle.vectors.linting import Linted, lint
from rbo_ref.oracle.vectors.reading import VectorError, VectorSet, read_vector

__all__ = [
    "SUITE",
    "Judgement",
    "Linted",
    "VectorError",
    "VectorSet",
    "generate",
    "judge_answers",
    "lint",
    "read_vector",
]
