# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium for the tests of our pages, spoken to by the DevTools protocol over a pipe: no driver needed."""

import base64
import itertools
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 120
"""After so long it is ended, and the test with it, rather than the whole suite waited for."""

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}

READY = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Chromium:
    """One page in one browser. Use it in a `with` block."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # The protocol's own file descriptors are 3 (to the browser) and 4 (from it).
        program_at = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'  # not sh: dash knows no descriptor above 9
        command = ["bash", "-c", program_at, "bash", program, "--headless", "--no-sandbox"]
        command += ["--disable-gpu", "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            [*command, "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._to, self._from = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb")
        self._patience = threading.Timer(PATIENCE_S, self._process.kill)
        self._patience.daemon = True
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._patience.start()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *exc: object) -> None:
        self._patience.cancel()
        self._process.terminate()
        self._process.wait()
        self._to.close()
        self._from.close()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give one command and return its result; what happens meanwhile is kept in `events`."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._to.write(json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        while (told := self._next()).get("id") != number:
            self.events.append(told)
        assert "error" not in told, told
        return dict(told["result"])

    def _next(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._from.read(1)) != b"\0":
            assert byte, "Chromium has gone"
            text += byte
        return dict(json.loads(text))

    def run(self, script: str) -> Any:
        """Return what a piece of JavaScript says in the page; promises are waited for."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, page: Path | str, width: int, dark: bool = False, height: int = 900, **features: str) -> None:
        """Show a page of the disk or of an address, and wait until it is drawn. `features` are more media features."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        media = {"prefers-color-scheme": "dark" if dark else "light"}
        media |= {name.replace("_", "-"): value for name, value in features.items()}
        self.ask("Emulation.setEmulatedMedia", features=[{"name": name, "value": media[name]} for name in media])
        self.events.clear()
        self.ask("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self.run(READY)

    def until(self, script: str, seconds: float = 30) -> Any:
        """Wait until the page says that this is true, and return what it says."""
        deadline = time.monotonic() + seconds
        while not (found := self.run(f"(() => {{ try {{ return {script}; }} catch {{ return null; }} }})()")):
            assert time.monotonic() < deadline, f"never true: {script}\n{self.run('document.body.innerText')}"
            time.sleep(0.05)
        return found

    def press(self, key: str, text: str = "") -> None:
        """Press a key."""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **named)

    def screenshot(self) -> bytes:
        """Return what is on the screen, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def happened(self, *methods: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of these kinds since the page was opened."""
        return [event["params"] for event in self.events if event.get("method") in methods]
