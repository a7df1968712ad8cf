# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The zoo's table is true."""

from pathlib import Path

import pytest

from labelcam.errors import UsageError
from labelcam_converter.labels import imagenet_labels
from labelcam_converter.zoo import ENTRIES, check_variant, find, is_file_name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_default_is_a_variant_that_has_weights(entry) -> None:
    """Every network can be built without --alpha and --size, and its file has a name."""
    check_variant(entry, entry.alpha, entry.size, trained=True)
    assert entry.title(entry.alpha, entry.size) == f"{entry.name}_{entry.alpha}_{entry.size}"
    assert find(entry.name) is entry


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if not entry.package], ids=lambda entry: entry.name)
def test_every_variant_has_a_file_at_keras_host(entry) -> None:
    """The path of the weights is known for each width and size that is offered."""
    paths = {entry.keras_file(alpha, size) for alpha in entry.alphas for size in entry.sizes}
    assert len(paths) == len(entry.alphas) * len(entry.sizes)
    assert all(path.endswith(".h5") for path in paths)


def test_the_costs_are_the_published_ones() -> None:
    """V1 has 569 M multiply-accumulates and 4.24 M parameters, V2 300 M and 3.5 M (Howard 2017, Sandler 2018)."""
    v1, v2 = find("mobilenet_v1"), find("mobilenet_v2")
    assert (round(v1.macs / 1e6), round(v1.parameters / 1e6, 2)) == (569, 4.25)
    assert (round(v2.macs / 1e6), round(v2.parameters / 1e6, 2)) == (301, 3.54)


@pytest.mark.parametrize(("alpha", "size"), [(0.0, 224), (-1.0, 224), (9.0, 224), (1.0, 16), (1.0, 4000)])
def test_impossible_networks_are_refused(alpha: float, size: int) -> None:
    """Random weights allow any width and size that make a network, and no other."""
    with pytest.raises(UsageError):
        check_variant(find("mobilenet_v2"), alpha, size, trained=False)


@pytest.mark.parametrize(("name", "file"), [("small", "small_minimalistic"), ("large", "large_minimalistic")])
def test_the_minimalistic_variants_have_files_of_their_own(name: str, file: str) -> None:
    """MobileNetV3 without what int8 and the Edge TPU dislike is in the zoo, at the one width that Keras trained."""
    entry = find(f"mobilenet_v3_{name}_minimalistic")
    assert entry.keras_file(1.0, 224) == f"mobilenet_v3/weights_mobilenet_v3_{file}_224_1.0_float.h5"
    assert (entry.minimalistic, entry.architecture, entry.alphas) == (True, "mobilenet_v3", (1.0,))


@pytest.mark.parametrize("name", ["person", "efficientnet_lite0"])
def test_a_network_of_one_width(name: str) -> None:
    """EfficientNet-Lite0 has no width multiplier, not even with random weights; its size is free then."""
    with pytest.raises(UsageError, match="has no other than"):
        check_variant(find(name), 0.5, find(name).size, trained=False)
    check_variant(find("efficientnet_lite0"), 1.0, 160, trained=False)


def test_a_folder_does_not_hide_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder called person in the working directory is not what --model person means; ./person is."""
    (tmp_path / "person").mkdir()
    monkeypatch.chdir(tmp_path)
    assert not is_file_name("person")
    assert is_file_name("./person")


def test_imagenet_s_names_are_unique_and_in_keras_order() -> None:
    """A thousand short names, each only once, although ImageNet calls two classes crane."""
    names = imagenet_labels()
    assert len(set(names)) == 1000
    assert (names[0], names[285], names[967], names[999]) == ("tench", "Egyptian cat", "espresso", "toilet tissue")
