# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The window as a person meets it: in Chromium, on a tablet and a phone, light and dark, by keyboard and by ear."""

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headless_chromium import Chromium
from labelcam.records import Event, Vitals
from open_window import TOKEN, OpenWindow, open_window, until

ODD = '<img src=x onerror=alert(1)> "quoted" & \\ \U0001f426 </script><b>bold</b>'
GREEN = np.full((480, 640, 3), (40, 150, 70), np.uint8)
ERRORS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening")


@pytest.fixture(scope="module")
def chromium(need_tool: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    shell = shutil.which("chromium-headless-shell")
    program = shell or need_tool("chromium", "chromium-headless-shell")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def window(chromium: Chromium) -> Iterator[OpenWindow]:
    with open_window(names={"coffee": "Kaffee <b>schwarz</b>"}) as opened:
        yield opened
        chromium.ask("Page.navigate", url="about:blank")  # or its streams would have to be ended


def live(window: OpenWindow, chromium: Chromium, width: int = 1280, **how: Any) -> None:
    """Open the page, with everything on it."""
    window.see("person", Event("enter", "person", 0.0), pixels=GREEN, vitals=Vitals(4.31, 58.2, False, 2400))
    window.account(remarks={"rate": "the camera gives 4 frames a second of the 10 that are asked for"})
    chromium.open(window.url, width, **how)
    chromium.until("document.documentElement.dataset.link === 'live' && !document.getElementById('live').hidden")
    chromium.until("document.getElementById('fps').textContent !== '\\u2013'")
    chromium.until("document.getElementById('live').naturalWidth > 0")


def text(chromium: Chromium, selector: str) -> str:
    return str(chromium.run(f"document.querySelector({selector!r}).textContent"))


def test_everything_is_on_the_page_and_nothing_from_elsewhere(window: OpenWindow, chromium: Chromium) -> None:
    """Label, event with thumbnail, figures, percentiles, remark and model; no error, no request but to us."""
    live(window, chromium, height=800)
    for _ in range(3):
        window.window._sampled_s = 0.0  # as if a second had passed
        window.window._due_s = 0.0
        window.see("person", pixels=GREEN, vitals=Vitals(4.31, 58.2, False, 2400))
        chromium.run("new Promise(done => setTimeout(done, 1000))")
    assert (text(chromium, "#label"), text(chromium, "#score")) == ("person", "93\u2009%")
    assert text(chromium, "#visits bdi") == "person"
    assert "in view" in text(chromium, "#visits .when")
    chromium.until("document.querySelector('#visits img').naturalWidth === 240")
    assert text(chromium, "#fps") == "10.0"
    assert text(chromium, "#age") == "13.0ms p95"
    assert (text(chromium, "#watts"), text(chromium, "#celsius")) == ("4.31W", "58.2°C")
    assert text(chromium, "#throttled") == "fullspeed"
    assert "4 frames a second" in text(chromium, "#remarks")
    assert text(chromium, "#percentiles tr:nth-child(3)") == "invoke10.013.017.024.0"
    card = text(chromium, "#card")
    for fact in ("94.7\u2009% like the float network, on 736 unseen images", "Zlib", "26b3f9e0", "28 of 32 operations"):
        assert fact in card
    coloured = chromium.until("""(() => {
        const canvas = document.querySelector('#plot canvas');
        if (!canvas) return 0;
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let coloured = 0;
        for (let n = 0; n < pixels.length; n += 4) coloured += pixels[n + 3] > 100 && pixels[n + 2] - pixels[n] > 60;
        return coloured; })()""")
    assert coloured > 20  # three seconds of three minutes
    assert chromium.happened(*ERRORS) == []
    asked = [sent["request"]["url"] for sent in chromium.happened("Network.requestWillBeSent")]
    assert asked
    assert all(url.startswith(window.url) for url in asked), asked


def test_the_picture_is_on_the_screen(window: OpenWindow, chromium: Chromium) -> None:
    """What the camera sees takes the largest part of a tablet, in its own colours, under a readable label."""
    live(window, chromium, height=800)
    chromium.until("document.getElementById('live').complete")
    screen = cv2.imdecode(np.frombuffer(chromium.screenshot(), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)
    assert screen.shape == (800, 1280, 3)
    green = (np.abs(screen - (40, 150, 70)).max(axis=2) < 12).mean()
    assert green > 0.3
    assert screen.std() > 20


def test_a_label_is_text_whatever_it_holds(window: OpenWindow, chromium: Chromium) -> None:
    """Markup in a label is shown as it is, on the picture, in the guesses, among the events and to the ear."""
    window.see(ODD, Event("enter", ODD, 0.0), pixels=GREEN)
    window.account(remarks={ODD: ODD}, model=ODD)
    chromium.open(window.url, 1280)
    chromium.until(f"document.getElementById('label').textContent === {ODD!r}")
    for place in ("#guesses bdi", "#visits bdi"):
        assert text(chromium, place) == ODD
    chromium.until(f"document.getElementById('said').textContent === {ODD!r}")
    chromium.until("!document.getElementById('remarks').hidden")
    assert chromium.run("document.querySelectorAll('img[src=x], main b b, bdi *, #remarks b').length") == 0
    assert chromium.happened(*ERRORS) == []


def test_labels_are_called_as_the_settings_say(window: OpenWindow, chromium: Chromium) -> None:
    """[labels.names] translates wherever a person reads, as text; what has no name there keeps its own."""
    window.see("coffee", Event("enter", "coffee", 0.0), pixels=GREEN)
    chromium.open(window.url, 1280)
    chromium.until("document.getElementById('label').textContent === 'Kaffee <b>schwarz</b>'")
    assert text(chromium, "#visits bdi") == "Kaffee <b>schwarz</b>"
    window.see("constructor", Event("enter", "constructor", 0.0), pixels=GREEN)
    chromium.until("document.getElementById('label').textContent === 'constructor'")


def test_a_new_label_is_said_once(window: OpenWindow, chromium: Chromium) -> None:
    """A screen reader hears of changes politely, not of every frame."""
    live(window, chromium)
    chromium.until("document.getElementById('said').textContent === 'person'")
    chromium.run(
        "window.heard = 0; new MutationObserver(all => { heard += all.length; }).observe("
        "document.getElementById('said'), { childList: true, characterData: true, subtree: true })"
    )
    for _ in range(10):
        window.see("person", pixels=GREEN)
    window.see("coffee", Event("enter", "coffee", 0.0), pixels=GREEN)
    chromium.until("document.getElementById('said').textContent === 'Kaffee <b>schwarz</b>'")
    assert chromium.run("heard") <= 2  # one change: the old text goes, the new one comes
    assert chromium.run("document.getElementById('said').getAttribute('aria-live')") == "polite"


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_nobody_scrolls_sideways(window: OpenWindow, chromium: Chromium, width: int) -> None:
    """On a small phone, a phone, a tablet and a large one, the page is as wide as the screen."""
    live(window, chromium, width)
    window.see("a label of the kind that takes one word of a hundred letters " + "x" * 100, pixels=GREEN)
    chromium.run("new Promise(done => setTimeout(done, 300))")
    assert chromium.run("document.documentElement.scrollWidth") <= width


CONTRASTS = """(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(n => top[n] * a + below[n] * (1 - a)); };
    const linear = (v) => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
    const ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
    const behind = (element, picture) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            if (at.id === 'view' && !document.getElementById('live').hidden) { layers.push(picture); break; }
            layers.push(numbers(getComputedStyle(at).backgroundColor));
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, style = getComputedStyle(element);
        const seen = element.checkVisibility() && !element.closest('.unseen, noscript');
        if (!walker.currentNode.data.trim() || !seen) continue;
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const worst = Math.min(...[[255, 255, 255], [0, 0, 0]].map(picture => {
            const back = behind(element, picture); return ratio(over(numbers(style.color), back), back); }));
        found.push([worst, large ? 3 : 4.5, walker.currentNode.data.trim().slice(0, 40)]);
    }
    return found; })()"""
"""Every visible text: its contrast to what is behind it (WCAG 2.1), whatever the picture, and the contrast it needs."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_can_be_read(window: OpenWindow, chromium: Chromium, dark: bool) -> None:
    """Every text has the contrast that WCAG's AA asks for, also upon a white and upon a black picture."""
    live(window, chromium, dark=dark)
    found = chromium.run(CONTRASTS)
    assert len(found) > 50
    assert [text for ratio, needed, text in found if ratio < needed] == []


def test_the_keyboard_reaches_everything_in_order_and_one_sees_where(window: OpenWindow, chromium: Chromium) -> None:
    """Tab goes from the picture's tools to the events, each with a name and a visible focus; Enter pauses."""
    live(window, chromium)
    order = []
    for _ in range(4):
        chromium.press("Tab")
        order.append(chromium.run("document.activeElement.id"))
        assert chromium.run("getComputedStyle(document.activeElement).outlineStyle") != "none", order
    expected = ["pause", "snapshot", "full", "visits"]
    assert order == (expected if "full" in order else [*expected[:2], "visits", order[3]])
    tree = chromium.ask("Accessibility.getFullAXTree")["nodes"]
    names = {
        node["name"]["value"]
        for node in tree
        if any(told["name"] == "focusable" and told["value"]["value"] for told in node.get("properties", []))
        and node["role"]["value"] != "RootWebArea"
    }
    assert "" not in names
    assert {"Pause the picture", "Download this picture in full size", "Lately"} <= names
    assert chromium.run("document.documentElement.lang && document.querySelectorAll('h1').length") == 1
    assert chromium.run("[...document.images].every(image => image.hasAttribute('alt'))")


def test_a_paused_picture_stays_and_is_not_sent(window: OpenWindow, chromium: Chromium) -> None:
    """What moves can be stopped: the stream ends, the last picture stands, and it goes on when asked."""
    live(window, chromium)
    until(lambda: window.window._feed.viewers == 2)
    chromium.run("document.getElementById('pause').click()")
    until(lambda: window.window._feed.viewers == 1)
    assert chromium.run("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    assert chromium.run("!document.getElementById('still').hidden && document.getElementById('still').width") == 640
    chromium.run("document.getElementById('pause').click()")
    until(lambda: window.window._feed.viewers == 2)


def test_a_page_that_nobody_sees_asks_for_nothing(window: OpenWindow, chromium: Chromium) -> None:
    """In the background both streams end; they come back with the page."""
    live(window, chromium)
    until(lambda: window.window._feed.viewers == 2)
    hide = "Object.defineProperty(document, 'hidden', { get: () => HIDDEN, configurable: true });"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    chromium.run(hide.replace("HIDDEN", "true"))
    until(lambda: window.window._feed.viewers == 0)
    chromium.run(hide.replace("HIDDEN", "false"))
    until(lambda: window.window._feed.viewers == 2)


def test_who_wants_less_motion_gets_none(window: OpenWindow, chromium: Chromium) -> None:
    """Nothing slides or fades."""
    live(window, chromium, prefers_reduced_motion="reduce")
    moving = "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
    assert chromium.run(f"{moving}.length") == 0


def test_without_a_camera_the_page_says_so(window: OpenWindow, chromium: Chromium) -> None:
    """Before the first frame, when it is lost, when it is dark, and when nothing is recognised: each in words."""
    chromium.open(window.url, 1280)
    chromium.until("document.getElementById('instead-headline').textContent === 'Waiting for the camera'")
    window.see("person", pixels=GREEN, state="unknown")
    chromium.until("document.getElementById('label').textContent === 'Nothing recognised'")
    window.see("person", Event("enter", "person", 0.0), pixels=GREEN // 20, state="dark")
    chromium.until("document.getElementById('label').textContent === 'Too dark to see'")
    window.lose(f"/dev/video0: no such camera {ODD}", Event("leave", "person", 75.0))
    chromium.until("document.getElementById('instead-headline').textContent === 'The camera is away'")
    assert ODD in text(chromium, "#instead-sentence")
    chromium.until("document.querySelector('#visits .when').textContent.includes('for 75 s')")
    assert chromium.run("document.getElementById('caption').hidden && document.getElementById('tools').hidden")
    window.see("person", pixels=GREEN)
    chromium.until("document.getElementById('label').textContent === 'person'")
    assert chromium.run("document.getElementById('instead').hidden")


def test_in_private_mode_the_word_is_the_picture(chromium: Chromium) -> None:
    """Nothing is asked for that would not be given, and the label is large."""
    with open_window(private=True) as window:
        window.see("person", Event("enter", "person", 0.0))
        chromium.open(window.url, 1280)
        chromium.until("document.getElementById('label').textContent === 'person'")
        assert text(chromium, "#instead-headline") == "Private"
        assert chromium.run("parseFloat(getComputedStyle(document.getElementById('label')).fontSize)") > 48
        asked = [sent["request"]["url"] for sent in chromium.happened("Network.requestWillBeSent")]
        assert not [url for url in asked if ".jpg" in url or ".mjpg" in url]
        chromium.ask("Page.navigate", url="about:blank")


def test_the_page_outlives_the_daemon(chromium: Chromium) -> None:
    """Without an answer it says since when, and keeps the last picture; then it finds the next daemon."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open_window(port=port) as window:
        live(window, chromium)
        chromium.run("new Promise(done => setTimeout(done, 1500))")
    chromium.until("!document.getElementById('gone').hidden")
    assert "since" in text(chromium, "#gone-since")
    chromium.until("!document.getElementById('still').hidden && document.getElementById('still').width === 640")
    assert text(chromium, "#label") == "person"
    with open_window(port=port) as window:
        window.see("coffee", pixels=GREEN)
        chromium.until("document.getElementById('gone').hidden")
        chromium.until("document.getElementById('label').textContent === 'coffee'")
        chromium.ask("Page.navigate", url="about:blank")


def test_who_hears_no_pulse_is_cut_off(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that just falls silent, as when a tablet loses its Wi-Fi, is noticed and made anew."""
    monkeypatch.setattr("labelcam.publish.http.streams.PULSE_S", 1.0)
    with open_window() as window:
        live(window, chromium)
        chromium.run("new Promise(done => setTimeout(done, 3000))")
        assert chromium.run("document.getElementById('gone').hidden")  # pulses are enough
        monkeypatch.setattr("labelcam.publish.http.viewers.Viewer._has_room", lambda _viewer: False)
        chromium.until("!document.getElementById('gone').hidden")
        monkeypatch.undo()
        chromium.until("document.getElementById('gone').hidden")
        chromium.ask("Page.navigate", url="about:blank")


def type_token(chromium: Chromium, token: str) -> None:
    chromium.until("document.activeElement.id === 'token'")
    chromium.ask("Input.insertText", text=token)
    chromium.press("Enter", text="\r")


def test_signing_in_and_out(chromium: Chromium, tmp_path: Path) -> None:
    """The form takes the token and nothing else; then the page shows everything, until one signs out."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    with open_window(token_file=str(path)) as window:
        window.see("person", pixels=GREEN)
        chromium.open(window.url, 390)
        chromium.until("location.pathname === '/sign-in'")
        assert chromium.run(CONTRASTS) != []
        type_token(chromium, "not the token")
        chromium.until("document.getElementById('wrong').textContent.startsWith('That is not the token')")
        type_token(chromium, TOKEN)
        chromium.until("location.pathname === '/' && document.getElementById('live')?.naturalWidth === 640")
        assert chromium.run("document.cookie") == ""
        assert TOKEN not in chromium.run("location.href")
        chromium.run("document.querySelector('#sign-out button').click()")
        chromium.until("location.pathname === '/sign-in'")
        assert chromium.run("fetch('/api/v1/state').then(answer => answer.status)") == 401
        chromium.ask("Page.navigate", url="about:blank")
