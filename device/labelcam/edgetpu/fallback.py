# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network on the Edge TPU with the CPU's twin behind it: whatever becomes of the stick, every frame is answered.

The twin is loaded all the time. Where the Edge TPU fails a frame, the twin answers that very frame, and goes on until a
thread in the background has the Edge TPU answering again; the change back comes between two frames.
"""

import logging
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace

from ..network import Array, Delegation, Network
from . import tenure
from .attempts import Attempts
from .faults import EdgeTpuFault
from .isolated import IsolatedNetwork
from .proof import Proof

log = logging.getLogger(__name__)

ABSENT = "no Coral USB Accelerator is plugged in; plug one in, into a USB 3 port"
TAKEN = "a newer model has the Edge TPU; it comes back when that one goes"
KEPT = "the model before does not let go of the Edge TPU; it does with its next frame"
GIVE_WAY_S = 2.0


class FallbackNetwork:
    """Runs on the Edge TPU, or else on the CPU. One thread writes, invokes and reads; others may ask and close."""

    def __init__(
        self, twin: Network, start: Callable[[], IsolatedNetwork], attempts: Attempts, proof: Proof, *, insist: bool
    ) -> None:
        """Take the Edge TPU now if it can be had and passes the proof, else begin on the twin and go on trying.

        `start` raises EdgeTpuFault while there is none. Without `insist` it is only called while a stick is seen.
        """
        self._twin, self._start, self._attempts, self._proof, self._insist = twin, start, attempts, proof, insist
        self.input, self.output, self.threads, self.quantised = twin.input, twin.output, twin.threads, twin.quantised
        self._tpu: IsolatedNetwork | None = None
        self._next: IsolatedNetwork | None = None
        self._closed, self._left = threading.Event(), threading.Event()
        self._wanted, self._given = threading.Event(), threading.Event()
        self._delegation = twin.delegation()
        tenure.enter(self)
        try:
            self._next = self._started()
        except EdgeTpuFault as failure:
            self._tell(twin, str(failure), fell=insist)
            self._seek()
        else:
            self._take_up()

    def write(self, values: Array) -> None:
        if self._wanted.is_set():
            self._step_aside()
        elif self._next is not None:
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
        # The child takes a while to let go of the stick; the next frame of whoever closes us must not wait for that.
        self._closed.set()
        threading.Thread(target=self._leave, name="edgetpu-leaves").start()

    def _leave(self) -> None:
        for network in (self._tpu, self._next):
            if network is not None:
                network.close()
        tenure.leave(self)
        self._left.set()

    def give_way(self) -> bool:
        """Have the thread that asks us let go of the Edge TPU, for a newer network of this process."""
        if self._closed.is_set():
            return self._left.wait(GIVE_WAY_S)
        if self._tpu is None and self._next is None:
            return True
        held = self._tpu, self._next
        self._given.clear()
        self._wanted.set()
        if not self._given.wait(GIVE_WAY_S):
            return False
        for network in held:
            if network is not None:
                network.close()
        return True

    def _step_aside(self) -> None:
        self._tpu = self._next = None
        self._tell(self._twin, TAKEN)
        log.info("edgetpu-given-way")
        self._wanted.clear()
        self._given.set()
        self._attempts.end()
        self._seek()

    def _take_up(self) -> None:
        self._tpu, self._next = self._next, None
        self._tell(self._tpu or self._twin)

    def _fall_back(self, tpu: IsolatedNetwork, reason: str) -> None:
        """Have the twin answer what the Edge TPU did not."""
        self._twin.write(tpu.written)
        self._tpu = None
        if self._closed.is_set():  # a last frame, which was prepared for us before
            return
        self._tell(self._twin, reason, fell=True)
        log.warning("%s; meanwhile the CPU twin answers, and the Edge TPU is tried again", reason)
        self._attempts.end()
        self._seek()

    def _tell(self, running: Network, reason: str = "", *, fell: bool = False) -> None:
        before = self._delegation
        self._delegation = replace(
            running.delegation(), fallbacks=before.fallbacks + fell, reason=reason or before.reason
        )

    def _seek(self) -> None:
        threading.Thread(target=_seek_for, args=(weakref.ref(self),), name="edgetpu", daemon=True).start()

    def _sought(self) -> "threading.Event | None":
        """Try again if that is due; return what ends the wait for the next time, None if there is to be none."""
        if self._closed.is_set():
            return None
        if self._delegation.reason == TAKEN and tenure.is_newest(self):
            self._attempts.hasten()
        if not self._attempts.are_due():
            return self._closed
        try:
            found = self._started()
        except EdgeTpuFault as failure:
            if str(failure) != self._delegation.reason:
                log.info("edgetpu-away reason=%r", str(failure))
                self._tell(self._twin, str(failure))
            return self._closed
        self._next = found
        if self._closed.is_set():
            found.close()
        return None

    def _started(self) -> IsolatedNetwork:
        """Start the Edge TPU. Raises EdgeTpuFault if it cannot be used."""
        seen = self._attempts.begin()
        try:
            if not tenure.is_newest(self):
                raise EdgeTpuFault(TAKEN)
            if not (self._insist or seen):
                raise EdgeTpuFault(ABSENT)
            if not tenure.claim(self):
                raise EdgeTpuFault(KEPT)
            return self._proven(self._start())
        except EdgeTpuFault:
            self._attempts.end()
            raise

    def _proven(self, network: IsolatedNetwork) -> IsolatedNetwork:
        try:
            if wrong := self._unlike(network) or self._proof.against(network):
                raise EdgeTpuFault(wrong)
        except EdgeTpuFault:
            network.close()
            raise
        return network

    def _unlike(self, network: IsolatedNetwork) -> str:
        for own, twins in ((network.input, self.input), (network.output, self.output)):
            if (own.shape, own.dtype) != (twins.shape, twins.dtype) or own.scale != twins.scale:
                return f"the compiled network's {own.name} is not like its CPU twin's; build the file again"
        return ""


def _seek_for(network: "weakref.ref[FallbackNetwork]") -> None:
    """Try until it answers or nobody waits for it: a network that was dropped is not kept by its search."""
    while (waiting := network()) is not None and (ends := waiting._sought()) is not None:
        sleep_s = waiting._attempts.sleep_s()
        del waiting
        if ends.wait(sleep_s):
            return
