# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The first flash of a bare virtual Pi: no internet, a clock in 1970, a connection that breaks during the copy.

Done once a run; what it leaves on the disk and in memory is where the tests of every worker begin.
"""

import json
from dataclasses import asdict
from pathlib import Path

from cutting import cutting
from flashed import PHOTOS, PLAYED, Said, make
from image import image
from labelcam.images import encode_png
from machine import Machine, machine
from measured import Measured

SETTINGS = f"""\
# A test's settings: it's "quoted"
[camera]
source = "{PLAYED}"

[mqtt]
host = "127.0.0.1"
node = "pi"
"""

SNAPSHOT = "flashed"

LAYER = "layer.qcow2"
SAID = "said.json"
SETTINGS_FILE = 'my "settings".toml'
"""What lies in the folder afterwards."""


def flash_first(folder: Path, model: Path, measured: Measured) -> None:
    """Leave there the disk with its snapshot, the settings, and what the command said."""
    with measured("the image, built or found"):
        built = image()
    settings = folder / SETTINGS_FILE
    settings.write_text(SETTINGS)
    with machine(built, folder / "machine") as pi:
        with measured("boot, until SSH answers"):
            pi.power_on()
        _be_patient(pi)
        _put_photos(pi)
        pi.run("date", "-s", "@86400")
        with measured("the first flash, wheels fetched or found"), cutting(pi.port, after_bytes=20_000_000) as port:
            done = make("flash", pi.ssh_config_by(port), MODEL=model, SETTINGS=settings)
        assert done.exit_code == 0, done.err + done.out
        pi.snapshot(SNAPSHOT)
        pi.power_cut()
        pi.layer.rename(folder / LAYER)
    (folder / SAID).write_text(json.dumps(asdict(done)))


def said(folder: Path) -> Said:
    """Return what the command said."""
    return Said(**json.loads((folder / SAID).read_text()))


def _be_patient(pi: Machine) -> None:
    """What a Pi loads in twenty seconds may take an emulated one minutes, on a machine with other things to do."""
    folder = "/etc/systemd/system/service.d"  # of every service
    pi.run("mkdir", "-p", folder)
    pi.write(f"{folder}/patient.conf", b"[Service]\nTimeoutStartSec=600\n")


def _put_photos(pi: Machine) -> None:
    from skimage import data  # `make test` reads this file too, and has no need of it

    pi.run("mkdir", "-p", PHOTOS)
    for name, pixels in {"astronaut": data.astronaut(), "coffee": data.coffee()}.items():
        pi.write(f"{PHOTOS}/{name}.png", encode_png(pixels))
