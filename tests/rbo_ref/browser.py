"""A page in a headless Chromium, which is spoken to by its own protocol over two pipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from typing import Any

__all__ = ["Browser", "executable"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")


def executable() -> str | None:
    """The browser that is installed, if one is."""
    return next(filter(None, map(shutil.which, NAMES)), None) if os.name == "posix" else None


class Browser:
    """An opened page; a call gives the value of an expression, once its promise is kept."""

    def __init__(self, address: str) -> None:
        self.complaints: list[str] = []
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process, self._out, self._in = _started(self._folder.name)
        self._held, self._count, self._session = b"", 0, {}
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Runtime", "Log", "Page"):
            self._ask(f"{domain}.enable")
        self._ask("Page.navigate", url=address)
        while self._message().get("method") != "Page.loadEventFired":
            pass

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._folder.cleanup()

    def __call__(self, expression: str) -> Any:
        given = self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters} | self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._count:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _message(self) -> Any:
        while b"\0" not in self._held:
            some = os.read(self._in, 2**20)
            assert some, "the browser has ended"
            self._held += some
        text, _, self._held = self._held.partition(b"\0")
        message = json.loads(text)
        entry = message.get("params", {}).get("entry", {})
        if message.get("method") == "Runtime.exceptionThrown" or entry.get("level") == "error":
            self.complaints.append(text.decode())
        return message


def _started(folder: str) -> tuple[subprocess.Popen[bytes], int, int]:
    """The process, and the ends of the pipes to write to and to read from. Chromium reads from 3 and writes to 4."""
    reads, out = os.pipe()
    comes, writes = os.pipe()
    command = " ".join(["exec", '"$0"', '"$@"', f"3<&{reads}", f"4>&{writes}"])
    process = subprocess.Popen(
        ["bash", "-c", command, str(executable()), *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(reads, writes),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    os.close(reads)
    os.close(writes)
    return process, out, comes
