# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What can be held to be there: a network's labels, those of a group as one, less what the settings leave out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from .errors import SettingsError
from .scores import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Groups first, then every label that is in none."""

    names: tuple[str, ...]
    order: NDArray[np.intp] | None
    """The outputs of the network, those of the first group first; None where there are no groups."""

    starts: NDArray[np.intp]
    """Where each group begins in `order`."""

    grouped: int
    """Outputs that are in groups."""

    handicap: Scores | None
    """To add to the scores so that what may not enter is never best; None where everything may."""

    def choices(self) -> int:
        """Return how many may enter, each group as one."""
        return len(self.names) if self.handicap is None else int(np.count_nonzero(self.handicap == 0))

    def sentence(self) -> str:
        """Return how many of the network's labels may enter, each as one."""
        groups = len(self.starts)
        more_than_candidates = self.grouped - groups  # a group is only of labels that may enter
        told = f"{self.choices() + more_than_candidates} of {len(self.names) + more_than_candidates} labels may enter"
        return f"{told}, {self.grouped} of them in {groups} group{'s' * (groups > 1)}" if groups else told

    def merged(self, scores: Scores) -> Scores:
        """Return one score per candidate; a group's is the sum of its labels'."""
        if self.order is None:
            return scores
        ordered = scores.take(self.order)
        sums = np.minimum(np.add.reduceat(ordered[: self.grouped], self.starts), 1.0)
        return np.concatenate((sums, ordered[self.grouped :]))

    def open_to(self, scores: Scores) -> Scores:
        """Return the candidates' scores, far below 0 where one may not enter."""
        return scores if self.handicap is None else scores + self.handicap


def choose(
    labels: Sequence[str], allow: Sequence[str], deny: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> Candidates:
    """Return the candidates that the settings leave of a network's labels.

    An entry of a list or group is a label, a pattern with * and ?, or 'A .. B' for all labels from A to B; one of
    `allow` and `deny` may also name a group. Raises SettingsError with every entry that names nothing.
    """
    problems: list[str] = []
    members = {name: _all(entries, labels, {}, f"groups.{name!r}", problems) for name, entries in groups.items()}
    allowed = _all(allow, labels, members, "allow", problems) if allow else set(range(len(labels)))
    allowed -= _all(deny, labels, members, "deny", problems)
    if not problems and not allowed:
        problems.append("allow and deny leave no label that could enter; shorten deny")
    if problems:
        raise SettingsError("[decision] " + "; ".join(problems))
    merged = {name: sorted(found & allowed) for name, found in members.items() if found & allowed}
    _refuse_overlaps(merged, labels)
    in_groups = [index for found in merged.values() for index in found]
    alone = sorted(set(range(len(labels))) - set(in_groups))
    may_enter = [True] * len(merged) + [index in allowed for index in alone]
    return Candidates(
        names=(*merged, *(labels[index] for index in alone)),
        order=np.array(in_groups + alone, np.intp) if merged else None,
        starts=np.cumsum([0, *map(len, merged.values())], dtype=np.intp)[:-1],
        grouped=len(in_groups),
        handicap=None if all(may_enter) else np.where(may_enter, 0, -1e9).astype(np.float32),
    )


def _refuse_overlaps(groups: Mapping[str, Sequence[int]], labels: Sequence[str]) -> None:
    owner: dict[int, str] = {}
    for name, found in groups.items():
        for index in found:
            if index in owner:
                raise SettingsError(
                    f"[decision] {labels[index]!r} is in the groups {owner[index]!r} and {name!r}, but counts once; "
                    "take it out of one"
                )
            owner[index] = name
    for name in groups:
        same = [index for index, label in enumerate(labels) if label == name]
        if any(owner.get(index) != name for index in same):
            raise SettingsError(f"[decision] the group {name!r} is called like a label that is not in it; rename it")


def _all(
    entries: Sequence[str], labels: Sequence[str], groups: Mapping[str, set[int]], where: str, problems: list[str]
) -> set[int]:
    """The outputs that the entries name; whatever names none is added to the problems."""
    found: set[int] = set()
    for entry in entries:
        named = groups[entry] if entry in groups else set(_named(entry, labels))
        if not named:
            close = closest(entry, (*labels, *groups))
            hint = f"did you mean {close!r}?" if close else "see labels.txt in the model file, by unzip -p"
            problems.append(f"{where}: {entry!r} names none of the {len(labels)} labels; {hint}")
        found |= named
    return found


def _named(entry: str, labels: Sequence[str]) -> Iterator[int]:
    if entry in labels:
        yield from (index for index, label in enumerate(labels) if label == entry)
    elif ends := re.fullmatch(r"(.+?) ?\.\. ?(.+)", entry):
        first, last = ends.groups()
        if first in labels and last in labels:
            yield from range(labels.index(first), labels.index(last) + 1)
    else:
        yield from (index for index, label in enumerate(labels) if fnmatchcase(label, entry))


def closest(entry: str, names: Sequence[str]) -> str | None:
    """Return the name that was probably meant: one spelt alike, whatever its case, else the shortest around it."""
    typed = entry.strip("*?").lower()
    lowered = {name.lower(): name for name in reversed(names)}
    if alike := get_close_matches(typed, lowered, n=1, cutoff=0.75):
        return lowered[alike[0]]
    around = [name for name in lowered if typed and typed in name]
    return lowered[min(around, key=len)] if around else None
