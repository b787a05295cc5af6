"""A browser without a screen, driven through Chromium's own protocol."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 100  # seconds


def chromium() -> str | None:
    """The browser of this machine, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page: its elements are found by JavaScript, its requests kept in `addresses`."""

    def __init__(self, commands: Any, replies: Any):
        """Opens an empty page through the browser's two pipes."""
        self._commands, self._replies = commands, replies
        self._count, self._buffer = 0, b""
        self.session, self.addresses = None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "DOM", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and returns what it gives."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            reply = self._next()
            if reply.get("method") == "Network.requestWillBeSent":
                self.addresses.append(reply["params"]["request"]["url"])
            if reply.get("id") == self._count:
                assert "error" not in reply, (method, reply["error"])
                return reply["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._replies.fileno(), 2**16)
            assert read, "the browser has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression."""
        done = self.send("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in done, (code, done["exceptionDetails"])
        return done["result"].get("value")

    def wait(self, code: str) -> Any:
        """Waits until a JavaScript expression is true, and returns its value."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(code)):
            if time.monotonic() > end:
                raise TimeoutError(f"{code} stayed {value}: {self.run('document.body.innerText')}")
            time.sleep(0.2)
        return value

    def press(self, text: str) -> None:
        """Clicks a visible button or tab with this text as soon as there is one."""
        buttons = "[...document.querySelectorAll('button')].filter(b => b.checkVisibility())"
        # Gradio has a copy of the tabs, out of sight, before them.
        button = f"{buttons}.findLast(b => b.innerText.trim() == '{text}')"
        self.wait(f"Boolean({button})")
        self.run(f"{button}.click()")

    def upload(self, element: str, path: Path) -> None:
        """Chooses a file in an input."""
        node = self.send("Runtime.evaluate", expression=element)
        self.send("DOM.setFileInputFiles", files=[str(path)], objectId=node["result"]["objectId"])


@contextlib.contextmanager
def browse(profile: Path) -> Iterator[Page]:
    """A page of a new browser, whose files go to the folder `profile`."""
    (theirs, commands), (replies, their_replies) = os.pipe(), os.pipe()
    flags = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe"
    # The browser reads its third file and writes its fourth.
    start = f'exec "$0" "$@" 3<&{theirs} 4>&{their_replies}'
    command = ["bash", "-c", start, str(chromium()), *flags.split(), f"--user-data-dir={profile}"]
    with (
        subprocess.Popen(
            command, pass_fds=(theirs, their_replies), stderr=subprocess.DEVNULL
        ) as process,
        open(commands, "wb") as out,
        open(replies, "rb", buffering=0) as back,
    ):
        os.close(theirs), os.close(their_replies)
        try:
            yield Page(out, back)
        finally:
            process.kill()
