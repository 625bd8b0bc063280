"""`ProgramPort`: a program, in whatever language, as a port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from time import monotonic
from typing import Any, ClassVar, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, array_namespace, device_of, to_numpy
from geometry.arithmetic.formats import format_of
from rbo_ref._words import printable, quoted
from rbo_ref.oracle.calls import PortError, Skip
from rbo_ref.oracle.dialects import optimizer_of
from rbo_ref.oracle.protocol.messages import VERSION, Numbers, line_of, read
from rbo_ref.oracle.protocol.program import Program
from rbo_ref.oracle.time_limit import granted, unstopped

__all__ = ["Capabilities", "ProgramPort", "Undeclared"]

MOST_LISTS = 10_000  # in an answer: they are read after the clock has stopped
STARTS = 20  # of a program that breaks off again and again
ARRAYS = ("theta", "normal", "tangent", "center", "candidate")


class Capabilities(NamedTuple):
    """What a program says that it can do."""

    version: int
    name: str
    optimizers: list[str]
    dtypes: list[str]
    language: str = "unknown language"
    numbers: str = "bits"
    dialects: Mapping[str, str] = {}


class Undeclared(Skip):
    """A program was asked for what it does not declare."""


class ProgramPort:
    """A port that is a program and talks JSON Lines on its standard input and output.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments. No shell is used.
    optimizer : str
        What it is a port of: "rolling-ball", for `check`, or one of those of `check_optimizer`.
    time_limit : float
        Seconds that one run may take: a step of the rolling ball, some steps of another optimizer. As much is given to
        the program to start.
    output_limit : int
        Bytes that one line of its output may have.
    heard : callable, optional
        Called with ">" and each line (bytes) sent to the program, "<" and each line received.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments.
    OSError
        If the program cannot be started.

    Notes
    -----
    The oracle keeps the numbers in NumPy's arrays, or with ``xp="torch"``, say, in PyTorch's, which have bfloat16.

    The process is started once, and again after it has broken off: after it died, ran out of time, or printed
    something that is no answer. Each of these is a verdict on the case that was asked. In the end the process and
    its group are killed, if they are still there. The protocol is described in ``docs/protocol.rst``, its messages by
    ``rbo_ref/oracle/schemas/protocol.json``.

    Examples
    --------
    A program that knows one answer:

    >>> import sys, json
    >>> from rbo_ref.oracle import check
    >>> answers = [
    ...     {"version": 1, "name": "idle", "optimizers": ["rolling-ball"], "dtypes": ["float64"]},
    ...     {"id": 1, "skip": "not written yet"},
    ... ]
    >>> program = ";".join(f"input(); print({json.dumps(line)!r}, flush=True)" for line in answers)
    >>> with ProgramPort([sys.executable, "-c", program]) as port:
    ...     print(check(port, cases="plane", levels="step").counts["skipped"])
    1
    """

    library: ClassVar[str] = "numpy"

    def __init__(
        self,
        command: Sequence[str],
        optimizer: str = "rolling-ball",
        *,
        time_limit: float = 10.0,
        output_limit: int = 2**22,
        heard: Callable[[str, bytes], Any] | None = None,
    ) -> None:
        if isinstance(command, str) or not command or not all(isinstance(part, str) for part in command):
            raise TypeError(f"command must be a list of strings, the program and its arguments, got {command!r}")
        for name, limit in (("time_limit", time_limit), ("output_limit", output_limit)):
            if not limit > 0:
                raise ValueError(f"{name} must be positive, got {limit}")
        self.command, self.optimizer, self.time_limit = list(command), optimizer_of(optimizer), time_limit
        self._start = partial(Program, self.command, output_limit, heard)
        self._program: Program | None = self._start()
        self._capabilities: Capabilities | None = None
        self._starts, self._runs, self._fresh = 1, 0, True

    @property
    def name(self) -> str:
        """The command."""
        return " ".join(self.command)

    @property
    def language(self) -> str:
        """The programming language, as far as the program has told."""
        return self._capabilities.language if self._capabilities else "unknown language"

    @property
    def capabilities(self) -> Capabilities:
        """What the program says that it can do, asked when it is needed first.

        Raises
        ------
        PortError, TimeoutError
            If it does not answer.
        """
        return self._guarded(self._talking)[1]

    def require(self, dtype: str) -> None:
        """Raise `Undeclared` unless the program speaks this version, and declares the optimizer and this dtype."""
        declared = self.capabilities
        if declared.version != VERSION:
            raise Undeclared(f"the program speaks version {declared.version} of the protocol, not {VERSION}")
        wanted = (("optimizer", self.optimizer, declared.optimizers), ("dtype", dtype, declared.dtypes))
        for kind, name, known in wanted:
            if name not in known:
                raise Undeclared(f"the program declares no {kind} {name}, but {printable(', '.join(known), 200)}")

    def fresh(self) -> ProgramPort:
        """The port, which tells the program with the next run to forget all earlier ones."""
        self._fresh = True
        return self

    def __call__(self, loss: Callable[[Array], tuple[Array, Array]], theta: Array, **arguments: Any) -> Any:
        if ("iterations" in arguments) == (self.optimizer == "rolling-ball"):
            raise PortError(f"{type(self).__name__} was made for {self.optimizer}, which this is not")
        target = format_of(str(theta.dtype).rpartition(".")[2])
        self.require(target.name)
        numbers = Numbers(target, self.capabilities.numbers)

        def served(place: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            value, gradient = loss(_like(theta, place))
            return to_numpy(value), to_numpy(gradient)

        kind, message = self._guarded(lambda: self._run(served, to_numpy(theta), arguments, numbers))
        if kind == "skip":
            raise Skip(printable(message["skip"], 200))
        if kind == "error":
            raise PortError(f"answered with an error: {printable(message['error'], 200)}")

        def array(entries: list[Any]) -> Array:
            return _like(theta, numbers.read(entries))

        for name in ("iterates", "inner"):
            if len(message.get(name, ())) > MOST_LISTS:
                raise PortError(f"printed {len(message[name])} lists under {name!r}, expected at most {MOST_LISTS}")
        if kind == "iterates":
            return [array(entries) for entries in message["iterates"]]
        named: dict[str, Any] = {name: array(message[name]) for name in ARRAYS if name in message}
        return named | ({"inner": [array(entries) for entries in message["inner"]]} if "inner" in message else {})

    def close(self) -> None:
        """Tell the program to stop, and see to it that it does."""
        program, self._program, self._starts = self._program, None, STARTS
        if program is not None:
            try:
                program.send(line_of({"command": "stop"}), monotonic() + self.time_limit)
                program.end()
            except (PortError, TimeoutError):
                pass  # it has ended already, or reads no more
            finally:
                program.kill()

    def __enter__(self) -> ProgramPort:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _guarded(self, talk: Callable[[], Any]) -> Any:
        """What comes of talking; a program that cannot be relied on any more is killed.

        All of it keeps to the time that it is granted by itself, so that it is never stopped halfway.
        """
        with unstopped():
            try:
                return talk()
            except BaseException as error:
                program, self._program = self._program, None
                if program is None:
                    raise
                is_late = isinstance(error, TimeoutError) and not error.args
                last_words = program.last_words() if is_late else ""
                program.kill()
                if not is_late:
                    raise
                hint = "" if self._capabilities else " (does it flush its output after each line?)"
                raise TimeoutError(f"no answer within {self._seconds:g} s{hint}{last_words}") from None

    def _talking(self) -> tuple[Program, Capabilities]:
        """The program, started if it does not run, and its capabilities."""
        if self._program is None:
            if self._starts >= STARTS:
                raise PortError(f"not started again: it was closed, or broke off {STARTS} times")
            self._starts, self._capabilities, self._fresh = self._starts + 1, None, True
            self._program = self._started()
        if self._capabilities is None:
            deadline, self._seconds = granted(self.time_limit)
            self._program.send(line_of({"command": "start", "version": VERSION}), deadline)
            _, message = read(self._program.receive(deadline), "capabilities")
            self._capabilities = Capabilities(**message)
        return self._program, self._capabilities

    def _started(self) -> Program:
        try:
            return self._start()
        except OSError as error:
            raise PortError(f"cannot be started again: {error.strerror}") from error

    def _run(
        self, served: Callable[[Any], Any], theta: NDArray[Any], arguments: Mapping[str, Any], numbers: Numbers
    ) -> tuple[str, dict[str, Any]]:
        """Kind and content of the message that ends a run."""
        program, _ = self._talking()
        if program.unread:
            raise PortError(f"printed {quoted(program.unread)} after its answer")
        deadline, self._seconds = granted(self.time_limit)
        self._runs, fresh, self._fresh = self._runs + 1, self._fresh, False
        program.send(line_of(self._order(theta, arguments, fresh, numbers)), deadline)
        last = "result" if self.optimizer == "rolling-ball" else "iterates"
        while True:
            kind, message = read(program.receive(deadline), "evaluate", last, "skip", "error")
            if kind != "evaluate":
                break
            place = numbers.read(message["evaluate"])
            if place.size != theta.size:
                raise PortError(f"asked for the loss at {place.size} numbers; theta has {theta.size}")
            value, gradient = served(place)
            evaluation = {"value": numbers.written(value)[0], "gradient": numbers.written(gradient)}
            program.send(line_of(evaluation), deadline)
        if message["id"] != self._runs:
            raise PortError(f"answered run {message['id']}, where run {self._runs} was asked")
        return kind, message

    def _order(
        self, theta: NDArray[Any], arguments: Mapping[str, Any], fresh: bool, numbers: Numbers
    ) -> dict[str, Any]:
        """The message that asks for a run."""
        hyper = dict(arguments)
        order: dict[str, Any] = {
            "command": "run",
            "id": self._runs,
            "optimizer": self.optimizer,
            "dtype": numbers.target.name,
            "fresh": fresh,
            "shape": list(theta.shape),
            "theta": numbers.written(theta),
        }
        if "iterations" in hyper:
            order["iterations"] = hyper.pop("iterations")
        if "draws" in hyper:
            order["draws"] = numbers.written(to_numpy(hyper.pop("draws")))
        return order | {"hyper": hyper}


def _like(theta: Array, flat: NDArray[Any]) -> Array:
    """Numbers as an array like θ, and in its shape if they are as many: vectors of the ambient space are more."""
    shaped = flat.reshape(theta.shape) if flat.size == prod(theta.shape) else flat
    if isinstance(theta, numpy.ndarray):
        return shaped
    return array_namespace(theta).asarray(shaped, dtype=theta.dtype, device=device_of(theta))
