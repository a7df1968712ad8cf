# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network on the Edge TPU with the CPU's twin behind it: whatever becomes of the stick, every frame is answered.

The twin is loaded all the time. Where the Edge TPU fails a frame, the twin answers that very frame, and goes on until a
thread in the background has the Edge TPU answering again; the change back comes between two frames.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from ..network import Array, Delegation, Network
from .faults import EdgeTpuFault
from .isolated import IsolatedNetwork
from .machine import Backoff
from .proof import Proof
from .usb import Coral

log = logging.getLogger(__name__)


class FallbackNetwork:
    """Runs on the Edge TPU, or else on the CPU. One thread writes, invokes and reads; another may ask and close."""

    def __init__(
        self,
        twin: Network,
        start: Callable[[], IsolatedNetwork],
        sticks: Callable[[], tuple[Coral, ...]],
        proof: Proof,
        *,
        insist: bool,
        backoff: Backoff,
    ) -> None:
        """Take the Edge TPU now if it can be had and passes the proof, else begin on the twin and go on trying.

        `start` raises EdgeTpuFault while there is none. Without `insist` it is only called while a stick is seen.
        """
        self._twin, self._start, self._sticks, self._proof = twin, start, sticks, proof
        self._insist, self._backoff = insist, backoff
        self.input, self.output, self.threads, self.quantised = twin.input, twin.output, twin.threads, twin.quantised
        self._tpu: IsolatedNetwork | None = None
        self._next: IsolatedNetwork | None = None
        self._pause_s, self._since_s = backoff.first, 0.0
        self._ports: set[str] = set()
        self._closed = threading.Event()
        self._delegation = twin.delegation()
        try:
            self._next = self._started()
        except EdgeTpuFault as failure:
            self._tell(twin, str(failure), fell=insist)
            self._seek()
        else:
            self._take_up()

    def write(self, values: Array) -> None:
        if self._next is not None:
            self._take_up()
            log.info("edgetpu-back fallbacks=%d", self._delegation.fallbacks)
        (self._tpu or self._twin).write(values)

    def invoke(self) -> None:
        """Run on what was written, on the twin if the Edge TPU fails."""
        if self._tpu is not None:
            try:
                self._tpu.invoke()
            except EdgeTpuFault as failure:
                self._fall_back(self._tpu, str(failure))
        if self._tpu is None:
            self._twin.invoke()

    def read(self) -> Array:
        return (self._tpu or self._twin).read()

    def delegation(self) -> Delegation:
        return self._delegation

    def close(self) -> None:
        self._closed.set()
        for network in (self._tpu, self._next):
            if network is not None:
                network.close()

    def _take_up(self) -> None:
        self._tpu, self._next = self._next, None
        self._since_s = time.monotonic()
        self._tell(self._tpu or self._twin)

    def _fall_back(self, tpu: IsolatedNetwork, reason: str) -> None:
        """Have the twin answer what the Edge TPU did not."""
        self._twin.write(tpu.written)
        self._tpu = None
        if time.monotonic() - self._since_s >= self._backoff.steady:
            self._pause_s = self._backoff.first
        self._tell(self._twin, reason, fell=True)
        log.warning("%s; meanwhile the CPU twin answers, and the Edge TPU is tried again", reason)
        self._seek()

    def _tell(self, running: Network, reason: str = "", *, fell: bool = False) -> None:
        before = self._delegation
        self._delegation = replace(
            running.delegation(), fallbacks=before.fallbacks + fell, reason=reason or before.reason
        )

    def _seek(self) -> None:
        threading.Thread(target=self._seek_on, name="edgetpu", daemon=True).start()

    def _seek_on(self) -> None:
        """Try again, ever more rarely, until it answers or nobody waits for it."""
        while self._wait(self._pause_s):
            self._pause_s = min(2 * self._pause_s, self._backoff.longest)
            try:
                found = self._started()
            except EdgeTpuFault as failure:
                if str(failure) != self._delegation.reason:
                    log.info("edgetpu-away reason=%r", str(failure))
                    self._tell(self._twin, str(failure))
            else:
                self._next = found
                if self._closed.is_set():
                    found.close()
                return

    def _wait(self, seconds: float) -> bool:
        """Wait so long, or until a stick is plugged in; False if nobody waits for the Edge TPU any more."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._closed.wait(min(left, self._backoff.look)):
                return False
            before, self._ports = self._ports, self._seen()
            if self._ports - before:
                self._pause_s = self._backoff.first  # udev may not have given us the stick yet
                break
        return True

    def _seen(self) -> set[str]:
        """The ports that a stick is plugged into; one that only starts anew, for lack of power, stays on its own."""
        return {stick.port for stick in self._sticks()}

    def _started(self) -> IsolatedNetwork:
        """Start the Edge TPU. Raises EdgeTpuFault if it cannot be used."""
        self._ports = self._seen()
        if not (self._insist or self._ports):
            raise EdgeTpuFault("no Coral USB Accelerator is plugged in; plug one in, into a USB 3 port")
        network = self._start()
        try:
            wrong = self._wrong(network)
            if wrong:
                raise EdgeTpuFault(wrong)
        except EdgeTpuFault:
            network.close()
            raise
        return network

    def _wrong(self, network: IsolatedNetwork) -> str:
        for own, twins in ((network.input, self.input), (network.output, self.output)):
            if (own.shape, own.dtype, own.scale, own.zero_point) != (
                twins.shape,
                twins.dtype,
                twins.scale,
                twins.zero_point,
            ):
                return f"the compiled network's {own.name} is not like its CPU twin's; build the file again"
        return self._proof.against(network)
