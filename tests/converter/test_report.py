# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report: one page that is whole in itself, says what the figures say, and trusts no label and no file name."""

import base64
import hashlib
import json
import os
import re
import resource
import signal
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile_report import HOSTILE, hostile_report
from labelcam.errors import LabelcamError, UsageError
from labelcam.web import uplot_script
from labelcam_converter.fidelity import compare_scores, gate
from labelcam_converter.report import data, figures, wording
from labelcam_converter.report.page import to_html, to_json
from labelcam_converter.report.parts import short_scheme, shown_command, verdict_of
from labelcam_converter.report.place import MARK, check_report, write_text
from labelcam_converter.report.thumbnails import SIDE, thumbnail

WEB = Path(__file__).parents[2] / "device" / "labelcam" / "web"

UPLOT = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
"""Of dist/ and LICENSE in npm's uplot 1.6.32, whose integrity npm has checked."""


@pytest.fixture(scope="module")
def whole() -> data.Report:
    return hostile_report()


class Reader(HTMLParser):
    """What a browser would see: every tag, the scripts and the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.inside:
            self._open = tag
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, told: str) -> None:
        if self._open:
            self.inside[self._open][-1] += told
        else:
            self.text += told


@pytest.mark.parametrize("name", UPLOT)
def test_uplot_is_what_npm_has(name: str) -> None:
    """The file that draws our pages is its author's, byte for byte, and its licence lies beside it."""
    assert hashlib.sha256((WEB / name).read_bytes()).hexdigest() == UPLOT[name]


def test_every_page_carries_uplot_s_licence() -> None:
    """MIT asks for its notice in every copy, and every page holds one."""
    assert uplot_script().startswith("/*\nThe MIT License (MIT)\n\nCopyright (c) 2022 Leon Sorokin")
    assert "*/" not in (WEB / "uPlot.LICENSE.txt").read_text()


def test_the_page_can_ask_nobody_for_anything(whole: data.Report) -> None:
    """No element names another file or host, and the page's own policy forbids it besides."""
    reader = Reader(to_html(whole))
    loading = {"src", "href", "srcset", "action", "data", "poster", "background", "formaction"}
    assert [tag for tag, attributes in reader.tags if loading & set(attributes)] == []
    assert not re.search(r"url\(|@import", "".join(reader.inside["style"]))
    (policy,) = [found["content"] for tag, found in reader.tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy


def test_the_policy_lets_run_exactly_our_own_scripts(whole: data.Report) -> None:
    """Every style and script of ours is allowed by its hash; whatever else found its way in would not run."""
    reader = Reader(to_html(whole))
    (policy,) = [found["content"] for tag, found in reader.tags if found.get("http-equiv") == "Content-Security-Policy"]
    figures_inside, *scripts = reader.inside["script"]
    wanted = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts}
    wanted |= {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in reader.inside["style"]}
    assert set(re.findall(r"'sha256-([^']+)'", str(policy))) == wanted
    assert json.loads(figures_inside)["title"] == whole.title


def test_no_name_becomes_markup(whole: data.Report) -> None:
    """Labels, layers and file names with tags, quotes, emoji and right-to-left script are text, wherever they stand."""
    reader = Reader(to_html(whole))
    assert not {"img", "iframe"} & {tag for tag, _ in reader.tags}
    assert [tag for tag, _ in reader.tags].count("script") == 3
    assert not [name for _, found in reader.tags for name in found if name.startswith("on") or name == "style"]
    for name in HOSTILE:
        assert name in reader.text
    assert "49" not in re.findall(r"\{\{ (.*) \}\}", reader.text)


@settings(deadline=None, max_examples=40)  # a whole page each
@given(st.text())
def test_any_label_survives_the_page(label: str) -> None:
    """Whatever a label is made of, the JSON in the page has it unchanged and ends where it should."""
    confusion = data.Confusion((label, "other"), ((1, 2), (3, 4)))
    page = to_html(data.Report("train", label, "float32", "float32", None, confusion=confusion))
    (told,) = re.findall(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(told)["confusion"]["labels"][0] == label


def test_the_json_is_what_lies_in_the_page(whole: data.Report) -> None:
    """Whoever reads the page by a program needs no second file."""
    told = json.loads(Reader(to_html(whole)).inside["script"][0])
    assert told == json.loads(to_json(whole))
    assert told["schema"] == 1
    assert told["fidelity"]["top1_agreement"]["value"] == pytest.approx(53 / 60)


def test_a_figure_that_is_no_number_is_refused(whole: data.Report) -> None:
    """JSON has no NaN: a browser would stop at it and draw nothing."""
    assert whole.fidelity is not None
    broken = replace(whole, fidelity=replace(whole.fidelity, kl=float("nan")))
    for render in (to_html, to_json):
        with pytest.raises(ValueError, match="JSON"):
            render(broken)


def test_only_what_is_known_has_a_section() -> None:
    """A report of a training alone has no empty tables about int8, and one of nothing is still a page."""
    bare = to_html(data.Report("compare", "a against b", "", "int8", None))
    assert "provenance" in bare
    for section in ("fidelity", "cost", "calibration", "edgetpu", "training", "confusion", "advice"):
        assert f'<section id="{section}"' not in bare


def test_without_javascript_the_figures_are_in_tables(whole: data.Report) -> None:
    """Every layer, epoch and cell that a plot shows stands in a table as well."""
    text = Reader(re.sub(r"<script.*?</script>", "", to_html(whole), flags=re.DOTALL)).text
    assert whole.fidelity is not None
    for layer in whole.fidelity.layers:
        assert f"{layer.sqnr_db:.1f}" in text
    assert "drawn by JavaScript" in text
    assert "6\u202f000" in text


@pytest.mark.parametrize(("state", "words"), [("passed", "Passed the gate"), ("failed", "Failed the gate")])
def test_the_verdict_is_said_in_words(whole: data.Report, state: str, words: str) -> None:
    """Colour alone tells nobody who sees none of it how the gate ended."""
    page = to_html(replace(whole, verdict=data.Verdict(data.State(state), "So it is.")))
    assert re.search(rf"<strong>{words}\.</strong>\s+So it is\.", page)


def test_the_verdict_names_the_images_and_the_limit() -> None:
    """A passed gate says on how many images, and what was asked; a refusal keeps its own words."""
    scores = np.eye(2)[[0, 1] * 30]
    names = [f"{number}.jpg" for number in range(60)]
    found = compare_scores(scores, scores, names, ["a", "b"], held_out=True)
    passed = verdict_of(found, gate.verdict(found, None))
    assert passed.state is data.State.PASSED
    assert "60 of 60 held-out images; at least 90% were asked for" in passed.words
    found = compare_scores(scores, scores[::-1], names, ["a", "b"], held_out=True)
    failed = verdict_of(found, gate.verdict(found, None))
    assert (failed.state, "on 0 of 60 images" in failed.words) == (data.State.FAILED, True)
    few = compare_scores(scores[:9], scores[1:10], names[:9], ["a", "b"], held_out=True)
    assert verdict_of(few, gate.verdict(few, None)).state is data.State.WARNED
    assert verdict_of(found, None).state is data.State.NOT_JUDGED


@pytest.mark.parametrize(
    ("words", "short"),
    [("full-integer int8, per-channel weights, uint8 input and output", "int8"), ("of its own", "quantised")],
)
def test_a_scheme_has_a_short_name(words: str, short: str) -> None:
    """The page says int8 where there is no room for all of it."""
    assert short_scheme(words) == short


def test_the_command_does_not_tell_whose_home_it_was_typed_in() -> None:
    """Reports are passed on: a path from the root, a home or above keeps its name alone; others stay as typed."""
    typed = ["build", "--model", "person", "--images", "/home/ada/my birds", "--labels=~/x/l.txt", "-o", "out/p.tflite"]
    assert shown_command("labelcam-convert", typed) == (
        "labelcam-convert build --model person --images '…/my birds' --labels=…/l.txt -o out/p.tflite"
    )


@pytest.mark.parametrize(
    ("number", "said"), [(568_740_352, "568.7 M"), (4_253_864, "4.25 M"), (999_960, "1.00 M"), (12, "12"), (0, "0")]
)
def test_large_numbers_are_short(number: int, said: str) -> None:
    """Three or four digits and a sign, as the papers have them."""
    assert wording.si(number) == said


@given(st.floats(0, 1))
def test_nearly_all_is_never_called_all(part: float) -> None:
    """735 of 736 is not 100.0%, and one in a thousand thousand is not 0.0%."""
    said = wording.percent(part)
    assert (said == "100.0%") == (part == 1)
    assert (said == "0.0%") == (part == 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.none() | st.floats(0, 1))
def test_every_share_lies_on_its_axis(shares: list[float], limit: float | None) -> None:
    """The axis begins low enough for every interval and for the gate, and at a whole tenth."""
    axis = figures.axis([data.Share(value, value, value) for value in shares], limit)
    assert axis.begin * 10 == pytest.approx(round(axis.begin * 10))
    assert all(0 <= axis.at(value) <= 100 for value in [*shares, *([] if limit is None else [limit])])


def test_many_classes_are_summed_up() -> None:
    """A thousand classes are not a thousand rows: the largest are shown, the others counted."""
    rows, rest = figures.classes({f"class {number}": 2 + number % 3 for number in range(1000)})
    assert len(rows) == figures.MOST_CLASSES
    assert rest == "and 976 more classes with 2 to 4 each"


def test_many_labels_make_a_list_of_mistakes(whole: data.Report) -> None:
    """A confusion matrix that nobody could read becomes the commonest mistakes, the most frequent first."""
    labels = tuple(f"label {number}" for number in range(30))
    counts = [[5 if right == answer else 0 for answer in range(30)] for right in range(30)]
    counts[3][7], counts[8][2] = 4, 9
    found = data.Confusion(labels, tuple(map(tuple, counts)))
    assert [(one.right, one.answer, one.times, one.of) for one in figures.mistakes(found)] == [
        ("label 8", "label 2", 9, 14),
        ("label 3", "label 7", 4, 9),
    ]
    page = to_html(replace(whole, confusion=found))
    assert "The commonest mistakes" in page
    assert 'class="matrix"' not in page


def test_thumbnails_say_nothing_of_where_they_were_taken(tmp_path: Path) -> None:
    """Only pixels go in, made small: the EXIF of a phone names the place."""
    path = tmp_path / "home.jpg"
    _, encoded = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (900, 1600, 3)).astype(np.uint8))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0GPS 52.5 13.4"
    path.write_bytes(encoded.tobytes()[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + encoded.tobytes()[2:])
    address = thumbnail(path)
    assert address is not None
    small = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    assert b"Exif" not in small
    assert cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR).shape == (SIDE * 9 // 16, SIDE, 3)
    assert thumbnail(tmp_path / "gone.jpg") is None


def test_pictures_are_on_the_page_only_if_asked_for(whole: data.Report) -> None:
    """The images are the builder's own; the JSON never holds them."""
    assert whole.fidelity is not None
    first = replace(whole.fidelity.worst[0], thumbnail="data:image/jpeg;base64,AAAA")
    shown = replace(whole, fidelity=replace(whole.fidelity, worst=(first, *whole.fidelity.worst[1:])))
    assert '<img src="data:image/jpeg;base64,AAAA"' in to_html(shown)
    assert "AAAA" not in to_json(shown)
    assert "<img" not in to_html(whole)


def test_a_place_that_cannot_hold_a_report_is_refused_at_once(tmp_path: Path) -> None:
    """Before minutes are spent: a folder, a missing folder, another ending, the model itself, somebody's own page."""
    own = tmp_path / "thesis.html"
    own.write_text("<!doctype html><title>My thesis</title>")
    model = tmp_path / "model.html"
    refused = {
        tmp_path: "is a folder",
        tmp_path / "none" / "report.html": "mkdir -p",
        tmp_path / "report.pdf": "ends with .html",
        model: "choose another name",
        own: "was not made by labelcam-convert",
    }
    for path, reason in refused.items():
        with pytest.raises(UsageError, match=reason):
            check_report(path, model, None)
    check_report(tmp_path / "report.html", model, None)


def test_an_older_report_is_replaced(tmp_path: Path, whole: data.Report) -> None:
    """A page of ours may be written again, also through a symbolic link, which stays one."""
    path, link = tmp_path / "report.html", tmp_path / "latest.html"
    write_text(path, to_html(whole))
    link.symlink_to(path)
    check_report(link)
    write_text(link, MARK)
    assert link.is_symlink()
    assert path.read_text() == MARK
    assert sorted(file.name for file in tmp_path.iterdir()) == ["latest.html", "report.html"]


def test_a_full_disk_leaves_the_older_report(tmp_path: Path) -> None:
    """A report is whole or not there, and what could not be written is said in one line."""
    path = tmp_path / "report.html"
    path.write_text(MARK)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(LabelcamError, match="free some space"):
            write_text(path, MARK * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert [file.read_text() for file in tmp_path.iterdir()] == [MARK]


def test_a_file_name_that_is_no_text_does_not_stop_a_report(tmp_path: Path, whole: data.Report) -> None:
    """Linux allows any bytes in a name; the page has an escape where they are no UTF-8."""
    assert whole.fidelity is not None
    name = os.fsdecode(b"caf\xe9.jpg")
    worst = replace(whole.fidelity.worst[0], image=name)
    path = tmp_path / ("r" * 240 + ".html")
    write_text(path, to_html(replace(whole, fidelity=replace(whole.fidelity, worst=(worst,)))))
    assert r"caf\udce9.jpg" in path.read_text(encoding="utf-8")


def colours(style: str) -> Iterator[dict[str, str]]:
    """The colours by name, once for light and once for dark."""
    for block in re.findall(r":root(?::not\(\[data-printing\]\))? \{(.*?)\}", style, re.DOTALL)[:2]:
        yield dict(re.findall(r"--([\w-]+): (#\w{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_stands_out_from_what_is_behind_it(whole: data.Report) -> None:
    """4.5 to 1, as WCAG asks of small text, by day and by night."""
    both = list(colours(Reader(to_html(whole)).inside["style"][1]))
    assert len(both) == 2
    pairs = [(text, behind) for text in ("ink", "soft", "accent", "warn") for behind in ("paper", "raised")]
    for named in both:
        for text, behind in [*pairs, ("accent", "accent-soft"), ("warn", "warn-soft"), ("ink", "warn-soft")]:
            darker, lighter = sorted((luminance(named[text]), luminance(named[behind])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, behind, named[text], named[behind])
