# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from labelcam.errors import SettingsError
from labelcam.settings import Settings, default_text, load_settings, settings_from_toml

UNCOMMENTED = re.sub(r"^#(?=\w+ = )", "", default_text(), flags=re.MULTILINE)


def problem(text: str) -> str:
    """Why the settings are refused, in one line."""
    with pytest.raises(SettingsError) as refused:
        settings_from_toml(text)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_documented_setting_stands_with_its_default() -> None:
    """labelcam.toml, uncommented, holds each key there is and nothing else, each at the default."""
    assert tomllib.loads(UNCOMMENTED) == json.loads(json.dumps(asdict(Settings())))
    assert settings_from_toml(UNCOMMENTED) == Settings()


def test_the_commented_file_changes_nothing() -> None:
    """The file as it is shipped is the same as no file."""
    assert settings_from_toml(default_text()) == Settings()


def test_a_broker_may_be_named_in_every_way() -> None:
    """By name, and by addresses of both kinds."""
    for host in ("homeassistant.local", "192.168.1.2", "fe80::1%eth0"):
        assert settings_from_toml(f"[mqtt]\nhost = '{host}'").mqtt.host == host


def test_what_the_file_says_is_taken() -> None:
    """Settings that are written down replace their defaults, and only those."""
    settings = settings_from_toml('[model]\npath = "m.tflite"\n[limits]\nmax_fps = 5\n')
    assert (settings.model.path, settings.limits.max_fps, settings.runtime.threads) == ("m.tflite", 5.0, 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[camera]\nsorce = 'photos:x'", "[camera] has no setting 'sorce'; did you mean 'source'?"),
        ("[camra]\nsource = 'photos:x'", "no section or setting 'camra'; did you mean 'camera'?"),
        ("[model]\nzzz = 1", "[model] has no setting 'zzz'; it knows path, fit"),
        ("[runtime]\nthreads = '2'", "runtime.threads: '2' is not a whole number"),
        ("[runtime]\nthreads = 1.5", "1.5 is not a whole number"),
        ("[runtime]\nthreads = true", "True is not a whole number"),
        ("[runtime]\nthreads = 0", "threads = 0 is out of range"),
        ("[runtime]\ndelegate = 'gpu'", "'gpu' is not one of 'xnnpack', 'none'"),
        ("[decision]\nthreshold = nan", "threshold = nan is out of range"),
        ("[decision]\nthreshold = '0.5'", "'0.5' is not a number"),
        ("[decision]\nleave_threshold = 0.6", "from 0 to threshold, 0.5"),
        ("[decision]\nenter_seconds = -1", "enter_seconds = -1.0 is out of range"),
        ("[decision]\nsmoothing_seconds = nan", "smoothing_seconds = nan is out of range"),
        ("[decision]\ntemperature = 0.001", "or 0 for the model file's"),
        ("[decision]\nunknown_margin = -0.5", "or -1 for the model file's"),
        ("[decision]\nallow = 'cat'", "decision.allow: 'cat' is not a list of texts"),
        ("[decision]\ndeny = [1]", "decision.deny: [1] is not a list of texts"),
        ("[decision]\ngroups = 3", "decision.groups: 3 is not a section of lists"),
        ("[decision.groups]\npet = 'cat'", "decision.groups: 'pet': 'cat' is not a list of texts"),
        ("[decision.groups]\npet = []", "groups.'pet' = [] cannot be used; use a value of at least one label"),
        ("[decision.groups]\nunknown = ['cat']", "groups = 'unknown' cannot be used"),
        ("[camera]\nrotate = 45", "camera.rotate: 45 is not one of 0, 90, 180, 270"),
        ("[camera]\nregion = [0, 0, 1]", "region = [0.0, 0.0, 1.0] cannot be used"),
        ("[camera]\nregion = [0.5, 0, 0.6, 1]", "inside [0, 0, 1, 1]"),
        ("[camera]\nregion = [0, 0, 0, 1]", "four shares"),
        ("[camera]\nregion = [nan, 0, 1, 1]", "four shares"),
        ("[camera]\nregion = 'left'", "camera.region: 'left' is not a list of numbers"),
        ("[camera]\nregion = ['0', 0, 1, 1]", "'0' is not a number"),
        ("[camera]\ngive_up_seconds = -1", "give_up_seconds = -1.0 is out of range"),
        ("[camera]\ndark_mean = 300", "dark_mean = 300.0 is out of range"),
        ("[camera]\nprivate = true\n[reservoir]\nenabled = true", "no picture touches the disk"),
        ("[home_assistant]\nenabled = true", "name the broker under [mqtt] host"),
        ("[webhook]\nurl = 'ftp://x'", "such as https://host/path"),
        ("[webhook]\nurl = 'https://me:secret@x/'", "no password in it"),
        ("[webhook]\nevents = ['entre']", "of 'enter', 'leave' or both"),
        ("[http]\nhost = ''", "that is a name or an address"),
        ("[labels.names]\nmacaw = 3", "labels.names: {'macaw': 3} is not a section of texts"),
        ("[labels]\nnmes = {}", "[labels] has no setting 'nmes'; did you mean 'names'?"),
        ("[power]\nmeter = 'usb'", "'usb' is not one of 'auto', 'pmic'"),
        ("[limits]\nmax_celsius = 200", "max_celsius = 200.0 is out of range; use a value from 0 to 150"),
        ("[limits]\nmax_fps = inf", "max_fps = inf is out of range"),
        ("[mqtt]\ntls = 1", "1 is not true or false"),
        ("[mqtt]\nhost = 'mqtt://broker'", "a name or an address, without scheme and port"),
        ("[mqtt]\nhost = 'broker:1883'", "a name or an address, without scheme and port"),
        ("[mqtt]\nthreshold = 0.4", "[mqtt] has no setting 'threshold'; it stands under [decision]"),
        ("host = 'broker'", "no section or setting 'host'; it stands under [mqtt] or [http]"),
        ("[camera]\nsource = v4l2:/dev/video0", "texts stand in quotes"),
        ("[mqtt]\nport = 70000", "port = 70000 is out of range"),
        ("[mqtt]\nbase_topic = 'a/#'", "base_topic = 'a/#'"),
        ("[mqtt]\npassword_file = '/secret'", "user = '' cannot be used"),
        ("[model]\nfit = []", "[] is not one of"),
        ("model = 'm.tflite'", "'m.tflite' stands where a section belongs"),
        ("[[model]]\npath = 'x'", "stands where a section belongs"),
        ("schema = 7", "schema = 7"),
        ("[model\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_its_place(text: str, wanted: str) -> None:
    """Typos, wrong types, values out of range and misplaced sections are each named with a remedy."""
    assert wanted in problem(text)


def test_every_mistake_is_told_at_once() -> None:
    """Three mistakes are one line with three parts, so that nobody has to try three times."""
    told = problem("[camera]\nsorce = 'x'\n[runtime]\nthreads = 'a'\n[decision]\nthreshold = 2\n")
    assert told.count("; ") >= 2
    for part in ("'sorce'", "runtime.threads", "decision: threshold = 2"):
        assert part in told


def test_a_file_of_ones_own_wins_over_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly one file is read: the one given, else the user's, else none; nothing is merged."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert load_settings(None) == Settings()
    users = tmp_path / "config" / "labelcam" / "labelcam.toml"
    users.parent.mkdir(parents=True)
    users.write_text("[runtime]\nthreads = 3\n[limits]\nmax_fps = 3\n")
    given = tmp_path / "given.toml"
    given.write_text("[runtime]\nthreads = 2\n")
    assert load_settings(None).runtime.threads == 3
    assert load_settings(given).runtime.threads == 2
    assert load_settings(given).limits == Settings().limits


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"[camera]\nsorce = 1\n"])
def test_settings_that_cannot_be_read_end_the_command_with_78(
    content: bytes | None, tmp_path: Path, labelcam: Callable[..., object], the_error: Callable[[str], str]
) -> None:
    """A file that is missing, no text or wrong is one line with its path, and systemd must not try again."""
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    done = labelcam("run", "--settings", path)
    assert done.returncode == 78
    assert done.stdout == ""
    assert str(path) in the_error(done.stderr)


def test_the_printed_defaults_are_the_documentation(labelcam: Callable[..., object]) -> None:
    """`labelcam defaults` prints the commented file that can be saved and edited."""
    done = labelcam("defaults")
    assert (done.returncode, done.stdout, done.stderr) == (0, default_text(), "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("home", "wanted"), [("", "Settings(schema=1"), ("/proc/1/cwd/root", "SettingsError")])
def test_nobody_needs_a_home(home: str, wanted: str) -> None:
    """A system user without a home gets the defaults; one whose home is closed to him gets one line, no traceback."""
    program = f"""
import os
from labelcam.errors import SettingsError
from labelcam.settings import load_settings
os.environ.clear()
os.environ.update({{"HOME": {home!r}}} if {home!r} else {{}})
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
try:
    print(load_settings(None))
except SettingsError as error:
    print(repr(error))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith(wanted), done
