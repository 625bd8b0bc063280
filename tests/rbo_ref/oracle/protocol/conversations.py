"""The conversations on the page about the protocol, and a program that plays its part in one."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "protocol.rst"
ACTOR = """
import json, sys
for direction, line in json.loads(sys.argv[1]):
    sys.stdin.readline() if direction == ">" else print(line, flush=True)
"""


def conversations():
    """Those of the page: lists of (direction, line)."""
    blocks = re.findall(r"^    > .*?(?=^\S|\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [[_turn(turn) for turn in re.split(r"\n    (?=[<>])", block.strip())] for block in blocks]


def _turn(text):
    direction, _, line = text.partition(" ")
    return direction, re.sub(r"\n +", " ", line)


def actor(conversation):
    """The command of a program that says what the port says in a conversation, whatever it hears."""
    return [sys.executable, "-S", "-c", ACTOR, json.dumps(conversation)]


class Transcript(list):
    """What was said, as (direction, line)."""

    def hear(self, direction, line):
        self.append((direction, line.decode("utf-8", "backslashreplace")))

    @property
    def orders(self):
        """The runs that were asked for."""
        messages = [json.loads(line) for direction, line in self if direction == ">"]
        return [message for message in messages if message.get("command") == "run"]
