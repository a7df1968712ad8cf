# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the tensors of a legacy PyTorch file, as torch.save wrote until 1.6, without PyTorch and without trust.

The file is five pickles (a magic number, a protocol version, the writer's sizes, the dictionary of tensors, the keys of
the storages) and then the storages, each a 64-bit count and the raw little-endian values. A pickle may name any
function of Python to be called; this reader knows four names, and behind them stand functions of its own.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001

Array = NDArray[Any]


class PickleRefused(ValueError):
    """The file is no legacy PyTorch file of plain tensors, or is damaged."""


class _Storage:
    """The values of one tensor or several; they stand at the end of the file."""

    def __init__(self, dtype: str, count: int) -> None:
        self.dtype = np.dtype(dtype)
        self.count = count
        self.data = b""


class _Tensor:
    """A view of a storage, whose values are not yet known while the pickle is read."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self._storage, self._offset, self._shape, self._strides = storage, offset, shape, strides

    def array(self) -> Array:
        dtype = self._storage.dtype
        steps = tuple(step * dtype.itemsize for step in self._strides)
        # numpy itself refuses a shape that reaches outside the values, whatever the pickle has put in here.
        return np.ndarray(self._shape, dtype, self._storage.data, self._offset * dtype.itemsize, steps).copy()


def _rebuild(storage: Any, offset: Any, shape: Any, strides: Any, *_rest: Any) -> _Tensor:
    """Stand in for torch._utils._rebuild_tensor_v2; whether a gradient is needed and its hooks are of no interest."""
    return _Tensor(storage, offset, shape, strides)


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}
"""Every name that a file may use, and what it gets for it."""


class _Reader(pickle.Unpickler):
    """An unpickler that knows four names and no other."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise PickleRefused(f"it asks for {module}.{name}, which no file of weights needs")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, count = pid[:5]
        if kind != "storage" or dtype not in ("<f4", "<i8") or not isinstance(count, int) or not isinstance(key, str):
            raise PickleRefused("it names values of an unknown kind")
        return self.storages.setdefault(key, _Storage(dtype, count))


def read_tensors(path: Path) -> dict[str, Array]:
    """Return the tensors of a legacy PyTorch file by name. Raises PickleRefused for any other file."""
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except (PickleRefused, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a damaged pickle makes the reader raise nearly anything
        raise PickleRefused(f"it is damaged ({type(error).__name__})") from None


def _read(file: BinaryIO, size: int) -> dict[str, Array]:
    if (_plain(file), _plain(file)) != (MAGIC, _PROTOCOL):
        raise PickleRefused("it is no legacy PyTorch file")
    _plain(file)  # the sizes of the writer's integers: of no use, the storages have sizes of their own
    reader = _Reader(file)
    tensors = reader.load()
    for key in _plain(file):
        _fill(reader.storages[key], file, size)
    if not isinstance(tensors, dict) or not all(isinstance(value, _Tensor) for value in tensors.values()):
        raise PickleRefused("it holds something else than a dictionary of tensors")
    return {str(name): tensor.array() for name, tensor in tensors.items()}


def _plain(file: BinaryIO) -> Any:
    """Read a pickle of nothing but numbers, texts, lists and dictionaries."""
    return _Reader(file).load()


def _fill(storage: _Storage, file: BinaryIO, size: int) -> None:
    (count,) = struct.unpack("<q", file.read(8))
    wanted = storage.count * storage.dtype.itemsize
    if count != storage.count or not 0 <= wanted <= size - file.tell():
        raise PickleRefused("it ends too early")
    storage.data = file.read(wanted)
