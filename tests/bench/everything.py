# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon with everything on that an installation may have: JSON lines, a real MQTT broker, the page's metrics."""

import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelcam.console import note

SCRAPE_S = 1.0
"""How often the metrics are scraped; Prometheus does it every 15 seconds."""


@contextmanager
def everything_on(folder: Path) -> Iterator[Path | None]:
    """Run a broker, and whoever scrapes, for the block; yield the settings, or None where there is no mosquitto."""
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if mosquitto is None:
        note("  mosquitto is not here: the daemon with everything on is left out; sudo apt-get install mosquitto")
        yield None
        return
    broker, page = _free_port(), _free_port()
    (folder / "mosquitto.conf").write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")
    settings = folder / "everything.toml"
    settings.write_text(
        f'[jsonl]\npath = "{folder}/readings.jsonl"\n[mqtt]\nhost = "127.0.0.1"\nport = {broker}\n'
        f"readings = true\n[http]\nenabled = true\nport = {page}\n"
    )
    stop = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(page, stop), daemon=True)
    with subprocess.Popen(
        [mosquitto, "-c", str(folder / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_port(broker)
            scraper.start()
            yield settings
        finally:
            stop.set()
            process.terminate()


def _scrape(port: int, stop: threading.Event) -> None:
    while not stop.wait(SCRAPE_S):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1).read()
        except OSError:
            continue  # between two rounds nobody is there


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    until_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)
        else:
            return
