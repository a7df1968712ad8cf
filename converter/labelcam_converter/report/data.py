# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a report tells: plain figures, whoever measured them. Their names are those of its JSON.

One long list on purpose: it is the schema of the page and of the JSON, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """What became of the fidelity gate."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    """Below the limit, but on too few images to fail a build by."""

    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended, in one sentence for a person."""

    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what there is to say of it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the images, 0 to 1, with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often each network is right."""

    of_float: Share
    of_quantised: Share


@dataclass(frozen=True, slots=True)
class Answer:
    """One label of a network's answer."""

    label: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Worst:
    """An image on which the two are far apart."""

    image: str
    """The name of its file, without any folder."""

    of_float: tuple[Answer, ...]
    """Best first, as is the next."""

    of_quantised: tuple[Answer, ...]
    right: str | None = None
    """Its label, where the folders' names are labels."""

    kl: float | None = None
    """Nats."""

    thumbnail: str | None = None
    """The image itself as a data: address; only where the builder asked for it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """How loud the quantisation's noise is behind one layer."""

    name: str
    kind: str
    """The operation, as TFLite calls it."""

    sqnr_db: float | None
    """Signal to noise, in decibels; None where there is no noise at all."""

    channel_db: float
    """The same in the median channel: what one loud channel hides."""

    lost_db: float
    """How much worse the median channel is than in what the layer was fed."""

    broken: bool = False
    """It is one of those in which the signal breaks down."""


@dataclass(frozen=True, slots=True)
class Point:
    """What both networks say of one image."""

    image: str
    of_float: float
    """The score of the float network's best label."""

    of_quantised: float
    """The quantised network's score of the same label."""

    agreed: bool
    """That label is the quantised network's best as well."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How well the quantised network still answers like float."""

    images: int
    held_out: bool | None
    """True: none of these images was calibrated on; None where that is not known."""

    top1_agreement: Share
    top5_agreement: Share | None
    kl: float
    """KL(float || int8) in nats, mean over the images."""

    limit: float | None
    """The agreement that was asked for."""

    accuracy: Accuracy | None = None
    accuracy_note: str | None = None
    """Why there is no accuracy, or not of every image."""

    layers: tuple[Layer, ...] = ()
    """From input to output."""

    points: tuple[Point, ...] = ()
    worst: tuple[Worst, ...] = ()
    """The furthest apart first."""

    broken_db: float = 6.0
    """With less in its median channel, a layer's signal is called broken."""


@dataclass(frozen=True, slots=True)
class CostLayer:
    """What one layer costs."""

    name: str
    kind: str
    output: tuple[int, ...]
    macs: int
    """Multiply-accumulate operations of one inference."""

    parameters: int


@dataclass(frozen=True, slots=True)
class Separable:
    """A depthwise separable convolution, against the standard one that it stands for."""

    name: str
    kernel: tuple[int, int]
    channels: tuple[int, int]
    """In and out."""

    macs: int
    standard_macs: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one inference costs."""

    macs: int
    parameters: int
    standard_convolution_macs: int
    """The same network with a standard convolution in place of every depthwise separable one."""

    activation_bytes_peak: int
    """The most that lives at one time, in the quantised network; so with the next."""

    arena_bytes: int
    """What TFLite's planner makes of it."""

    layers: tuple[CostLayer, ...] = ()
    separable: tuple[Separable, ...] = ()


@dataclass(frozen=True, slots=True)
class Clipped:
    """Values of a layer that lie outside the range it was given."""

    name: str
    share: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How the pixels of all images are spread from 0 to 255."""

    name: str
    mean: float
    """0 to 1."""

    bins: tuple[float, ...]
    """Of equal width; shares of the pixels."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration card: on what the ranges were measured."""

    facts: tuple[Fact, ...]
    warnings: tuple[str, ...] = ()
    """What makes these images poor ones, a sentence each."""

    classes: Mapping[str, int] = field(default_factory=dict)
    """Images that were used of each class."""

    dropped: Mapping[str, int] = field(default_factory=dict)
    """Images that were not, by reason."""

    histograms: tuple[Histogram, ...] = ()
    """Of the brightness, of red, of green and of blue."""

    clipped: tuple[Clipped, ...] = ()
    """The layers that have any, from input to output."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Operations of one kind, and where they run."""

    op: str
    count: int
    on_tpu: bool
    reason: str
    """What the compiler says of them."""


@dataclass(frozen=True, slots=True)
class EdgeTpu:
    """What the Edge TPU's compiler made of the network."""

    ops: tuple[Mapped, ...]
    words: str = ""
    """One sentence more: the compiler's version, the memory on the chip, or why it refused."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a network says of images whose labels are known."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """A row for each right label, a column for each answer."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training images."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A validation image that the network takes for something else."""

    image: str
    right: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Training:
    """How a network was trained."""

    facts: tuple[Fact, ...]
    accuracy: Share
    """On the validation images."""

    classes: Mapping[str, int]
    """Images that it learned from, of each label."""

    epochs: tuple[Epoch, ...]
    best: int
    """Number of the epoch whose weights were kept, from 1."""

    mistakes: tuple[Mistake, ...] = ()
    """The surest first."""


@dataclass(frozen=True, slots=True)
class Licence:
    """Where a part comes from, and on what terms."""

    part: str
    source: str
    licence: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page; what is None or empty has no section there."""

    kind: Literal["build", "compare", "train"]
    title: str
    """The network."""

    scheme: str
    """In full words."""

    short: str
    """The scheme's short name, such as int8."""

    verdict: Verdict | None
    advice: tuple[str, ...] = ()
    """What helps, a sentence each."""

    facts: tuple[Fact, ...] = ()
    float_bytes: int | None = None
    """Size of the float network, as .tflite."""

    model_bytes: int | None = None
    """Size of the quantised network, without labels and goldens."""

    fidelity: Fidelity | None = None
    cost: Cost | None = None
    calibration: Calibration | None = None
    edgetpu: EdgeTpu | None = None
    training: Training | None = None
    confusion: Confusion | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By stage."""

    tools: Mapping[str, str] = field(default_factory=dict)
    """Versions by name."""

    licences: tuple[Licence, ...] = ()
    command: str = ""
    """What to type to get the same again."""
