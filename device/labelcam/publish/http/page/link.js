/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   The one stream of news: kept while the page can be seen, found again when it breaks. */
import { byId, clock, say } from "./words.js";

const AGAIN_MS = 3000, PULSES = 2.5;
const WORDS = { connecting: "Connecting", live: "Connected", gone: "Disconnected" };
const root = document.documentElement;
const heard = [];
let source = null, again = 0, goneSince = null, pulse = 0, pulseSeconds = 15;

export const isLive = () => root.dataset.link === "live";
/* Called with the new state whenever the link comes or goes. */
export function whenLinked(listener) { heard.push(listener); }

function linked(state) {
  if (state === "live") goneSince = null;
  else if (state === "gone" && goneSince === null) goneSince = Date.now();
  if (root.dataset.link !== state) {
    root.dataset.link = state;
    heard.forEach((listener) => listener(state));
  }
  say(byId("link").querySelector("span"), WORDS[state]);
  byId("gone").hidden = state !== "gone";
  if (state === "gone") say(byId("gone-since"), "since " + clock(goneSince) + ". Trying again; what you see is from before.");
}

async function askToSignIn() {
  const answer = await fetch("/api/v1/state", { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 401) location.assign("/sign-in");
}

export function follow(listeners) {
  const close = () => { clearTimeout(again); clearTimeout(pulse); if (source) source.close(); source = null; };
  const open = () => {
    close();
    source = new EventSource("/api/v1/events");
    expect();
    source.onerror = () => {
      linked("gone");
      if (source && source.readyState === EventSource.CLOSED) { // refused, not just broken off: the browser gives up
        again = setTimeout(open, AGAIN_MS);
        askToSignIn();
      }
    };
    for (const [name, listener] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => {
        const told = JSON.parse(event.data);
        if (name === "hello") pulseSeconds = told.pulse_seconds;
        expect();
        linked("live");
        listener(told);
      });
    }
  };
  /* A tablet that has lost its Wi-Fi is told nothing, not even that: whoever hears no pulse is cut off. */
  const expect = () => {
    clearTimeout(pulse);
    pulse = setTimeout(() => { linked("gone"); open(); }, 1000 * PULSES * pulseSeconds);
  };
  /* A page that nobody sees costs the camera nothing. */
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { close(); linked("connecting"); } else open();
  });
  if (!document.hidden) open();
}
