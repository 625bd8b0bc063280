"""A function recorded once: run on recording arrays, it becomes a graph of operations, and all else follows from that.

The graph is evaluated on arrays of any library and on balls, differentiated, and written as source text.
"""

from geometry.expressions._recorder import RecordingError
from geometry.expressions.expression import Expression, record

__all__ = ["Expression", "RecordingError", "record"]
