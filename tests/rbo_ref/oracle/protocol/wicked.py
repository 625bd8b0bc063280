"""A program that speaks the protocol and is a right port, until the moment when it misbehaves: BEHAVIOUR MOMENT.

Run by itself, without site-packages: python -S wicked.py "dies" "run". The moment is "start", "run" or "evaluation".
"""

import json
import os
import signal
import struct
import sys
import time

HANGS, SLEEP = 3600, time.sleep


def raw(line, fd=1):
    """Write bytes, all of them."""
    while line:
        line = line[os.write(fd, line) :]


def say(message):
    raw(json.dumps(message).encode() + b"\n")


def hear():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def floods(chunk, fd=1):
    while True:
        raw(chunk, fd)


def dies_of(number):
    os.kill(os.getpid(), number)
    SLEEP(HANGS)


def says_goodbye():
    raw(b"first this\nout of \xff\x1b[31m memory\n", fd=2)
    sys.exit(7)


def leaves_a_child(holding):
    """A child that keeps the pipes open, while the program itself ends."""
    if os.fork() == 0:
        if holding == "in its own session":
            os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        SLEEP(2 if holding == "in its own session" else HANGS)
    os._exit(0)


def ignores_sigterm():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    SLEEP(HANGS)


def closes(fd):
    os.close(fd)
    if fd == 0:
        say({"evaluate": ["0x3ff0000000000000", "0x3ff0000000000000"]})
    SLEEP(HANGS)


def drips():
    while True:
        raw(b" ")
        SLEEP(0.01)


def asks_forever():
    while True:
        say({"evaluate": ["0x3ff0000000000000", "0x3ff0000000000000"]})
        sys.stdin.buffer.readline()


# What it does in place of an answer.
BEHAVIOURS = {
    "dies": lambda: sys.exit(3),
    "dies without a sound": lambda: os._exit(0),
    "segfaults": lambda: dies_of(signal.SIGSEGV),
    "aborts": lambda: dies_of(signal.SIGABRT),
    "says goodbye": says_goodbye,
    "hangs": lambda: SLEEP(HANGS),
    "ignores SIGTERM": ignores_sigterm,
    "drips": drips,
    "asks forever": asks_forever,
    "closes its input": lambda: closes(0),
    "closes its output": lambda: closes(1),
    "leaves a child": lambda: leaves_a_child("the pipes"),
    "leaves a child in its own session": lambda: leaves_a_child("in its own session"),
    "floods a line": lambda: floods(b"x" * 65536),
    "floods lines": lambda: floods(b"x\n" * 32768),
    "floods messages": lambda: floods(b'{"evaluate": []}\n' * 4096),
    "floods standard error": lambda: floods(b"warning: \n" * 4096, fd=2),
    "floods with zeros": lambda: floods(bytes(65536)),
    "is no UTF-8": lambda: raw(b'{"theta": "\xff\xfe"}\n'),
    "is empty": lambda: raw(b"\n"),
    "is a banner": lambda: raw(b"Welcome to port 1.0!\n"),
    "is a control sequence": lambda: raw(b"\x1b]0;owned\x07\x1b[2J\r\n"),
    "is a number": lambda: raw(b"3\n"),
    "is a list": lambda: raw(b"[1, 2]\n"),
    "is null": lambda: raw(b"null\n"),
    "is half a message": lambda: raw(b'{"id": 1, "theta": [\n'),
    "is NaN": lambda: raw(b'{"id": 1, "theta": [NaN, NaN]}\n'),
    "is a large integer": lambda: raw(b'{"id": 1, "theta": [' + b"9" * 100_000 + b"]}\n"),
    "is nested": lambda: raw(b"[" * 200_000 + b"\n"),
    "is nested objects": lambda: raw(b'{"theta":' * 200_000 + b"\n"),
    "has a key twice": lambda: raw(b'{"id": 1, "id": 1, "theta": []}\n'),
    "has a lone surrogate": lambda: raw(b'{"id": 1, "error": "\\ud800"}\n'),
    "has another key": lambda: say({"id": 1, "theta": [], "centre": []}),
    "has no key": lambda: say({}),
    "has two answers": lambda: say({"id": 1, "theta": [], "skip": "both"}),
    "has a wrong type": lambda: say({"id": 1, "theta": {"0": 1}}),
    "has a wrong entry": lambda: say({"id": 1, "theta": [True, None]}),
    "has text for numbers": lambda: say({"id": 1, "theta": ["one", "two"]}),
    "has short patterns": lambda: say({"id": 1, "theta": ["0x3f80", "0x3f80"]}),
    "has decimals": lambda: say({"id": 1, "theta": [1.0, 2.0]}),
    "has too few numbers": lambda: say({"id": 1, "theta": ["0x3ff0000000000000"]}),
    "has no numbers": lambda: say({"id": 1, "theta": []}),
    "asks about too few": lambda: say({"evaluate": ["0x3ff0000000000000"]}),
    "asks about infinity": lambda: say({"evaluate": ["0x7ff0000000000000"] * 2}),
    "has infinity": lambda: say({"id": 1, "theta": ["0x7ff0000000000000"] * 2}),
    "has another id": lambda: say({"id": 99, "theta": ["0x3ff0000000000000"] * 2}),
    "has no id": lambda: say({"theta": ["0x3ff0000000000000"] * 2}),
    "has an odd inner": lambda: say({"id": 1, "theta": ["0x3ff0000000000000"] * 2, "inner": [["0x3ff0000000000000"]]}),
    "has an odd normal": lambda: say({"id": 1, "theta": ["0x3ff0000000000000"] * 2, "normal": []}),
    "is an error": lambda: say({"id": 1, "error": "division by zero\nin line 3"}),
    "is a skip": lambda: say({"id": 1, "skip": "not today"}),
    "is of another version": lambda: say({"version": 2, "name": "2", "optimizers": ["rolling-ball"], "dtypes": []}),
    "declares nothing": lambda: say({"version": 1, "name": "", "optimizers": [], "dtypes": []}),
}

MOMENT = sys.argv[2] if len(sys.argv) > 2 else None


def reached(moment):
    """Misbehave, if this is the moment."""
    if moment == MOMENT:
        BEHAVIOURS[sys.argv[1]]()


def written(vector):
    return [f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}" for x in vector]


def number(pattern):
    return struct.unpack("<d", struct.pack("<Q", int(pattern, 16)))[0]


def loss(theta):
    say({"evaluate": written(theta)})
    answer = hear()
    return number(answer["value"]), [number(g) for g in answer["gradient"]]


def step(theta, learning_rate, radius, projection_rate, projection_steps):
    f, g = loss(theta)
    square = sum(x * x for x in g)
    lift = radius / (1 + square) ** 0.5
    goal, height = (
        [t - (lift + learning_rate) * x for t, x in zip(theta, g, strict=True)],
        f + lift - learning_rate * square,
    )
    for k in range(projection_steps):
        f, g = loss(theta)
        theta = [t - projection_rate * (t - s + (f - height) * x) for t, s, x in zip(theta, goal, g, strict=True)]
        if k == 1:
            reached("evaluation")
    return theta


def main():
    hear()
    reached("start")
    say({"version": 1, "name": "wicked", "language": "Python", "optimizers": ["rolling-ball"], "dtypes": ["float64"]})
    order = hear()
    while order["command"] == "run":
        reached("run")
        theta = step([number(t) for t in order["theta"]], **order["hyper"])
        say({"id": order["id"], "theta": written(theta)})
        if sys.argv[1] == "answers twice":
            say({"id": order["id"], "theta": written(theta)})
        order = hear()


if __name__ == "__main__":
    main()
