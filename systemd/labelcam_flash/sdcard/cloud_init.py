# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""For systems with cloud-init, Trixie's: the three files that it looks for on the boot partition.

They are YAML, and JSON is YAML in which no name or key can be taken for anything else. What the Raspberry Pi Imager 2
writes is what was proven on real boards; this says the same.
"""

import hashlib
import json

from .owner import Owner
from .seed import BOOT, ENABLE, FOLDER, ORDER, UNIT, Seed
from .wifi import Wifi

GROUPS = "users,adm,dialout,audio,netdev,video,plugdev,cdrom,games,input,gpio,spi,i2c,render,sudo"
"""Of the user, as Raspberry Pi OS's own first user has them."""


def seed(owner: Owner) -> Seed:
    """Return what a system with cloud-init is told."""
    user_data = b"#cloud-config\n" + _yaml(_user_data(owner))
    files = {"user-data": user_data, "ssh": b""}
    if owner.wifi:
        files["network-config"] = _yaml(_network(owner.wifi))
    # Another name for each owner: cloud-init does its work once per instance.
    instance = "labelcam-" + hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
    files["meta-data"] = f"instance-id: {instance}\ndsmode: local\n".encode()
    country = (f"cfg80211.ieee80211_regdom={owner.wifi.country}",) if owner.wifi else ()
    return Seed(files, (f"ds=nocloud;i={instance}", *country))


def _user_data(owner: Owner) -> dict[str, object]:
    user = {
        "name": owner.user,
        "groups": GROUPS,
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": list(owner.keys),
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
    }
    told: dict[str, object] = {"hostname": owner.host, "manage_etc_hosts": True, "users": [user]}
    if owner.timezone:
        told["timezone"] = owner.timezone
    # Of all that cloud-init does, bootcmd alone comes again after a power cut.
    install = " && ".join((*ENABLE, f"systemctl start --no-block {UNIT}"))
    begin = f"systemctl enable --now --no-block ssh; {install};"
    told["bootcmd"] = [["sh", "-c", f"[ ! -f {BOOT}/{FOLDER}/{ORDER} ] || {{ {begin} }}"]]
    return told


def _network(wifi: Wifi) -> dict[str, object]:
    point = {
        "dhcp4": True,
        "optional": True,
        "regulatory-domain": wifi.country,
        "access-points": {wifi.ssid: {"password": wifi.key}},
    }
    ethernet = {"eth0": {"dhcp4": True, "optional": True}}
    return {"network": {"version": 2, "ethernets": ethernet, "wifis": {"wlan0": point}}}


def _yaml(told: dict[str, object]) -> bytes:
    return json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"
