/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   How labels, times and figures are said. */
let names = {};

export function callLabels(given) { names = given; }
export const named = (label) => (Object.hasOwn(names, label) ? names[label] : label);

export const byId = (id) => document.getElementById(id);
/* Text only ever goes in as text; what has not changed is left alone, so that nothing is announced or drawn in vain. */
export function say(element, text) { if (element.textContent !== text) element.textContent = text; }
export function made(kind, text = "", className = "") {
  const element = document.createElement(kind);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export const percent = (score) => Math.round(100 * score) + "\u2009%";
export const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
export function span(seconds) {
  if (seconds < 1) return "a moment";
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}
export const milliseconds = (ms) => (ms < 9.95 ? ms.toFixed(2) : ms < 99.5 ? ms.toFixed(1) : ms.toFixed(0));
export const grouped = (number) => number.toLocaleString("en").replaceAll(",", "\u2009");
