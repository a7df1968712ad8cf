# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the three commands found stands on their pages: real networks, real comparisons, nothing made up."""

from dataclasses import asdict
from pathlib import Path

import pytest

from edgetpu_stand_in import BEGUN
from labelcam.model_file import Manifest, Origin
from labelcam.preprocess import Preprocess, Size
from labelcam_converter import calibration_card, fidelity, pictures
from labelcam_converter.cost import count
from labelcam_converter.edgetpu import mapping
from labelcam_converter.fidelity import gate
from labelcam_converter.fidelity.advice import what_helps
from labelcam_converter.fidelity.comparison import Asked, compare_files
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.quantization.effort import Quantised
from labelcam_converter.report import data, wording
from labelcam_converter.report.comparison import report_of_comparison
from labelcam_converter.report.conversion import Conversion, report_of_build
from labelcam_converter.report.page import to_html, to_json
from labelcam_converter.report.training import report_of_training
from labelcam_converter.train.dataset import Dataset
from labelcam_converter.train.record import Mistake, Trained

MAPPING = f"""{BEGUN}
On-chip memory used for caching model parameters: 3.33MiB
On-chip memory remaining for caching model parameters: 4.40MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1

Operator                       Count      Status

CONV_2D                        36         Mapped to Edge TPU
QUANTIZE                       2          Operation is otherwise supported, but not mapped due to some unspecified limitation
"""  # noqa: E501, the compiler's own width

LABELS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def built(networks: Path, byte_network: bytes, colour_images: Path) -> Conversion:
    """What a build of the tiny colour network has found by the time that its gate has judged."""
    float_model = (networks / "colours.tflite").read_bytes()
    how, size = Preprocess(), Size(32, 32)
    choice = pictures.choose(colour_images, 24, 0)
    seen, skipped = pictures.prepare(choice.calibration, 24, 0, size, how, "reading images")
    found = fidelity.compare(float_model, byte_network, seen, how, LABELS, held_out=False)
    verdict = gate.verdict(found, None)
    card = calibration_card.card(choice, seen, len(skipped), 0, Quantised(b"", "int8", "minmax", {"pick": 0.0013}))
    own = Origin("file colours.keras", "ab" * 32, "as its owner says")
    manifest = Manifest(
        name="colours",
        architecture="custom",
        alpha=None,
        input=size,
        preprocess=how,
        scheme="full-integer int8, uint8 input and output",
        weights=own,
        labels=own,
        calibration=asdict(card),
        fidelity=found.figures(),
        tools={"ai-edge-litert": "2.3.0"},
    )
    return Conversion(
        manifest=manifest,
        labels=len(LABELS),
        fidelity=found,
        card=card,
        verdict=verdict,
        float_bytes=len(float_model),
        model_bytes=len(byte_network),
        cost=count(Graph(float_model), "colours"),
        edgetpu=mapping.parse(MAPPING),
        advice=what_helps(found, "int8", "normal", 24),
        seconds={"calibrate": 0.25},
    )


def test_a_build_s_figures_stand_on_its_page(built: Conversion) -> None:
    """Agreement, size, cost, card, mapping, licences and seconds are those that the stages found."""
    report = report_of_build(built, ["build", "--model", "/home/ada/colours.keras"], include_images=False)
    page = to_html(report)
    assert report.fidelity is not None
    assert report.fidelity.top1_agreement.value == built.fidelity.agreement
    assert built.cost is not None
    for said in (
        wording.percent(built.fidelity.agreement),
        wording.size(built.model_bytes),
        wording.si(built.cost.macs),
        "0.130%",
        "36 of 38 operations run on the Edge TPU",
        "3.33 MiB of parameters stay",
        "file colours.keras",
        "labelcam-convert build --model …/colours.keras",
        "the very ones that were calibrated on",
    ):
        assert said in page, said
    assert "/home/ada" not in page


def test_images_are_named_without_their_folders(built: Conversion, colour_images: Path) -> None:
    """Neither the page nor its JSON says where on the builder's disk the images lie."""
    report = report_of_build(built, [], include_images=False)
    for text in (to_html(report), to_json(report)):
        assert str(colour_images) not in text
        assert "red_0.png" in text
        assert "data:image" not in text


def test_the_images_come_along_where_that_is_asked_for(built: Conversion) -> None:
    """With --include-images the worst ones are seen beside both answers."""
    report = report_of_build(built, [], include_images=True)
    assert report.fidelity is not None
    shown = [worst for worst in report.fidelity.worst if worst.thumbnail]
    assert len(shown) == len(built.fidelity.worst)
    assert to_html(report).count('<img src="data:image/jpeg;base64,') == len(shown)


def test_a_comparison_has_a_page(shared_data: Path) -> None:
    """MLPerf Tiny's reference in float and int8: the page has its verdict, its layers and every image as a point."""
    models = shared_data / "models"
    asked = Asked(
        models / "vww_96_float.tflite", models / "vww_96_int8.tflite", shared_data / "photos", 8, min_agreement=0.5
    )
    found = compare_files(asked)
    report = report_of_comparison(found, ["compare"], include_images=False)
    assert report.verdict is not None
    assert report.verdict.state is data.State.PASSED
    assert report.fidelity is not None
    assert len(report.fidelity.points) == found.fidelity.images == 8
    assert [layer.name for layer in report.fidelity.layers] == [layer.name for layer in found.fidelity.layers]
    assert "vww_96_float.tflite" in to_html(report)


def test_a_training_has_a_page() -> None:
    """Its accuracy with the interval, the epochs, the confusion matrix and the mistakes, and nothing about int8."""
    images = tuple(Path(f"/home/ada/photos/{number}.jpg") for number in range(20))
    trained = Trained(
        output=Path("/home/ada/mine.keras"),
        labels_file=Path("/home/ada/mine.txt"),
        model="mobilenet_v2_1.0_160",
        weights="keras.applications",
        size=(160, 160),
        dataset=Dataset(
            Path("/home/ada/photos"), ("tit", "jay"), (images, images[:10]), (images[:9], images[:6]), 3, 0
        ),
        confusion=data.Confusion(("tit", "jay"), ((8, 1), (0, 6))),
        mistakes=(Mistake("tit/7.jpg", "tit", "jay", 0.91),),
        epochs=(data.Epoch(0.7, 0.6, 0.6, 0.8), data.Epoch(0.3, 0.9, 0.4, 14 / 15)),
        best=2,
        seconds={"train": 12.0},
    )
    page = to_html(report_of_training(trained, ["train", "--images", "/home/ada/photos"]))
    for said in ("93.3%", "14 of 15 answers are right", "tit/7.jpg", "0.91", "copies left out", "mine, 160x160"):
        assert said in page, said
    assert "/home/ada" not in page
    assert '<section id="fidelity"' not in page


def test_compare_writes_its_page_even_where_the_gate_fails(
    networks: Path, colour_images: Path, convert, tmp_path: Path
) -> None:
    """A network against its hard-swish twin: exit code 3, and the page says why, with the images as asked for."""
    page = tmp_path / "report.html"
    files = networks / "swish.tflite", networks / "swish_int8.tflite"
    asked = ("--images", colour_images, "--min-agreement", "1", "--report", page, "--include-images")
    done = convert("compare", *files, *asked)
    assert done.returncode == 3, done.stderr
    told = page.read_text()
    assert "Failed the gate" in told
    assert "What helps" in told
    assert 'src="data:image/jpeg;base64,' in told
    assert str(networks) not in told


def test_a_page_is_refused_before_the_work_begins(networks: Path, colour_images: Path, convert, the_error) -> None:
    """One line with the remedy, exit code 2, and nothing compared."""
    file = networks / "swish.tflite"
    done = convert("compare", file, file, "--images", colour_images, "--report", "report.pdf")
    assert (done.returncode, "ends with .html" in the_error(done)) == (2, True)
    assert "comparing" not in done.stderr
