"""Ports in any language: programs that talk JSON Lines on standard input and output."""

from rbo_ref.oracle.protocol.port import ProgramPort

__all__ = ["ProgramPort"]
