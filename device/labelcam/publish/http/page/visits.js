/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   What came into view: one line a visit, from its enter event to its leave. */
import { byId, clock, made, named, say, span } from "./words.js";

const SHOWN = 12;

/* Events come oldest first. A leave whose enter is forgotten is a visit of its own. */
function visitsOf(events) {
  const visits = [];
  for (const event of events) {
    const open = visits.findLast((visit) => visit.label === event.label && visit.seconds === null);
    if (event.type === "enter") visits.push({ id: event.id, label: event.label, from: event.time, seconds: null, thumbnail: event.thumbnail });
    else if (open) { open.seconds = event.duration_s; open.thumbnail ??= event.thumbnail; }
    else {
      const from = new Date(Date.parse(event.time) - 1000 * event.duration_s).toISOString();
      visits.push({ id: event.id, label: event.label, from, seconds: event.duration_s, thumbnail: event.thumbnail });
    }
  }
  return visits.reverse().slice(0, SHOWN);
}

function row(visit) {
  const line = made("li"), words = made("div"), when = made("p", "", "when");
  line.dataset.id = visit.id;
  line.append(made("span", "", "thumbnail"), words);
  words.append(made("p", "", "what"), when);
  words.firstChild.append(made("bdi"));
  when.append(made("time", clock(visit.from)), made("span"));
  when.firstChild.dateTime = visit.from;
  return line;
}

export function showVisits(events) {
  const list = byId("visits"), visits = visitsOf(events);
  const rows = new Map([...list.children].map((line) => [line.dataset.id, line]));
  byId("no-visits").hidden = visits.length > 0;
  const lines = visits.map((visit) => {
    const line = rows.get(visit.id) ?? row(visit);
    const here = visit.seconds === null;
    line.classList.toggle("here", here);
    say(line.querySelector("bdi"), named(visit.label));
    say(line.querySelector(".when span"), here ? "in view" : "for " + span(visit.seconds));
    const place = line.querySelector(".thumbnail");
    if (visit.thumbnail && !place.firstChild) {
      const picture = made("img");
      picture.alt = "";
      picture.src = visit.thumbnail;
      place.append(picture);
    }
    return line;
  });
  if (lines.length !== list.children.length || lines.some((line, number) => list.children[number] !== line)) list.replaceChildren(...lines);
}
