# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The figures as one HTML page that asks no network for anything."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ..web.sheet import sheet
from .data import SHARES, Measurement
from .energies import metered
from .figures import Run, best, method_line, verdict
from .host import busy
from .interval import Interval

_COLOURS = 8
"""As many as our pages' style has; more configurations begin again, dashed."""


def to_html(measurement: Measurement, found: Sequence[Run]) -> str:
    """Return the page."""
    chosen = best(found)
    parts = {
        "command": "profile",
        "about": "What an inference takes",
        "title": escape(str(measurement.host.get("board", "a machine"))),
        "scheme": escape(_system(measurement)),
        "verdict": _verdict(found, chosen),
        "keys": "".join(_keys(found)),
        "table": _table(found, chosen),
        "trouble": "".join(_trouble(measurement, found)),
        "energy_class": "" if any(run.energy for run in found) else "absent",
        "time_class": "" if _has_time(measurement) else "absent",
        "power_class": "" if metered(measurement) else "absent",
        "no_energy": escape("; ".join(dict.fromkeys(run.no_energy for run in found if run.no_energy))),
        "method": escape(method_line(measurement)),
        "facts": "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in _facts(measurement)),
    }
    return sheet(_file("page.html"), parts, _figures(measurement, found), "", _file("plots.js"))


def _figures(measurement: Measurement, found: Sequence[Run]) -> dict[str, Any]:
    """What the plots need."""
    numbers = {id(run): number for number, run in enumerate(found)}
    by_configuration = {run.windows[0].configuration: numbers[id(run)] for run in found}
    return {
        "shares": SHARES,
        "runs": [
            {
                "name": run.configuration.name,
                "valid": run.valid,
                "quantiles": [round(ms, 5) for ms in run.quantiles_ms()],
                "p50": run.latency_ms["p50"].as_json(),
                "whole": run.energy and run.energy.whole_mj.as_json(),
                "marginal": run.energy and run.energy.marginal_mj.as_json(),
            }
            for run in found
        ],
        "idles": measurement.idles,
        "windows": [[w.begun_s, w.ended_s, by_configuration[w.configuration]] for w in measurement.windows],
        "points": [[p.at_s, p.watts, p.celsius, p.mhz, p.throttled] for p in measurement.points],
    }


def _system(measurement: Measurement) -> str:
    host = measurement.host
    return f"{host.get('runtime')} on {host.get('system')}, {host.get('cores')} cores"


def _verdict(found: Sequence[Run], chosen: Run | None) -> str:
    if chosen is None:
        return '<p class="verdict bad"><strong>No configuration is valid.</strong> The reasons stand below.</p>'
    what = escape(verdict(found, chosen))
    cost = f"{chosen.latency_ms['p50']} ms"
    if chosen.energy:
        cost += f" and {chosen.energy.whole_mj} mJ of the whole board ({chosen.energy.marginal_mj} mJ above idle)"
    name = escape(chosen.configuration.name)
    return f'<p class="verdict"><strong>{name}</strong> {what}: {cost} for an inference.</p>'


def _keys(found: Sequence[Run]) -> Iterator[str]:
    for number, run in enumerate(found):
        dashed = " dashed" if number >= _COLOURS else ""
        mark = f'<i class="c{number % _COLOURS}{dashed}"></i>'
        yield f'<span class="key">{mark}{escape(run.configuration.name)}</span>'


def _table(found: Sequence[Run], chosen: Run | None) -> str:
    energy = any(run.energy for run in found)
    heads = [
        "p50 <small>ms</small>",
        "p90",
        "p95",
        "p99",
        "first <small>ms</small>",
        "start <small>ms</small>",
        "memory <small>MB</small>",
    ]
    heads += ["marginal <small>mJ</small>", "whole board <small>mJ</small>", "power <small>W</small>"] if energy else []
    rows = "".join(_table_row(run, run is chosen, energy) for run in found)
    head = "".join(f'<th scope="col" class="number">{head}</th>' for head in heads)
    return f'<table><thead><tr><th scope="col">Configuration</th>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _table_row(run: Run, chosen: bool, energy: bool) -> str:
    cells = [_cell(run.latency_ms[name]) for name in ("p50", "p90", "p95", "p99")]
    cells += [_cell(run.first_ms), _cell(run.start_ms), f"{run.peak_mb:.0f}"]
    if energy:
        told = run.energy
        cells += [_cell(told.marginal_mj), _cell(told.whole_mj), _cell(told.watts)] if told else ["", "", ""]
    kind = "bad" if run.faults else "best" if chosen else ""
    said = " <small>invalid</small>" if run.faults else " <small>best</small>" if chosen else ""
    taken, total = run.windows[0].delegated_ops
    which = f"{run.windows[0].delegate}, {taken} of {total} operations" if taken else "built-in kernels"
    name = f'{escape(run.configuration.name)}{said}<span class="under">{escape(which)}</span>'
    return (
        f'<tr class="{kind}"><th scope="row">{name}</th>'
        + "".join(f'<td class="number">{c}</td>' for c in cells)
        + "</tr>"
    )


def _cell(interval: Interval) -> str:
    value, _, half = str(interval).partition(" ± ")
    return f'{value}<span class="under">{"± " + half if half else ""}</span>'


def _trouble(measurement: Measurement, found: Sequence[Run]) -> Iterator[str]:
    if warning := busy(measurement.host):
        yield f'<li class="bad">{escape(warning)}</li>'
    for run in found:
        for text in run.faults:
            yield f'<li class="bad"><b>{escape(run.configuration.name)}</b> is invalid: {escape(text)}.</li>'
        for text in run.remarks:
            yield f"<li><b>{escape(run.configuration.name)}</b>: {escape(text)}.</li>"
    for number, why in measurement.failures.items():
        name = escape(measurement.configurations[number].name)
        yield f'<li class="bad"><b>{name}</b> could not be run: {escape(why)}</li>'


def _facts(measurement: Measurement) -> Iterator[tuple[str, object]]:
    yield from ((name.replace("_", " "), value) for name, value in measurement.host.items() if value is not None)
    for configuration in {one.model: one for one in measurement.configurations}.values():
        yield configuration.model.rsplit("/", 1)[-1], f"sha256 {configuration.sha256[:16]}…"


def _has_time(measurement: Measurement) -> bool:
    return any(value is not None for point in measurement.points for value in (point.watts, point.celsius, point.mhz))


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")
