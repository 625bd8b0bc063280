"""The board: the optimizers of all libraries that are installed, judged, row by row of one table."""

from rbo_ref.oracle.board.cells import Cell, judged, reproduction
from rbo_ref.oracle.board.changing import Change, changes
from rbo_ref.oracle.board.listing import ROWS, Row
from rbo_ref.oracle.board.sheet import read, to_json, to_rst

__all__ = ["ROWS", "Cell", "Change", "Row", "changes", "judged", "read", "reproduction", "to_json", "to_rst"]
