# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""For systems without cloud-init, Bookworm's: a script that the kernel's command line has systemd run before all else.

It may be run twice, after a power cut, and it may fail at anything: what matters most is that it takes itself off the
command line, or the Pi never comes up.
"""

import uuid
from shlex import quote

from .owner import Owner
from .seed import BOOT, ENABLE, Seed
from .wifi import Wifi

SCRIPT = "firstrun.sh"

_HEAD = f"""\
#!/bin/sh
# Written by labelcam's make sdcard. Runs once, as root, before the network is up; then the Pi starts afresh.
set +e
exec >> {BOOT}/labelcam-install.log 2>&1
echo 'labelcam: setting up this Pi'
"""

_HOST = """\
echo {host} > /etc/hostname
grep -q '^127\\.0\\.1\\.1' /etc/hosts || echo '127.0.1.1 -' >> /etc/hosts
sed -i 's/^127\\.0\\.1\\.1.*/127.0.1.1\t{host}/' /etc/hosts
"""

_KEYS = """\
first=$(getent passwd 1000 | cut -d: -f1)
home=$(getent passwd 1000 | cut -d: -f6)
install -d -m 700 -o 1000 -g 1000 "$home/.ssh"
cat > "$home/.ssh/authorized_keys" <<'END'
{keys}
END
chown 1000:1000 "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
systemctl enable ssh
"""

_USER = """\
if [ -x /usr/lib/userconf-pi/userconf ]; then
    /usr/lib/userconf-pi/userconf {user} ''
elif [ "$first" != {user} ]; then
    usermod -l {user} "$first"
    usermod -m -d /home/{user} {user}
    groupmod -n {user} "$first"
fi
echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/010_pi-nopasswd
chmod 440 /etc/sudoers.d/010_pi-nopasswd
"""

_WIFI = """\
connection=/etc/NetworkManager/system-connections/preconfigured.nmconnection
install -d -m 755 /etc/NetworkManager
install -d -m 700 /etc/NetworkManager/system-connections
rm -f "$connection"
( umask 077; cat > "$connection" <<'END'
{connection}END
)
! command -v raspi-config > /dev/null || raspi-config nonint do_wifi_country {country}
! command -v rfkill > /dev/null || rfkill unblock wifi
for switch in /var/lib/systemd/rfkill/*:wlan; do [ ! -f "$switch" ] || echo 0 > "$switch"; done
"""

_ZONE = """\
ln -sf /usr/share/zoneinfo/{zone} /etc/localtime
echo {zone} > /etc/timezone
"""

_TAIL = f"""\
cd {BOOT}
sed 's/ systemd\\.[^ ]*//g' cmdline.txt > cmdline.new && sync && mv cmdline.new cmdline.txt
sync
rm -f {SCRIPT}
echo 'labelcam: this Pi is set up and starts afresh; labelcam itself is installed next'
sync
exit 0
"""


def seed(owner: Owner) -> Seed:
    """Return what a system without cloud-init is told."""
    parts = [
        _HEAD,
        _HOST.format(host=owner.host),
        _KEYS.format(keys="\n".join(owner.keys)),
        _USER.format(user=owner.user),
        _WIFI.format(connection=_connection(owner.wifi), country=owner.wifi.country) if owner.wifi else "",
        _ZONE.format(zone=quote(owner.timezone)) if owner.timezone else "",
        *(f"{command}\n" for command in ENABLE),
        _TAIL,
    ]
    run = f"systemd.run={BOOT}/{SCRIPT}"
    kernel = (run, "systemd.run_success_action=reboot", "systemd.unit=kernel-command-line.target")
    return Seed({SCRIPT: "".join(parts).encode(), "ssh": b""}, kernel)


def _connection(wifi: Wifi) -> str:
    # The name as bytes, which nm-settings-keyfile(5) takes too: nothing in it needs escaping.
    ssid = "".join(f"{byte};" for byte in wifi.ssid.encode())
    return (
        f"[connection]\nid=preconfigured\nuuid={uuid.uuid5(uuid.NAMESPACE_DNS, wifi.ssid)}\ntype=wifi\n"
        f"[wifi]\nmode=infrastructure\nssid={ssid}\n"
        f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={wifi.key}\n"
        "[ipv4]\nmethod=auto\n[ipv6]\naddr-gen-mode=default\nmethod=auto\n"
    )
