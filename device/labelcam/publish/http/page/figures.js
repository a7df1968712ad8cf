/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   The six figures, and what is remarkable. */
import { byId, grouped, made, milliseconds, say } from "./words.js";

function figure(id, text, unit = "", warn = false) {
  const place = byId(id);
  if (place.childElementCount !== 2) place.replaceChildren(made("span"), made("small"));
  say(place.children[0], text);
  say(place.children[1], unit);
  place.classList.toggle("warn", warn);
}

const unknown = (id, why) => figure(id, "–", why);

export function showBoard(reading) {
  if (reading.watts === null) unknown("watts", "no meter"); else figure("watts", reading.watts.toFixed(2), "W");
  if (reading.celsius === null) unknown("celsius", "no sensor"); else figure("celsius", reading.celsius.toFixed(1), "°C", reading.celsius >= 80);
  if (reading.throttled === null) unknown("throttled", "not told");
  else figure("throttled", reading.throttled ? "throttled" : "full", reading.throttled ? "" : "speed", reading.throttled);
}

export function showAccount(account) {
  const minute = account.last_minute, some = minute.frames > 0;
  figure("fps", (some ? minute.fps : account.fps).toFixed(1));
  figure("age", milliseconds((some ? minute : account).age_ms.p95), "ms p95");
  figure("dropped", grouped(account.dropped), account.frames ? "of " + grouped(account.frames + account.dropped) : "");
  showRemarks(Object.entries(account.remarks).filter(([subject]) => subject !== "camera")); // its own place says so
}

function showRemarks(remarks) {
  const list = byId("remarks-list");
  byId("remarks").hidden = remarks.length === 0;
  const lines = remarks.map(([subject, sentence]) => subject + ": " + sentence);
  if (lines.join("\n") !== [...list.children].map((line) => line.textContent).join("\n")) {
    list.replaceChildren(...remarks.map(([subject, sentence]) => {
      const line = made("li");
      line.append(made("strong", subject), ": " + sentence);
      return line;
    }));
  }
}
