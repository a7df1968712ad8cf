# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A service manager's end of sd_notify(3)."""

import socket
import threading


class ServiceManager:
    """A notify socket as systemd keeps it, with the messages that came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.messages: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:  # the kernel queues no more than ten
            self.messages.append(self._socket.recv(4096).decode())
