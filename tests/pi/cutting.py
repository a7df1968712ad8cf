# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A bad network: a port that leads to another one and breaks the first connection after so many bytes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 1 << 16


@contextmanager
def cutting(port: int, after_bytes: int) -> Iterator[int]:
    """Give a port of this host's loopback that leads to another; its first connection to send so much is cut."""
    left = [after_bytes]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, port, left), daemon=True).start()
        yield int(listener.getsockname()[1])


def _serve(listener: socket.socket, port: int, left: list[int]) -> None:
    with suppress(OSError):  # the listener was closed: it is over
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_pump, args=(client, server, left), daemon=True).start()
            threading.Thread(target=_pump, args=(server, client, [1 << 62]), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, left: list[int]) -> None:
    with suppress(OSError), source, target:
        while piece := source.recv(_PIECE):
            if 0 < left[0] <= len(piece):
                left[0] = 0  # once only
                for end in (source, target):
                    end.shutdown(socket.SHUT_RDWR)
                return
            left[0] -= len(piece) if left[0] else 0
            target.sendall(piece)
