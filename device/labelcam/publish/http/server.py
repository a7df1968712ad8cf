# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The life of the server: an event loop on a thread of its own, a port that may be taken, an end within a second."""

import asyncio
import logging
import threading
from contextlib import suppress

from aiohttp import web

from ...settings import HttpSettings
from .bell import Bell
from .door import Connection
from .guard import Guard

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""Between attempts to listen on a port that is taken."""

GOODBYE_S = 0.3
"""What answers may still take when we end."""

LINE_BYTES = 4096
"""Of the request line, and of one header."""


class Server:
    """Listens as long as it can, and never harms whoever started it."""

    def __init__(self, app: web.Application, guard: Guard, bell: Bell, settings: HttpSettings) -> None:
        self._app, self._guard, self._bell = app, guard, bell
        self._host, self._port = settings.host, settings.port
        self._stop = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Begin; the port may come later."""
        self._thread.start()

    def stop(self) -> None:
        """End, viewers or not, within a second."""
        self._stop.set()
        if self._loop and self._stopping:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(3 * GOODBYE_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            log.warning("window-ended reason=%r", str(error))
            log.debug("window-ended", exc_info=True)

    async def _serve(self) -> None:
        self._stopping, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._stop.is_set():
            return
        self._bell.hang(self._loop)
        # aiohttp would log every malformed request: anybody could fill the disk.
        quiet = logging.getLogger(f"{__name__}.aiohttp")
        quiet.setLevel(logging.CRITICAL + 1)
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=quiet,
            handler_cancellation=True,
            keepalive_timeout=75.0,
            lingering_time=1.0,
            max_line_size=LINE_BYTES,
            max_field_size=LINE_BYTES,
            shutdown_timeout=GOODBYE_S,
        )
        await runner.setup()
        try:
            if listening := await self._listen(runner):
                await self._stopping.wait()
                listening.close()
        finally:
            self._bell.closing = True
            self._bell.ring()
            asyncio.get_running_loop().call_later(GOODBYE_S, self._guard.door.clear)
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server | None:
        """Return the server once it listens; None if we are to end before."""
        make, door, warned = runner.server, self._guard.door, False
        while make and self._stopping and not self._stopping.is_set():
            try:
                server = await asyncio.get_running_loop().create_server(
                    lambda: Connection(make(), door), self._host, self._port
                )
            except OSError as error:
                if not warned:
                    why = error.strerror or str(error)
                    log.warning("window-closed address=%s:%d reason=%r; trying again", self._host, self._port, why)
                warned = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S):
                        await self._stopping.wait()
                continue
            self.port = int(server.sockets[0].getsockname()[1])
            where = f"[{self._host}]" if ":" in self._host else self._host
            log.info("window-open url=http://%s:%d/", where, self.port)
            return server
        return None
