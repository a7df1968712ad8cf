# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labelcam.candidates import choose
from labelcam.errors import SettingsError
from labelcam.settings import default_text
from labelcam_converter.labels import imagenet_labels

NAMES = ("tabby", "Egyptian cat", "beagle", "Border terrier", "hotdog", "drake [male]", "crane", "crane")
SCORES = np.array([0.1, 0.2, 0.3, 0.05, 0.05, 0.1, 0.15, 0.05], np.float32)


def problem(allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), **groups: tuple[str, ...]) -> str:
    """Why the choice is refused, in one line."""
    with pytest.raises(SettingsError) as refused:
        choose(NAMES, allow, deny, groups)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("entries", "score"),
    [
        (("beagle",), 0.3),
        (("beagle", "beagle", "beag*"), 0.3),
        (("* cat", "tabby"), 0.3),
        (("drake [male]",), 0.1),
        (("crane",), 0.2),
        (("*e*",), 0.65),
        (("Egyptian cat .. Border terrier",), 0.55),
        (("Egyptian cat..beagle", "b?agle"), 0.5),
        (("tabby .. hotdog",), 0.7),
    ],
)
def test_an_entry_is_a_label_a_pattern_or_a_range(entries: tuple[str, ...], score: float) -> None:
    """A group's score is the sum of all labels that its entries name, each counted once."""
    chosen = choose(NAMES, (), (), {"group": entries})
    assert chosen.names[0] == "group"
    assert chosen.merged(SCORES)[0] == pytest.approx(score)


@hypothesis_settings(deadline=None)
@given(owners=st.lists(st.integers(0, 3), min_size=6, max_size=6), data=st.data())
def test_grouping_loses_no_score(owners: list[int], data: st.DataObject) -> None:
    """Whatever the groups, each scores the sum of its labels, and a label that is in none keeps its own score."""
    names = [f"label {number}" for number in range(6)]
    groups = {
        f"group {owner}": tuple(name for name, whose in zip(names, owners, strict=True) if whose == owner)
        for owner in set(owners) - {0}
    }
    scores = np.array(data.draw(st.lists(st.floats(0, 0.125, width=32), min_size=6, max_size=6)), np.float32)
    chosen = choose(names, (), (), groups)
    merged = dict(zip(chosen.names, chosen.merged(scores).tolist(), strict=True))
    for name, members in groups.items():
        assert merged.pop(name) == pytest.approx(sum(scores[names.index(member)] for member in members), abs=1e-6)
    assert merged == {name: scores[i] for i, name in enumerate(names) if owners[i] == 0}


def test_without_groups_and_lists_nothing_is_done() -> None:
    """The scores themselves are handed on, not copies."""
    chosen = choose(NAMES, (), (), {})
    assert chosen.open_to(chosen.merged(SCORES)) is SCORES
    assert chosen.choices() == len(NAMES)


def test_a_group_never_scores_above_one() -> None:
    """The sum of rounded scores may exceed 1; a group's does not."""
    chosen = choose(("a", "b", "c"), (), (), {"all": ("a", "b")})
    assert chosen.merged(np.array([0.6, 0.5, 0.0], np.float32)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("allow", "deny", "may_enter"),
    [
        ((), ("hotdog",), {"pet", "Border terrier", "drake [male]", "crane"}),
        (("pet",), (), {"pet"}),
        (("pet", "crane"), ("crane",), {"pet"}),
        ((), ("pet",), {"Border terrier", "hotdog", "drake [male]", "crane"}),
        (("*",), ("pet", "drake*", "crane"), {"Border terrier", "hotdog"}),
        (("tabby",), (), {"pet"}),
    ],
)
def test_lists_name_labels_and_groups(allow: tuple[str, ...], deny: tuple[str, ...], may_enter: set[str]) -> None:
    """A group stands for its labels; one of which only some may enter is the sum of those."""
    chosen = choose(NAMES, allow, deny, {"pet": ("tabby", "Egyptian cat", "beagle")})
    best = set()
    for number in range(len(NAMES)):
        lone = np.zeros(len(NAMES), np.float32)
        lone[number] = 1
        open_to = chosen.open_to(chosen.merged(lone))
        if open_to.max() > 0.5:
            best.add(chosen.names[int(open_to.argmax())])
    assert best == may_enter
    assert chosen.choices() == len(may_enter) + ("crane" in may_enter)


def test_what_is_denied_counts_for_no_group() -> None:
    """'*dog*' means dogs; the hot dog is taken out by denying it."""
    chosen = choose(("hotdog", "sheepdog", "cat"), (), ("hotdog",), {"any dog": ("*dog*",)})
    assert chosen.names == ("any dog", "hotdog", "cat")
    assert chosen.open_to(chosen.merged(np.array([0.6, 0.3, 0.1], np.float32))).argmax() == 0


@pytest.mark.parametrize(
    ("refusal", "wanted"),
    [
        (lambda: problem(deny=("taby",)), "deny: 'taby' names none of the 8 labels; did you mean 'tabby'?"),
        (lambda: problem(allow=("Beagle",)), "allow: 'Beagle' names none of the 8 labels; did you mean 'beagle'?"),
        (lambda: problem(allow=("terrier",)), "did you mean 'Border terrier'?"),
        (lambda: problem(pet=("*zebra*",)), "groups.'pet': '*zebra*' names none of the 8 labels; see labels.txt"),
        (lambda: problem(pet=("beagle .. tabby",)), "'beagle .. tabby' names none"),
        (lambda: problem(allow=("pets",), pet=("tabby",)), "did you mean 'pet'?"),
        (lambda: problem(deny=("*",)), "allow and deny leave no label that could enter"),
        (lambda: problem(a=("tabby",), b=("*b*",)), "'tabby' is in the groups 'a' and 'b', but counts once"),
        (lambda: problem(hotdog=("beagle",)), "the group 'hotdog' is called like a label that is not in it"),
    ],
)
def test_what_names_nothing_or_two_things_is_refused(refusal: object, wanted: str) -> None:
    """A typing error in a list would silently watch for nothing."""
    assert wanted in refusal()


def test_every_wrong_entry_is_told_at_once() -> None:
    """Three mistakes in three places are one line."""
    told = problem(allow=("taby",), deny=("begle",), pet=("hotdgo",))
    assert all(f"did you mean {name!r}?" in told for name in ("tabby", "beagle", "hotdog"))


def test_the_documented_group_is_imagenets_118_dogs() -> None:
    """The example in the default settings names every dog of the zoo's labels, from Chihuahua to Mexican hairless."""
    entry = re.search(r'"any dog" = \["(.+)"\]', default_text())
    assert entry
    labels = imagenet_labels()
    chosen = choose(labels, (), (), {"any dog": (entry.group(1),)})
    assert chosen.grouped == 118
    assert not {"timber wolf", "hotdog", "tabby"} & (set(labels) - set(chosen.names))
    assert {"beagle", "golden retriever", "pug", "Siberian husky"} <= set(labels) - set(chosen.names)
