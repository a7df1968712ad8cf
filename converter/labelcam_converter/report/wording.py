# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as people read them: short, rounded, and never rounded to all or nothing."""

from dataclasses import dataclass

from .data import Report


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the large figures at the top."""

    figure: str
    name: str
    note: str = ""


def percent(share: float) -> str:
    """Return 0.933 as 93.3%; what is nearly all or nearly nothing is never rounded to all or nothing."""
    if 0.9995 <= share < 1:
        return "over 99.9%"
    if 0 < share < 0.0005:
        return "under 0.1%"
    return f"{share:.1%}"


def si(number: float) -> str:
    """Return 300774272 as 300.8 M."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size * 0.9995:
            return f"{number / size:.{1 if number >= 10 * size else 2}f} {sign}"
    return f"{number:g}"


def size(count: int) -> str:
    """Return a number of bytes as 4.02 MB; a MB is 10^6 bytes."""
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def grouped(number: int) -> str:
    """Return 300774272 as 300 774 272, with spaces that do not break."""
    return f"{number:,}".replace(",", "\u202f")


def headlines(report: Report) -> list[Headline]:
    """Return the large figures at the top, the most asked for first."""
    shown: list[Headline] = []
    found = report.fidelity
    if found:
        share = found.top1_agreement
        shown.append(
            Headline(percent(share.value), "same label as float", f"95%: {percent(share.low)} to {percent(share.high)}")
        )
        if found.accuracy:
            of_float, of_quantised = found.accuracy.of_float.value, found.accuracy.of_quantised.value
            shown.append(Headline(percent(of_quantised), f"right ({report.short})", f"float: {percent(of_float)}"))
    shown += _trained(report)
    if report.model_bytes:
        shown.append(Headline(size(report.model_bytes), "size", _against(report.float_bytes, report.model_bytes)))
    if found:
        shown.append(Headline(f"{found.kl:.4f}", "KL divergence", "nats; 0 is no difference"))
    if report.cost:
        shown.append(Headline(si(report.cost.macs), "MACs an image", f"{si(report.cost.parameters)} parameters"))
    return shown


def _against(float_bytes: int | None, model_bytes: int) -> str:
    if float_bytes is None:
        return ""
    times = float_bytes / model_bytes
    return f"float: {size(float_bytes)}" + (f", {times:.1f} times as much" if times >= 1.05 else "")


def _trained(report: Report) -> list[Headline]:
    if not report.training:
        return []
    run = report.training
    right = run.accuracy
    return [
        Headline(percent(right.value), "right", f"95%: {percent(right.low)} to {percent(right.high)}"),
        Headline(str(sum(run.classes.values())), "images to learn from", f"of {len(run.classes)} labels"),
        Headline(str(run.best), "epochs", f"the best of {len(run.epochs)}"),
    ]
