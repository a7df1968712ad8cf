# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of make sdcard."""

import argparse
import os
from pathlib import Path

from labelcam.console import OneLineParser
from labelcam.errors import UsageError

CACHE = Path("build/flash")
OUT = Path("build/sdcard")


def add_to(parser: OneLineParser) -> None:
    """Add everything that the target takes."""
    parser.add_argument("--image", type=Path, required=True, metavar="FILE", help="Raspberry Pi OS, .img or .img.xz")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the card's image goes")
    parser.add_argument("--device", metavar="/dev/…", help="write it to this card too, after asking")
    parser.add_argument("--model", metavar="NAME|FILE", help="a model file, or a network of the zoo")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="the settings that the Pi is to run with")
    parser.add_argument("--debs", type=Path, metavar="DIR", help="Debian packages to take along, such as picamera2's")
    parser.add_argument("--host", default="labelcam", metavar="NAME", help="the Pi's name in the network")
    parser.add_argument("--user", default="pi", metavar="NAME", help="who logs in")
    parser.add_argument("--ssh-key", type=Path, metavar="FILE", help="the user's public key; yours by default")
    parser.add_argument("--wifi-ssid", metavar="NAME", help="a Wi-Fi to join")
    parser.add_argument("--wifi-password-file", type=Path, metavar="FILE", help="holds its password, and nothing else")
    parser.add_argument("--wifi-country", metavar="CC", help="two letters, such as GB")
    parser.add_argument("--timezone", metavar="ZONE", help="such as Europe/Berlin")
    parser.set_defaults(action=make)


def make(args: argparse.Namespace) -> int:
    """Make the image, and the card where one is named."""
    from ..payload import checked_model, checked_settings
    from .baggage import packages
    from .burning import burn, chosen, confirm
    from .disk import Kernel
    from .making import Wanted, make_image
    from .owner import Owner, public_keys
    from .wifi import wifi_of

    if os.environ.get("WIFI_PASSWORD"):
        raise UsageError("WIFI_PASSWORD would be seen by everybody on this computer; give WIFI_PASSWORD_FILE=FILE")
    wifi = wifi_of(args.wifi_ssid, args.wifi_password_file, args.wifi_country)
    owner = Owner(args.host, args.user, public_keys(args.ssh_key), wifi, args.timezone)
    if args.device:
        chosen(args.device, 0, Kernel())  # refused before minutes are spent
    wanted = Wanted(
        args.image,
        owner,
        checked_model(args.model, CACHE) if args.model else None,
        checked_settings(args.settings) if args.settings else None,
        packages(args.debs),
        CACHE,
    )
    out = make_image(wanted, args.out or OUT / f"{owner.host}.img")
    print(f"{out}: ready; on a card it comes up as {owner.host} and installs labelcam by itself", flush=True)
    if args.device:
        disk = chosen(args.device, out.stat().st_size, Kernel())
        confirm(disk)
        burn(out, disk)
        print(f"{disk.path}: written and read back; ssh {owner.user}@{owner.host}.local in some minutes", flush=True)
    return 0
