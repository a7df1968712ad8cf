# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network camera of a hundred lines: JPEG over RTP (RFC 2435), interleaved in the RTSP connection."""

import socket
import struct
import threading
from contextlib import suppress

import cv2
import numpy as np

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"


class NetworkCamera:
    """Shows one colour at 20 frames a second to whoever plays it, unless it is unplugged, or frozen in mid-stream."""

    def __init__(self, colour: tuple[int, int, int], *, plugged: bool = True) -> None:
        picture = np.full((48, 64, 3), colour[::-1], np.uint8)
        self._jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self.url = f"rtsp://user:secret@127.0.0.1:{self._port}/live"
        self.unplugged, self.frozen = threading.Event(), threading.Event()
        self.unplugged.set()
        self.asked: list[str] = []
        if plugged:
            self.plug()

    def plug(self) -> None:
        """Answer from now on, also after having been unplugged."""
        self.unplugged.clear()
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def unplug(self) -> None:
        """Break every connection off and refuse new ones."""
        self.unplugged.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer_all, args=(connection,), daemon=True).start()

    def _answer_all(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not self.unplugged.is_set():
                request = connection.recv(4096).decode(errors="replace")
                if not request:
                    return
                method = request.split(" ", 1)[0]
                self.asked.append(method)
                connection.sendall(self._answer(method, request).encode())
                if method == "PLAY":
                    self._play(connection)

    def _answer(self, method: str, request: str) -> str:
        sequence = next(line for line in request.split("\r\n") if line.lower().startswith("cseq"))
        head = f"RTSP/1.0 200 OK\r\n{sequence}\r\n"
        if method == "OPTIONS":
            return f"{head}Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
        if method == "DESCRIBE":
            return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
        if method == "SETUP":
            return f"{head}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n"
        return f"{head}Session: 1\r\n\r\n"

    def _play(self, connection: socket.socket) -> None:
        for number in range(10_000):
            if self.unplugged.wait(0.05):
                return
            if self.frozen.is_set():
                self.unplugged.wait(30)
            connection.sendall(self._packet(number))

    def _packet(self, number: int) -> bytes:
        """One picture in one RTP packet: type 1 (4:2:0), its quantisation tables in band (Q = 255)."""
        tables = b"".join(self._jpeg[at + 5 : at + 69] for at in self._markers(0xDB))
        start = self._markers(0xDA)[0]
        scan = self._jpeg[start + 2 + int.from_bytes(self._jpeg[start + 2 : start + 4]) : -2]
        header = bytes([0, 0, 0, 0, 1, 255, 64 // 8, 48 // 8]) + struct.pack(">BBH", 0, 0, len(tables))
        rtp = struct.pack(">BBHII", 0x80, 0x80 | 26, number & 0xFFFF, number * 4500, 1) + header + tables + scan
        return b"$\0" + struct.pack(">H", len(rtp)) + rtp

    def _markers(self, kind: int) -> list[int]:
        found, at = [], 2
        while at < len(self._jpeg) and self._jpeg[at + 1] != 0xDA:
            if self._jpeg[at + 1] == kind:
                found.append(at)
            at += 2 + int.from_bytes(self._jpeg[at + 2 : at + 4])
        return found if kind != 0xDA else [at]
