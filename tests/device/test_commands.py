# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from labelcam import __version__
from labelcam.model_file import SCORES, ModelFile

Labelcam = Callable[..., SimpleNamespace]
Entries = Mapping[str, str | bytes]


@pytest.fixture
def tampered(
    colours: Path, colour_entries: Entries, pack: Callable[[bytes, Entries, Path], Path], tmp_path: Path
) -> Path:
    """A whole model file whose golden scores no machine can reproduce."""
    flatbuffer = colours.read_bytes()[: ModelFile.load(colours).flatbuffer_bytes]
    scores = json.dumps({"red.png": [0.0, 1.0, 0.0]})
    return pack(flatbuffer, {**colour_entries, SCORES: scores}, tmp_path / "tampered.tflite")


@pytest.mark.parametrize("command", [(), ("run",), ("classify",), ("check",), ("defaults",)])
def test_every_command_says_its_version_and_helps(labelcam: Labelcam, command: tuple[str, ...]) -> None:
    """--version and --help answer on stdout with exit code 0, whatever else is missing."""
    assert labelcam(*command, "--version").stdout == f"labelcam {__version__}\n"
    done = labelcam(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: labelcam")


def test_a_command_that_is_none_is_a_usage_error(labelcam: Labelcam) -> None:
    """Exit code 2, and nothing on stdout."""
    for arguments in ((), ("recognise",), ("classify", "m.tflite")):
        done = labelcam(*arguments)
        assert (done.returncode, done.stdout) == (2, "")


def test_classify_answers_one_line_an_image(labelcam: Labelcam, colours: Path, photographs: Path) -> None:
    """The best label of every image, with its score, in the order they were given."""
    images = sorted(photographs.iterdir(), reverse=True)
    done = labelcam("classify", colours, *images)
    assert done.returncode == 0
    assert [line.split(": ")[1].split()[0] for line in done.stdout.splitlines()] == ["blue", "green", "red"]


def test_a_label_that_holds_a_comma_is_no_two_labels(
    labelcam: Labelcam, toy: Callable[..., bytes], pack: Callable[..., Path], tmp_path: Path, photographs: Path
) -> None:
    """It is quoted, and so is a quote; a label of plain words is not."""
    labels = 'cock, rooster\nEgyptian cat\n5" disk\n'
    model = pack(toy(declares_labels=True), {"labels.txt": labels}, tmp_path / "m.tflite")
    done = labelcam("classify", model, photographs / "1_red.png")
    told = done.stdout.removeprefix(f"{photographs / '1_red.png'}: ")
    assert re.sub(r"\d\.\d\d", "#", told) == '"cock, rooster" #, Egyptian cat #, "5\\" disk" #\n'


def test_classify_speaks_json(labelcam: Labelcam, colours: Path, photographs: Path) -> None:
    """--json gives a line an image with exactly the documented keys; --top says how many labels."""
    done = labelcam("classify", "--json", "--top", "2", colours, photographs / "1_red.png")
    assert done.returncode == 0
    (answer,) = (json.loads(line) for line in done.stdout.splitlines())
    assert set(answer) == {"schema", "image", "top", "stages_ms"}
    assert answer["image"] == str(photographs / "1_red.png")
    assert [best["label"] for best in answer["top"]] == ["red", "green"]
    assert set(answer["stages_ms"]) == {"capture", "preprocess", "invoke", "decide"}


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_one_unreadable_image_does_not_silence_the_others(
    labelcam: Labelcam, colours: Path, photographs: Path, flags: tuple[str, ...], the_error: Callable[[str], str]
) -> None:
    """The others are answered, the bad one is named, and the exit code is 1."""
    good, gone = photographs / "1_red.png", photographs / "gone.png"
    done = labelcam("classify", *flags, colours, good, gone, good)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == (3 if flags else 2)
    if flags:
        answer = json.loads(done.stdout.splitlines()[1])
        assert set(answer) == {"schema", "image", "error"}
        assert "cannot be read" in answer["error"]
    else:
        assert f"{gone}: cannot be read" in the_error(done.stderr)


def test_classify_refuses_a_bad_model(labelcam: Labelcam, photographs: Path, the_error: Callable[[str], str]) -> None:
    """A photograph in place of the model is 78 and one line."""
    done = labelcam("classify", photographs / "1_red.png", photographs / "1_red.png")
    assert (done.returncode, done.stdout) == (78, "")
    assert "is no TFLite model" in the_error(done.stderr)


def test_classify_takes_another_fit(labelcam: Labelcam, person_model: Path, photographs: Path) -> None:
    """--fit wins over the model file; a word that is no fit is a usage error."""
    assert labelcam("classify", "--fit", "squeeze", person_model, photographs / "1_red.png").returncode == 0
    assert labelcam("classify", "--fit", "stretch", person_model, photographs / "1_red.png").returncode == 2


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        ("", "3 of 3 labels may enter"),
        ('deny = ["blue"]', "2 of 3 labels may enter"),
        ('deny = ["blue"]\n[decision.groups]\nwarm = ["red"]', "2 of 3 labels may enter, 1 of them in 1 group"),
        (
            '[decision.groups]\na = ["red", "green"]\nb = ["blue"]',
            "3 of 3 labels may enter, 3 of them in 2 groups",
        ),
    ],
)
def test_check_says_how_many_labels_may_enter(
    labelcam: Labelcam, colours: Path, tmp_path: Path, decision: str, told: str
) -> None:
    """Of all that the model has, each counted once, also where a group stands for several."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[model]\npath = "{colours}"\n[camera]\nsource = "synthetic:8x6"\n[decision]\n{decision}\n')
    done = labelcam("check", "--settings", settings, "--json")
    (detail,) = (check["detail"] for check in json.loads(done.stdout)["checks"] if check["name"] == "decision")
    assert detail == f"{told}, temperature 1"


def test_check_says_that_all_is_well(labelcam: Labelcam, colours: Path, photographs: Path) -> None:
    """Settings, model, goldens and camera, each with ok and a detail, exit code 0."""
    done = labelcam("check", "--model", colours, "--camera", f"photos:{photographs}", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema"], document["ok"]) == (1, True)
    assert {"settings", "model", "goldens", "camera"} <= {found["name"] for found in document["checks"]}
    for found in document["checks"]:
        assert set(found) == {"name", "ok", "detail", "remedy"}
        assert found["ok"]
    camera = next(found for found in document["checks"] if found["name"] == "camera")
    assert camera["detail"] == "photos: delivers 64x48"


@pytest.mark.parametrize(
    ("settings", "model", "camera", "code", "failed"),
    [
        ("[camera]\nsorce = 1\n", "good", "good", 78, {"settings"}),
        ("", "missing", "missing", 78, {"model", "camera"}),
        ("", "tampered", "missing", 3, {"goldens", "camera"}),
        ("", "tampered", "good", 3, {"goldens"}),
        ("", "good", "missing", 74, {"camera"}),
        ("", "good", "nonsense", 78, {"camera"}),
        ("", "tampered", "nonsense", 78, {"goldens", "camera"}),
    ],
)
def test_check_exits_with_the_most_lasting_failure(
    settings: str,
    model: str,
    camera: str,
    code: int,
    failed: set[str],
    labelcam: Labelcam,
    colours: Path,
    tampered: Path,
    tmp_path: Path,
) -> None:
    """What no restart mends comes first: 78, then 3, then 74; and every check that can be made is made."""
    (tmp_path / "labelcam.toml").write_text(settings)
    models = {"good": colours, "missing": tmp_path / "gone.tflite", "tampered": tampered}
    cameras = {"good": "synthetic:8x6", "missing": "v4l2:/dev/video97", "nonsense": "webcam"}
    done = labelcam(
        *("check", "--settings", tmp_path / "labelcam.toml"),
        *("--model", models[model], "--camera", cameras[camera], "--json"),
    )
    assert done.returncode == code
    document = json.loads(done.stdout)
    assert document["ok"] is False
    assert {found["name"] for found in document["checks"] if not found["ok"]} == failed
    assert all(found["remedy"] for found in document["checks"] if not found["ok"])
    assert "Traceback" not in done.stderr


def test_check_can_be_read_by_people(labelcam: Labelcam, tampered: Path) -> None:
    """Without --json, a line a check: ok or FAIL, its name, what was found."""
    done = labelcam("check", "--model", tampered, "--camera", "synthetic:8x6")
    assert done.returncode == 3
    assert [line.split()[:2] for line in done.stdout.splitlines()][:4] == [
        ["ok", "settings"],
        ["ok", "model"],
        ["FAIL", "goldens"],
        ["ok", "decision"],
    ]


@pytest.mark.parametrize(
    "arguments",
    ["defaults", "check --model {} --camera synthetic:8x6", "run --model {} --camera synthetic:8x6 --frames 3"],
)
def test_a_reader_that_has_left_is_no_error(environment: dict[str, str], colours: Path, arguments: str) -> None:
    """Whatever is piped into `head` or a pager that was closed ends with 0, and nothing is said about the pipe."""
    command = f"{shlex.quote(sys.executable)} -m labelcam {arguments.format(colours)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "roken pipe", "Exception ignored"))


def test_defaults_speak_json(labelcam: Labelcam) -> None:
    """`defaults --json` is one document with a schema."""
    document = json.loads(labelcam("defaults", "--json").stdout)
    assert document["schema"] == 1
    assert document["defaults"]["camera"]["source"] == "picamera2"


def test_help_does_not_load_the_interpreter(labelcam: Labelcam, environment: dict[str, str], tmp_path: Path) -> None:
    """--help answers at once even where neither LiteRT nor numpy can be imported."""
    for name in ("ai_edge_litert", "tflite_runtime", "numpy", "cv2"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')")
    done = labelcam("run", "--help", env=environment | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def test_check_looks_at_the_broker(labelcam: Labelcam, colours: Path, tmp_path: Path) -> None:
    """A broker that does not answer, and a password that cannot be read, are told before the daemon runs."""
    settings = tmp_path / "labelcam.toml"
    camera = ("--model", colours, "--camera", "synthetic:8x6")
    settings.write_text('[mqtt]\nhost = "127.0.0.1"\nport = 1\n')
    done = labelcam("check", "--settings", settings, *camera)
    assert done.returncode == 1
    assert "no broker at 127.0.0.1:1 (Connection refused)" in done.stdout
    settings.write_text('[mqtt]\nhost = "127.0.0.1"\nuser = "cam"\npassword_file = "/not/there"\n')
    assert labelcam("check", "--settings", settings, *camera).returncode == 78


def test_check_tries_everyone_who_is_to_be_told(labelcam: Labelcam, colours: Path, tmp_path: Path) -> None:
    """One check each, with the remedy for what will not work; what works says what it is."""
    (tmp_path / "file").write_text("")
    settings = tmp_path / "labelcam.toml"
    settings.write_text(
        f'[model]\npath = "{colours}"\nshadow = "{colours}"\n[camera]\nsource = "synthetic:8x6"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = 1\n[webhook]\nurl = "http://127.0.0.1:1/x"\n'
        f'[http]\nenabled = true\nport = 0\n[jsonl]\npath = "{tmp_path}/no/readings.jsonl"\n'
        f'socket = "{tmp_path}/file"\n[journal]\nfolder = "{tmp_path}/file/journal"\n'
        f'[reservoir]\nenabled = true\nfolder = "{tmp_path}/kept"\n'
    )
    done = labelcam("check", "--json", "--settings", settings)
    checks = {found["name"]: found for found in json.loads(done.stdout)["checks"]}
    bad = {name for name, found in checks.items() if not found["ok"]}
    assert bad == {"mqtt", "webhook", "jsonl-file", "jsonl-socket", "journal"}
    assert all(checks[name]["remedy"] for name in bad)
    assert {"power", "shadow", "http", "reservoir"} <= set(checks)
    assert not (tmp_path / "kept").exists(), "check leaves nothing behind"


@pytest.mark.parametrize("is_the_journal", [True, False])
def test_the_journal_is_told_how_much_a_line_matters(
    environment: dict[str, str], colours: Path, tmp_path: Path, is_the_journal: bool
) -> None:
    """`journalctl -p warning` shows warnings and errors of a service; a file or a terminal gets no numbers."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text('[camera]\nsource = "v4l2:/dev/video99"\nstart_seconds = 0.5\n')
    command = [sys.executable, "-m", "labelcam", "run", "--model", colours, "--settings", settings]
    with (tmp_path / "stderr").open("w+") as stderr:
        place = os.fstat(stderr.fileno())
        stream = f"{place.st_dev}:{place.st_ino + (not is_the_journal)}"
        subprocess.run(command, env={**environment, "JOURNAL_STREAM": stream}, stderr=stderr, timeout=60, check=False)
        stderr.seek(0)
        lines = stderr.read().splitlines()
    away = next(line for line in lines if "camera-away" in line)
    assert away.startswith("<4>WARNING labelcam." if is_the_journal else "WARNING labelcam.")
    assert lines[-1].startswith("<3>labelcam: gone for" if is_the_journal else "labelcam: gone for")
