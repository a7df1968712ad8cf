# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam journal`: the record of every minute, as a table, as JSON lines, or as a page."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..console import facts, note, table
from ..errors import LabelcamError, UsageError
from ..settings import load_settings
from ..whole_file import write_whole
from .entry import Entry
from .place import folder_to_read
from .reading import LAST_HOUR, chosen, entries, since_of
from .telling import HEADER, amounts, counted, news, rows


def journal(settings: Path | None, folder: Path | None, since: str | None, html: Path | None, *, as_json: bool) -> int:
    """Show what was recorded since then; of the last hour that was recorded, if nobody says since when."""
    if html and html.suffix != ".html":  # a slip would cost some other file
        raise UsageError(f"--html {html}: is to end with .html; name it {html.stem}.html")
    if html and not html.absolute().parent.is_dir():
        raise UsageError(f"--html {html}: its folder does not exist; make it first")
    place = folder or folder_to_read(load_settings(settings).journal.folder)
    wanted = LAST_HOUR if since is None else since_of(since, datetime.now(UTC))
    every = entries(place)
    found = chosen(every, wanted)
    if not found:
        last = f"; the last is of {every[-1].time.astimezone():%Y-%m-%d %H:%M}" if every else ""
        raise LabelcamError(f"{place}: no entry since then{last}; try --since all")
    if html:
        _write(html, found)
    if as_json:
        for entry in found:
            print(json.dumps(entry.as_json()))
    elif not html:
        _print(found)
    return 0


def _print(found: Sequence[Entry]) -> None:
    filled = list(rows(found))
    # A column of which nothing is known is not worth its room.
    kept = [n for n in range(len(HEADER)) if any(row[n] for row in filled)]
    table([[row[n] for n in kept] for row in filled], [HEADER[n] for n in kept])
    print()
    facts(list(amounts(found)))
    if said := list(news(found)):
        print()
        facts(said)


def _write(path: Path, found: Sequence[Entry]) -> None:
    from .page import to_html

    try:
        write_whole(path, [to_html(found)])
    except OSError as error:
        raise LabelcamError(f"--html {path}: cannot be written ({error.strerror}); make room") from None
    note(f"{path}: {counted(len(found), 'minute')}")
