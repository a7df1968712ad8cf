# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What both ways of setting up a fresh system have in common: files on the boot partition, words for the kernel."""

from collections.abc import Mapping
from dataclasses import dataclass

BOOT = "/boot/firmware"
"""Where the running Pi has its boot partition, on Bookworm and Trixie."""

FOLDER = "labelcam"
"""On the boot partition."""

UNIT = "labelcam-first-boot.service"

ORDER = "order.json"
"""In the folder; while it is there, labelcam is still to be installed."""

ENABLE = (
    f"install -m 644 {BOOT}/{FOLDER}/{UNIT} /etc/systemd/system/{UNIT}",
    "systemctl daemon-reload",
    f"systemctl enable {UNIT}",
)
"""Lets the installer run with every boot until it has succeeded: a power cut only delays it."""

FIRST_BOOT = f"""\
[Unit]
Description=labelcam is installed from the boot partition
ConditionPathExists={BOOT}/{FOLDER}/{ORDER}
RequiresMountsFor={BOOT} /opt
# Once the root file system has grown to the size of the card, and the owner's user is there.
After=systemd-growfs-root.service rpi-resize.service cloud-init.service cloud-init-network.service

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I {BOOT}/{FOLDER}/install.pyz
StandardOutput=journal+console
TimeoutStartSec=3600

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Seed:
    """What a fresh system is told."""

    files: Mapping[str, bytes]
    """By their name on the boot partition."""

    kernel: tuple[str, ...]
    """Words to add to cmdline.txt."""
