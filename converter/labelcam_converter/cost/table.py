# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The cost of a network for a person: a line for each layer that multiplies, then what it adds up to."""

from collections import Counter
from collections.abc import Iterator, Sequence

from .record import Cost, Layer

_BAR = 12
"""Columns of the longest bar."""

_EIGHTHS = " ▏▎▍▌▋▊▉"

Row = Sequence[str]


def print_cost(cost: Cost) -> None:
    """Print everything; the lines are at most 100 columns wide unless a layer's name is very long."""
    _print_columns([("layer", "kind", "output", "MACs", "", "parameters", "int8 KB"), *_layer_rows(cost)], "lllrlrr")
    if cost.separable:
        print("\nDepthwise separable convolutions and the standard ones they stand for")
        header = ("depthwise", "pointwise", "Dk", "M", "N", "Df²", "MACs", "standard", "1/N + 1/Dk²")
        _print_columns([header, *_pair_rows(cost)], "llrrrrrrr")
    print("\nMemory of the activations")
    _print_columns([("type", "at most", "in", "TFLite's arena", "without a delegate"), *_memory_rows(cost)], "lrlrr")
    print()
    for line in _summary(cost):
        print(line)


def _layer_rows(cost: Cost) -> Iterator[Row]:
    most = max((layer.macs for layer in cost.layers), default=0)
    shown = [layer for layer in cost.layers if layer.macs or layer.parameters]
    for layer in shown:
        bar = _bar(layer.macs / most) if most else ""
        yield (layer.name, layer.kind, _shape(layer), _millions(layer.macs), bar, f"{layer.parameters:,}", _kilo(layer))
    if rest := Counter(layer.kind for layer in cost.layers if layer not in shown):
        # In words, because they are many and cost next to nothing: ADD, PAD, MEAN, SOFTMAX, …
        yield (", ".join(f"{number} {kind}" for kind, number in rest.most_common()), *[""] * 6)


def _pair_rows(cost: Cost) -> Iterator[Row]:
    for pair in cost.separable:
        kernel = "x".join(map(str, pair.kernel))
        macs = (_millions(pair.macs), _millions(pair.standard_macs), f"{pair.ratio:.3f}")
        yield (pair.depthwise, pair.pointwise, kernel, str(pair.inputs), str(pair.outputs), str(pair.positions), *macs)


def _memory_rows(cost: Cost) -> Iterator[Row]:
    for need in cost.memory[1:]:  # the first is one of these again
        arenas = (_bytes(need.arena_bytes), _bytes(need.im2col_arena_bytes))
        yield (need.dtype, _bytes(need.peak_bytes), need.peak_layer, *arenas)


def _summary(cost: Cost) -> Iterator[str]:
    yield f"{cost.model}: {_millions(cost.macs)} MACs, {_millions(cost.parameters)} parameters"
    if cost.separable:
        standard, parameters = cost.standard_convolution_macs, cost.standard_convolution_parameters
        yield (
            f"with standard convolutions: {_millions(standard)} MACs, {standard / cost.macs:.1f} times as many, "
            f"and {_millions(parameters)} parameters"
        )
    if cost.uncounted:
        yield f"not counted, so that all figures are too low: {', '.join(cost.uncounted)}"
    yield "Batch norms count as what folding leaves of them: a bias for each channel, where Keras has four numbers."


def _print_columns(rows: Sequence[Row], alignment: str) -> None:
    widths = [max(map(len, column)) for column in zip(*(row for row in rows if row[1]), strict=True)]
    for row in rows:
        cells = (
            text.ljust(width) if side == "l" else text.rjust(width)
            for text, width, side in zip(row, widths, alignment, strict=True)
        )
        print("  ".join(cells).rstrip())


def _bar(part: float) -> str:
    """A bar of eighths of a column; whatever costs anything at all shows."""
    eighths = max(round(part * _BAR * 8), 1) if part else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _shape(layer: Layer) -> str:
    return "x".join(map(str, layer.output)) if layer.output[:2] != (1, 1) else str(layer.output[2])


def _kilo(layer: Layer) -> str:
    return f"{layer.values / 1000:,.1f}"


def _millions(number: int) -> str:
    return f"{number / 1e6:,.{2 if number < 1e7 else 1}f} M"


def _bytes(number: int) -> str:
    return f"{number / 1e6:.2f} MB" if number >= 1e6 else f"{number / 1e3:.1f} KB"
