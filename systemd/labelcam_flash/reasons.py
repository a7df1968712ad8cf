# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What ssh, sudo and the Pi's shell mean by what they say, with the remedy."""

PASSWORD_WANTED = ("a password is required", "interactive authentication is required")
"""Of sudo, and of its successor in Rust."""

PASSWORD_WRONG = ("incorrect password attempt", "incorrect authentication attempt")

WITHOUT_PASSWORD = 'echo "$USER ALL=(ALL) NOPASSWD: ALL" | sudo tee /etc/sudoers.d/010_labelcam'  # noqa: S105

_REMEDIES = {
    "a password is required": f"sudo on it asks for a password, and none was given; run there: {WITHOUT_PASSWORD}",
    "authentication is required": f"sudo on it asks for a password, and none was given; run there: {WITHOUT_PASSWORD}",
    "incorrect password": "sudo takes that password no longer; run it again",
    "incorrect authentication": "sudo takes that password no longer; run it again",
    "not in the sudoers file": "your user may not use sudo there; as one who may: sudo adduser NAME sudo",
    "is not allowed to execute": "your user may not do all by sudo there; as one who may: sudo adduser NAME sudo",
    "sudo: not found": "it has no sudo; install it there, or log in as root",
    "sudo: command not found": "it has no sudo; install it there, or log in as root",
    "python3: not found": "it has no python3; use Raspberry Pi OS Bookworm or Trixie, 64-bit",
    "python3: command not found": "it has no python3; use Raspberry Pi OS Bookworm or Trixie, 64-bit",
    "Could not resolve": "no such name in this network; use its address, or check that it is on and connected",
    "Permission denied": "it does not let you in; put your key there: ssh-copy-id, then try ssh by hand",
    "Too many authentication failures": "ssh offers too many keys; name one by IdentityFile in ~/.ssh/config",
    "Connection refused": "nothing answers SSH there; enable it: sudo raspi-config nonint do_ssh 0",
    "timed out": "it does not answer; check that it is on and in this network",
    "No route to host": "nothing has that address now; check that it is on and in this network",
    "Network is unreachable": "there is no way to that network; check this computer's own connection",
    "Host key verification failed": "its host key is new or has changed; connect once by hand with ssh and look",
    "hostname contains invalid": "that is no host's name; say for instance PI=pi@raspberrypi.local",
}
"""By a sign in what was said."""


def why(complaint: str) -> str:
    """Say in one line what was meant."""
    for sign, remedy in _REMEDIES.items():
        if sign in complaint:
            return remedy
    last = printable((complaint.strip().splitlines() or ["the connection was cut"])[-1])
    return f"{last}; run it again, it goes on where it stopped"


def printable(text: object) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))
