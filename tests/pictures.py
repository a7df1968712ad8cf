# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make pictures`: the pictures of the docs, of what the real programs print and show.

`pictures.py demo` and `pictures.py window` run them; `pictures.py flash FILE` draws what `make flash` has printed
elsewhere, where there was a Pi.
"""

import argparse
import math
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from urllib.request import urlopen

import cv2
from PIL import Image
from rich.console import Console
from rich.text import Text

from headless_chromium import Chromium
from recorded_board import INA219, hwmon, write

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COLUMNS = 108

TABLET = 1024
"""CSS pixels across."""

CONNECTED = (43, 122, 75)
"""The dot in the page's head."""

SCENES = (
    *(("rocket.jpg", 21), ("astronaut.png", 18), ("coffee.png", 24), ("camera.png", 31), ("clock_motion.png", 17)),
    *(("astronaut.png", 15), ("chelsea.png", 22), ("camera.png", 9), ("coffee.png", 26), ("astronaut.png", 60)),
)
"""What stands before the camera, and for how many seconds; the last is there when the picture is taken."""

TAKEN_AFTER_S = 190.0
"""The page plots three minutes."""

FPS = 10


def demo() -> None:
    """Draw `make demo`, converter and all."""
    shutil.rmtree(ROOT / "build/demo", ignore_errors=True)
    said = in_terminal(sys.executable, "-m", "labelcam_converter.demo")
    draw(["$ make demo", *said], DOCS / "demo.svg")


def flash(file: Path) -> None:
    """Draw what was typed and printed."""
    draw(file.read_text().splitlines(), DOCS / "flash.svg")


def in_terminal(*command: str) -> list[str]:
    """Return the lines that a command leaves in a terminal of our width, bold and all."""
    ours, theirs = pty.openpty()
    surroundings = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=surroundings) as process:
        os.close(theirs)
        said = bytearray()
        while piece := _read(ours):
            said += piece
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return settled(said.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def settled(said: str) -> list[str]:
    """Follow cleared lines and steps upwards to what is there in the end; of all else only bold is left."""
    lines = [""]
    for piece in re.split(r"(\n|\r|\x1b\[\d*[A-Za-z]|\x1b\[\?\d+[hl])", said):
        if piece == "\n":
            lines.append("")
        elif piece.endswith("A") and piece.startswith("\x1b"):
            lines.pop()
        elif piece.endswith("K") and piece.startswith("\x1b"):
            lines[-1] = ""
        elif piece in ("\x1b[0m", "\x1b[1m") or not piece.startswith(("\x1b", "\r")):
            lines[-1] += piece
    return lines


def draw(lines: list[str], svg: Path) -> None:
    """Write a terminal's window with these lines; what was typed is bold."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    for line in "\n".join(lines).rstrip().splitlines():
        console.print(Text(line, "bold") if line.startswith("$ ") else Text.from_ansi(line), soft_wrap=False)
    # Nothing is loaded from anywhere else: rich would fetch a font.
    font = "Menlo, Consolas, DejaVu Sans Mono, monospace"
    drawn = re.sub(
        r"@font-face \{.*?\}\n", "", console.export_svg(title="labelcam", unique_id="terminal"), flags=re.DOTALL
    )
    drawn = re.sub(r"<!-- .*? -->\n", "", drawn.replace("Fira Code, monospace", font))
    svg.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n")


def window() -> None:
    """Take a picture of the page of a real daemon: photographs as its camera, a board that is written out as files."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not (program and shutil.which("pngquant")):
        sys.exit("there is no Chromium or no pngquant here: sudo apt-get install chromium-headless-shell pngquant")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running(Path(folder)) as url:
        time.sleep(TAKEN_AFTER_S)
        with Chromium(program, Path(folder) / "profile") as browser:
            browser.open(url, TABLET)
            browser.ask("Emulation.setScrollbarsHidden", hidden=True)
            browser.until("document.querySelector('#plot canvas') && document.getElementById('live').naturalWidth")
            height = browser.run("document.documentElement.scrollHeight")
            size = {"width": TABLET, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.ask("Emulation.setDeviceMetricsOverride", **size)
            browser.run("new Promise(done => setTimeout(done, 3000))")  # a few more frames, all of it laid out
            taken = browser.screenshot()
    write_small(taken, DOCS / "window.png")


def write_small(png: bytes, to: Path) -> None:
    """Write a screenshot with a palette and spread errors: two fifths of the size, and no bands."""
    taken = Image.open(BytesIO(png)).convert("RGB")
    # The dot is too small to get a colour of the palette by itself.
    weighted = Image.new("RGB", (taken.width, taken.height + 200), CONNECTED)
    weighted.paste(taken)
    given = BytesIO()
    weighted.save(given, "PNG")
    quantise = ["pngquant", "--speed", "1", "--strip", "256", "-"]
    done = subprocess.run(quantise, input=given.getvalue(), capture_output=True, check=True)
    Image.open(BytesIO(done.stdout)).crop((0, 0, *taken.size)).save(to, optimize=True)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run the daemon on a made-up board, and give its page's address."""
    board, frames, port = folder / "board", folder / "frames", _free_port()
    write(board / "sys/class/thermal/thermal_zone0", {"type": "cpu-thermal", "temp": 51000})
    write(board / "sys/devices/system/cpu/cpu0/cpufreq", {"scaling_cur_freq": 1800000})
    write(board / "dev", {"vcio_gencmd": ""})
    hwmon(board, 0, INA219)
    film(frames)
    settings = folder / "labelcam.toml"
    settings.write_text(f'[mqtt]\nnode = "feeder"\n[http]\nenabled = true\nport = {port}\n')
    command = [sys.executable, ROOT / "tests/on_a_recorded_board.py", board, "run", "--settings", settings]
    command += ["--model", ROOT / "build/demo/person_int8.tflite", "--camera", f"photos:{frames}?fps={FPS}"]
    done = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        warmth = threading.Thread(target=warm, args=(board, done))
        warmth.start()
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}"
        finally:
            done.set()
            warmth.join()
            process.terminate()


def film(folder: Path) -> None:
    """Lay out a camera's frames: each scene as often as it lasts, in a camera's shape."""
    folder.mkdir()
    number = 0
    for name, seconds in SCENES:
        picture = cv2.imread(str(ROOT / "build/demo/photos" / name))
        scale = max(640 / picture.shape[1], 480 / picture.shape[0])
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = (picture.shape[0] - 480) // 4, (picture.shape[1] - 640) // 2
        frame = folder / f"{number:05}.png"
        cv2.imwrite(str(frame), picture[top : top + 480, left : left + 640])
        for _ in range(1, seconds * FPS):
            number += 1
            (folder / f"{number:05}.png").hardlink_to(frame)
        number += 1


def warm(board: Path, done: threading.Event) -> None:
    """Let the board draw power and get warm as boards do."""
    while not done.wait(0.1):
        swing = math.sin(time.monotonic() * 1.7) + math.sin(time.monotonic() * 0.31)
        for name, value in (
            ("sys/class/thermal/thermal_zone0/temp", 51_500 + 400 * swing),
            ("sys/class/hwmon/hwmon0/power1_input", 2_310_000 + 90_000 * swing),
        ):
            new = board / "new"
            new.write_text(f"{value:.0f}\n")
            new.replace(board / name)  # half a number would be a meter that fails


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urlopen(address):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("demo", "window", "flash"))
    parser.add_argument("file", nargs="?", type=Path)
    args = parser.parse_args()
    {"demo": demo, "window": window, "flash": lambda: flash(args.file)}[args.what]()
