/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   The picture with what it shows, and what stands in its place where there is none. */
import { isLive, whenLinked } from "./link.js";
import { byId, clock, made, named, percent, say } from "./words.js";

const RETRY_MS = 3000, SILENT_MS = 10000, SAID_MS = 3000, GUESSES = 3;
const ICONS = {
  waiting: "M4 8.5h3l1.5-2.5h7L17 8.5h3v10H4zM12 10a3.2 3.2 0 1 0 .01 0",
  lost: "M3 3l18 18M9.5 6h6L17 8.5h3v9.5M17.5 18.5H4v-10h2.5",
  private: "M12 3.5l7.5 3v5.2c0 4.3-3.1 7.3-7.5 8.8-4.4-1.5-7.5-4.5-7.5-8.8V6.5zM9 12l2.2 2.2L15.3 9.8",
  silent: "M12 6.5v6l3.5 2M12 3a9 9 0 1 0 .01 0",
};
const PAUSE = "M8.5 5v14M15.5 5v14", PLAY = "M8 5l11 7-11 7z";
const view = byId("view"), live = byId("live"), still = byId("still");
let hidden = true, camera = { camera: "waiting" }, reading = null, heardAt = performance.now();
let paused = false, asked = 0, retry = 0, said = "", saidAt = -Infinity, saying = 0;

const wording = {
  waiting: () => ["Waiting for the camera", "The first picture will stand here."],
  lost: () => ["The camera is away", `Since ${clock(camera.since)}. ${camera.reason || "It is looked for, and comes back by itself."}`],
  private: () => ["Private", "No picture leaves this device; what it sees is told in words."],
  silent: () => ["No new frame", `The last one came at ${reading ? clock(reading.time) : "an unknown time"}.`],
};

export function greet(hello) {
  hidden = hello.private;
  document.documentElement.toggleAttribute("data-private", hidden);
  draw();
}
export function cameraIs(told) { camera = told; heardAt = performance.now(); draw(); }
export function see(told) { reading = told; heardAt = performance.now(); draw(); }

function mood() {
  if (camera.camera !== "ok") return camera.camera;
  if (performance.now() - heardAt > SILENT_MS && isLive()) return "silent";
  return hidden ? "private" : "live";
}

function draw() {
  const now = mood();
  view.dataset.view = now;
  view.dataset.state = reading && reading.state === "dark" ? "dark" : "";
  const words = wording[now];
  byId("instead").hidden = !words;
  if (words) {
    const [headline, sentence] = words();
    byId("instead-icon").setAttribute("d", ICONS[now]);
    say(byId("instead-headline"), headline);
    say(byId("instead-sentence"), sentence);
  }
  byId("tools").hidden = now !== "live" || !isLive();
  caption(reading && (now === "live" || now === "private"));
  stream(now === "live" && isLive() && !document.hidden && !paused);
  live.hidden = now !== "live" || paused || !live.getAttribute("src");
  still.hidden = now !== "live" || live.hidden === false || !still.width;
  announce(words ? words()[0] : sentenceOf(reading));
}

/* The state may be a label that is called like one of our own states: then the best guess has that name as well. */
function sentenceOf(told) {
  if (!told) return "";
  const isLabel = told.top.some((guess) => guess.label === told.state);
  if (told.state === "dark" && !isLabel) return "Too dark to see";
  if (told.state === "unknown" && !isLabel) return "Nothing recognised";
  return named(told.state);
}

function caption(shown) {
  byId("caption").hidden = !shown;
  if (!shown) return;
  const held = reading.top.find((guess) => guess.label === reading.state);
  say(byId("label"), sentenceOf(reading));
  say(byId("score"), held ? percent(held.score) : "");
  const list = byId("guesses"), guesses = reading.state === "dark" && !held ? [] : reading.top.slice(0, GUESSES);
  while (list.children.length > guesses.length) list.lastChild.remove();
  while (list.children.length < guesses.length) {
    const row = made("li"), bar = made("i");
    bar.append(made("b"));
    row.append(made("bdi"), bar, made("span"));
    list.append(row);
  }
  guesses.forEach((guess, number) => {
    const [name, bar, score] = list.children[number].children;
    say(name, named(guess.label));
    bar.firstChild.style.width = 100 * guess.score + "%";
    say(score, percent(guess.score));
  });
}

/* What is held to be there is said aloud when it changes, and not faster than it can be heard. */
function announce(text) {
  if (text === said || !text) return;
  clearTimeout(saying);
  const wait = Math.max(0, saidAt + SAID_MS - performance.now());
  saying = setTimeout(() => { said = text; saidAt = performance.now(); say(byId("said"), text); }, wait);
}

function stream(wanted) {
  const has = live.hasAttribute("src");
  if (wanted && !has) live.src = "/stream.mjpg?" + ++asked;
  if (!wanted && has) { keep(); live.removeAttribute("src"); }
}

/* A picture of the last second stands in while paused, and until a stream that broke is there again. */
function keep() {
  if (!live.naturalWidth) return;
  [still.width, still.height] = [live.naturalWidth, live.naturalHeight];
  still.getContext("2d").drawImage(live, 0, 0);
}

live.addEventListener("error", () => {
  live.removeAttribute("src");
  clearTimeout(retry);
  retry = setTimeout(draw, RETRY_MS);
});
live.addEventListener("load", () => {
  if (live.naturalWidth) document.documentElement.style.setProperty("--shape", live.naturalWidth / live.naturalHeight);
});
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  byId("pause-icon").setAttribute("d", paused ? PLAY : PAUSE);
  draw();
});
byId("full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : view.requestFullscreen()));
byId("full").hidden = !document.fullscreenEnabled;
byId("snapshot").addEventListener("click", () => {
  byId("snapshot").download = "labelcam-" + new Date().toISOString().slice(0, 19).replaceAll(":", "-") + ".jpg";
});
whenLinked((state) => { if (state !== "live") stream(false); draw(); });
document.addEventListener("visibilitychange", draw);
setInterval(() => { if (!live.hidden) keep(); draw(); }, 1000);
