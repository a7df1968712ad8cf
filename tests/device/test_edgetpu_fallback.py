# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Edge TPU with the CPU twin behind it: every frame is answered, and what answers is always said."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgetpu_library import READY, Stick, ended, soon
from labelcam.announcement import announce
from labelcam.classifier import Classifier
from labelcam.edgetpu.fallback import FallbackNetwork
from labelcam.edgetpu.machine import Machine
from labelcam.golden import check_goldens
from labelcam.model_file import ModelFile
from labelcam.models import classifier_of
from labelcam.network import Delegation
from labelcam.settings import RuntimeSettings, Settings

NEVER = 600.0
PICTURES = [np.full((6, 8, 3), colour, np.uint8) for colour in ((250, 9, 9), (9, 250, 9), (9, 9, 250))]
NAMES = ["red", "green", "blue"]

Open = Callable[..., Classifier]


@pytest.fixture
def classifier(compiled: Callable[..., Path]) -> Iterator[Open]:
    """Open the compiled toy model file, and close it after the test."""
    with ExitStack() as stack:

        def begin(machine: Machine, delegate: str = "edgetpu") -> Classifier:
            opened = Classifier(ModelFile.load(compiled()), delegate=delegate, machine=machine)  # type: ignore[arg-type]
            stack.callback(opened.close)
            return opened

        yield begin


def answers(classifier: Classifier) -> list[str]:
    return [classifier.classify(picture, 1)[0].label for picture in PICTURES]


def now(classifier: Classifier) -> Delegation:
    return classifier.interpreter.delegation()


def back(classifier: Classifier) -> bool:
    """Whether the Edge TPU answers again before long, while frames go on."""
    return soon(lambda: answers(classifier) == NAMES and now(classifier).delegate == "edgetpu")


def test_the_edge_tpu_answers_where_it_can(stick: Stick, classifier: Open) -> None:
    """The labels and the goldens are those of the CPU; nothing is said of a fallback."""
    opened = classifier(stick.machine())
    assert now(opened) == Delegation("edgetpu", 1, 1, {})
    assert not opened.on_twin
    assert answers(opened) == NAMES
    assert all(golden.passed for golden in check_goldens(opened.model, opened))


def test_a_fault_costs_no_frame(stick: Stick, classifier: Open, caplog: pytest.LogCaptureFixture) -> None:
    """The very frame is answered by the twin, which is said once, with the reason and a count."""
    stick.behave("abort 6")  # the warm-up and three goldens come first
    opened = classifier(stick.machine(again_s=NEVER))
    assert [answers(opened) for _ in range(3)] == [NAMES] * 3
    found = now(opened)
    assert (found.delegate, found.fallbacks, opened.on_twin) == ("xnnpack", 1, True)
    assert "SIGABRT: F driver/usb" in found.reason
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line == f"{found.reason}; meanwhile the CPU twin answers, and the Edge TPU is tried again"


def test_it_goes_back_and_says_so(stick: Stick, classifier: Open, caplog: pytest.LogCaptureFixture) -> None:
    """A stick that fails now and then is taken again and again; every fall is counted."""
    caplog.set_level(logging.INFO, "labelcam")
    stick.behave("abort 6")
    opened = classifier(stick.machine())
    assert answers(opened) == NAMES
    assert now(opened).fallbacks == 1
    stick.behave("works")
    opened.model.path.write_bytes(b"what is copied there meanwhile is another network")
    assert back(opened)
    assert (now(opened).taken, now(opened).total, now(opened).fallbacks) == (1, 1, 1)
    assert "SIGABRT" in now(opened).reason
    assert [record.getMessage() for record in caplog.records if "edgetpu-back" in record.getMessage()] == [
        "edgetpu-back fallbacks=1"
    ]


def test_a_hang_costs_the_time_limit_and_one_frame(stick: Stick, classifier: Open) -> None:
    """No frame waits longer than that, however the library hangs."""
    stick.behave("stall 5")
    opened = classifier(stick.machine(invoke_s=0.5, again_s=NEVER))
    begun = time.monotonic()
    assert answers(opened) == NAMES
    assert 0.5 <= time.monotonic() - begun < 5
    assert "gave no answer within 0.5 s during invoke" in now(opened).reason


def test_without_one_it_begins_on_the_twin(stick: Stick, classifier: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for "edgetpu" and has none is warned with the reason and the remedy, and served; it is tried again."""
    stick.behave("none")
    opened = classifier(stick.machine())
    announce(opened)
    assert answers(opened) == NAMES
    assert now(opened).fallbacks == 1
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING][:1]
    assert line.endswith(
        "runs on its CPU twin: no Coral USB Accelerator is plugged in; plug one in, into a USB 3 port with enough power"
    )
    stick.behave("works")
    assert back(opened)


def test_auto_takes_the_twin_without_noise(stick: Stick, classifier: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Where no stick is plugged in nothing is started, nothing counted as a fallback, and nobody warned."""
    opened = classifier(stick.machine(), "auto")
    before = list(caplog.records)
    announce(opened)
    assert answers(opened) == NAMES
    assert (now(opened).fallbacks, opened.on_twin) == (0, True)
    assert "no Coral USB Accelerator is plugged in" in now(opened).reason
    assert stick.openings == 0
    assert not [record for record in before if record.levelno >= logging.WARNING]
    assert not [record for record in caplog.records if "Edge TPU" in record.getMessage()]


@pytest.mark.parametrize("delegate", ["auto", "edgetpu"])
def test_a_stick_that_is_plugged_in_is_taken_at_once(delegate: str, stick: Stick, classifier: Open) -> None:
    """However long the pause between two attempts has become."""
    stick.behave("none")
    opened = classifier(stick.machine(again_s=NEVER), delegate)
    assert answers(opened) == NAMES
    stick.behave("works")
    stick.plug(**READY)
    assert back(opened)


def test_auto_takes_one_that_is_there(stick: Stick, classifier: Open) -> None:
    """Without being told more."""
    stick.plug()
    assert now(classifier(stick.machine(), "auto")).delegate == "edgetpu"


def test_one_that_computes_wrongly_is_not_trusted(stick: Stick, classifier: Open) -> None:
    """The goldens are asked before it may answer, each time it comes."""
    stick.behave("wrong")
    opened = classifier(stick.machine(again_s=NEVER))
    assert answers(opened) == NAMES
    assert opened.on_twin
    assert "the Edge TPU does not reproduce the golden blue.png (scores 0." in now(opened).reason


def test_a_reason_that_changes_is_told(stick: Stick, classifier: Open) -> None:
    """First the stick was gone, now the library crashes: what is said is what keeps it from answering now."""
    stick.behave("none")
    opened = classifier(stick.machine())
    assert "is plugged in" in now(opened).reason
    stick.behave("segfault")
    assert soon(lambda: "crashes (SIGSEGV)" in now(opened).reason)
    assert now(opened).fallbacks == 1


def test_closing_ends_everything(stick: Stick, classifier: Open) -> None:
    """The child goes, and nobody tries again behind our back."""
    opened = classifier(stick.machine())
    assert isinstance(opened.interpreter, FallbackNetwork)
    child = opened.interpreter._tpu
    opened.close()
    assert child is not None
    assert ended(child.pid)
    assert answers(opened) == NAMES  # a frame may have been prepared for it already
    assert now(opened).fallbacks == 0
    stick.behave("none")
    waiting = classifier(stick.machine())
    assert any(thread.name == "edgetpu" for thread in threading.enumerate())
    waiting.close()
    assert soon(lambda: not any(thread.name == "edgetpu" for thread in threading.enumerate()))


@pytest.fixture
def answering() -> Iterator[Callable[[Classifier], None]]:
    """Have a classifier answer on a thread of its own until the test ends; not one answer may be wrong."""
    ends, threads, wrong = threading.Event(), [], []

    def go_on(classifier: Classifier) -> None:
        while not ends.is_set():
            if (got := answers(classifier)) != NAMES:
                wrong.append(got)

    def begin(classifier: Classifier) -> None:
        threads.append(threading.Thread(target=go_on, args=(classifier,)))
        threads[-1].start()

    yield begin
    ends.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_newest_model_has_it(stick: Stick, classifier: Open, answering: Callable[[Classifier], None]) -> None:
    """While a model takes over, the one before goes on with its twin; it has the stick back if the new one goes."""
    before = classifier(stick.machine())
    answering(before)
    after = classifier(stick.machine())
    assert (now(after).delegate, answers(after)) == ("edgetpu", NAMES)
    assert (now(before).delegate, now(before).fallbacks) == ("xnnpack", 0)
    assert "a newer model has the Edge TPU" in now(before).reason
    after.close()
    assert soon(lambda: now(before).delegate == "edgetpu")


def test_a_model_that_is_dropped_lets_go(stick: Stick, compiled: Callable[..., Path]) -> None:
    """Whether it has the stick or still seeks it: no close is needed for the next one to have it."""
    for how in ("works", "none"):
        stick.behave(how)
        dropped = Classifier(ModelFile.load(compiled()), delegate="edgetpu", machine=stick.machine())
        del dropped
        assert soon(lambda: not any(thread.name == "edgetpu" for thread in threading.enumerate()))
    stick.behave("works")
    after = Classifier(ModelFile.load(compiled()), delegate="edgetpu", machine=stick.machine())
    assert back(after)
    after.close()


def settings(stick: Stick) -> Path:
    path = stick.told.with_name("labelcam.toml")
    path.write_text(f'[runtime]\ndelegate = "edgetpu"\nedgetpu_library = "{stick.library}"\n')
    return path


def test_the_daemon_outlives_a_usb_fault(
    labelcam,
    stick: Stick,
    compiled: Callable[..., Path],
    environment: dict[str, str],
    photographs: Path,
    tmp_path: Path,
) -> None:
    """Every photograph is answered, rightly and in order, though libedgetpu aborts on the second; one line warns."""
    stick.behave("abort 6")
    environment["STAND_IN_DELEGATE"] = str(stick.told)
    told = settings(stick)
    run = ("run", "--json", "--settings", told, "--model", compiled(), "--camera", f"photos:{photographs}?loop")
    account = stick.told.with_name("summary.json")
    done = labelcam(*run, "--frames", 6, "--summary", account)
    assert done.returncode == 0, done.stderr
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(reading["seq"], reading["label"]) for reading in readings] == list(enumerate(NAMES * 2))
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("WARNING labelcam.edgetpu")]
    assert "(SIGABRT: F driver/usb/usb_driver.cc:834] transfer on tag 2 failed." in line
    summary = json.loads(account.read_text())
    assert (summary["fallbacks"], summary["delegate"], summary["delegated_ops"]) == (1, "xnnpack", [1, 1])
    assert "(SIGABRT" in summary["remarks"]["delegate"]


def test_the_edge_tpu_is_the_live_models(stick: Stick, compiled: Callable[..., Path]) -> None:
    """A shadow of the same make answers on its CPU twin, or each would take the stick from the other."""
    wanted = RuntimeSettings(delegate="edgetpu", edgetpu_library=str(stick.library))
    told, model = replace(Settings(), runtime=wanted), ModelFile.load(compiled())
    live, shadow = classifier_of(told, model), classifier_of(told, model, live=False)
    assert (now(live).delegate, now(shadow).delegate, now(live).reason) == ("edgetpu", "xnnpack", "")
    live.close()


def test_check_says_what_runs_and_asks_the_goldens_of_both(
    labelcam, stick: Stick, compiled: Callable[..., Path], environment: dict[str, str]
) -> None:
    """The Edge TPU's answers and the twin's are held to the same goldens."""
    environment["STAND_IN_DELEGATE"] = str(stick.told)
    told = settings(stick)
    check = ("check", "--settings", told, "--model", compiled(), "--camera", "synthetic:64x48")
    done = labelcam(*check)
    assert done.returncode == 0, done.stdout
    assert "edgetpu takes 1 of 1 operations" in done.stdout
    assert "4 reproduced, and 4 by the CPU twin" in done.stdout
    stick.behave("segfault")
    done = labelcam(*check)
    assert done.returncode == 0, done.stdout
    assert "crashes (SIGSEGV)" in done.stdout
    assert "4 reproduced\n" in done.stdout
