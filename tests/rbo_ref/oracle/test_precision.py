"""Threads take turns with the working precision of python-flint."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading

import pytest
from flint import arb, ctx

from geometry.arithmetic.precision import working_precision


def test_threads_keep_their_own_precision_and_leave_that_of_the_user():
    """Each waits for the other inside of its block, as long as it can be kept waiting; both see their own number."""
    before, seen, inside = ctx.prec, [], threading.Barrier(2)

    def work(bits):
        for _ in range(20):
            with working_precision(bits):
                try:
                    inside.wait(timeout=0.005)  # the other one is not let in
                except threading.BrokenBarrierError:
                    inside.reset()
                seen.append((bits, ctx.prec, (1 / arb(3)).rel_accuracy_bits() >= bits - 2))

    threads = [threading.Thread(target=work, args=(bits,)) for bits in (100, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ctx.prec == before
    assert len(seen) == 40
    assert all(bits == found and accurate for bits, found, accurate in seen)


def fail():
    with working_precision(200):
        with working_precision(100):
            assert ctx.prec == 100
        assert ctx.prec == 200
        raise ZeroDivisionError


def test_blocks_nest_and_errors_restore():
    before = ctx.prec
    with pytest.raises(ZeroDivisionError):
        fail()
    assert ctx.prec == before


FORKS = """
import os, threading
from geometry.arithmetic.precision import working_precision

holding, done = threading.Event(), threading.Event()

def hold():
    with working_precision(100):
        holding.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
holding.wait()
child = os.fork()
if child == 0:
    with working_precision(64):
        os._exit(0)
done.set()
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_forked_child_does_not_wait_for_a_turn_of_its_parent():
    """In a process of its own: other libraries warn of a fork beside their threads, and so does Python."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], check=True, timeout=60)
