# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A report with every section there is, in which every name is out to break the page."""

from labelcam_converter.report import data

HOSTILE = (
    '<script>document.title="broken"</script>',
    "</script><img src=x onerror=\"document.title='broken'\">",
    "\"quotes\" & 'ticks' & &amp; {{ 7 * 7 }}",
    "חתול 🐈 \u202etxt.gpj",
    "<!--",
    "new\nline",
)


def share(count: int, of: int = 60) -> data.Share:
    return data.Share(count / of, max(0.0, count / of - 0.05), min(1.0, count / of + 0.05))


def hostile_report() -> data.Report:
    """A report with every section there is, in which every name is out to break the page."""
    names = HOSTILE
    layers = tuple(
        data.Layer(f"{name} {number}", "CONV_2D", 40.0 - 5 * number, 38.0 - 5 * number, 5.0, number == 4)
        for number, name in enumerate(names)
    )
    points = tuple(data.Point(f"{n}.jpg", 0.4 + n / 100, 0.99 - n / 100, n % 9 > 0) for n in range(60))
    answers = tuple(data.Answer(name, 0.3) for name in names[:3])
    worst = tuple(data.Worst(name, answers, answers[::-1], right=name, kl=0.5) for name in names)
    kinds = ("convolution", "depthwise", "pointwise", "dense", "mean", "add")
    costs = tuple(
        data.CostLayer(f"{name} {number}", kind, (8, 8, 16), 1000 * (number + 1), 100)
        for number, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    bins = tuple(float(number) for number in range(16))
    return data.Report(
        kind="build",
        title=names[0],
        scheme=names[2],
        short="int8",
        verdict=data.Verdict(data.State.FAILED, f"{names[1]}."),
        advice=names,
        facts=(data.Fact("labels", names[3]),),
        float_bytes=13_980_000,
        model_bytes=4_020_000,
        fidelity=data.Fidelity(
            60,
            True,
            share(53),
            share(59),
            0.0162,
            0.9,
            data.Accuracy(share(50), share(49)),
            "so it is",
            layers,
            points,
            worst,
        ),
        cost=data.Cost(21_000, 600, 130_000, 4096, 6144, costs, (data.Separable(names[0], (3, 3), (8, 16), 10, 90),)),
        calibration=data.Calibration(
            (data.Fact("source", names[1]),),
            (names[0],),
            {name: 3 + number for number, name in enumerate(names)},
            {"cannot be read": 2},
            tuple(data.Histogram(name, 0.4, bins) for name in ("brightness", "red", "green", "blue")),
            tuple(data.Clipped(layer.name, 0.001 * number) for number, layer in enumerate(layers)),
        ),
        edgetpu=data.EdgeTpu((data.Mapped("CONV_2D", 3, True, "fine"), data.Mapped(names[0], 1, False, names[1]))),
        training=data.Training(
            (data.Fact("images", "60"),),
            share(50),
            dict.fromkeys(names, 10),
            tuple(data.Epoch(1.0 / n, 1 - 0.4 / n, 1.1 / n, 1 - 0.5 / n) for n in range(1, 9)),
            7,
            tuple(data.Mistake(name, name, answers[0]) for name in names),
        ),
        confusion=data.Confusion(names, tuple(tuple(9 if r == c else r % 2 for c in range(6)) for r in range(6))),
        seconds={"describe": 0.1, "compare": 11.4},
        tools={"labelcam": "0.0"},
        licences=(data.Licence("weights", names[1], names[2], "ab" * 32),),
        command=f"labelcam-convert build --model '{names[0]}'",
    )
