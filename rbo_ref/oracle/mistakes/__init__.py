"""The catalogue of known wrong ports: what people get wrong in a right port written in the plainest words.

It proves that the cases are sensitive (every mistake must fail), and it names the mistake of a port that fails (the one
that reproduces its output). All ports are written in array-API functions and run on any library and dtype.
"""

from rbo_ref.oracle.mistakes import of_memory, of_numbers, of_projection, of_step, of_vectors
from rbo_ref.oracle.mistakes.right_port import MISTAKES, RightPort, mistake

__all__ = ["MISTAKES", "RightPort", "mistake", "of_memory", "of_numbers", "of_projection", "of_step", "of_vectors"]
