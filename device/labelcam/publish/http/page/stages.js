/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   What each stage took: stacked over time by uPlot, and as a table that is the plot's legend. */
import { byId, made, milliseconds, say } from "./words.js";

const STAGES = ["capture", "preprocess", "invoke", "decide"], KEPT = 180, EVERY_MS = 950;
const samples = [];
let chart = null;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

export function rememberSamples(given) { samples.splice(0, samples.length, ...given); draw(); }

export function sampled(reading) {
  const at = Date.parse(reading.time);
  if (samples.length && at - samples.at(-1)[0] < EVERY_MS) return;
  samples.push([at, reading.stages_ms]);
  if (samples.length > KEPT) samples.shift();
  draw();
}

/* uPlot stacks nothing by itself: each line is the sum of its stage and those before it, the highest drawn first. */
function stacked() {
  const sums = samples.map(() => 0);
  const lines = STAGES.map((stage) => samples.map(([, stages], n) => (sums[n] += stages[stage] ?? 0)));
  return [samples.map(([at]) => at / 1000), ...lines.reverse()];
}

function draw() {
  if (!window.uPlot || samples.length < 2) return;
  if (chart) chart.setData(stacked()); else chart = begun();
}

function begun() {
  const place = byId("plot");
  const axis = { stroke: () => colour("soft"), font: "12px " + getComputedStyle(document.body).fontFamily, ticks: { show: false }, gap: 6 };
  const line = (_, n) => ({
    width: 0, points: { show: false }, fill: () => colour("stage-" + (STAGES.length - 1 - n)), stroke: "transparent",
  });
  const made = new uPlot({
    width: place.clientWidth, height: place.clientHeight, legend: { show: false }, cursor: { show: false }, padding: [8, 4, 0, 0],
    scales: { x: { range: (_, low, high) => [Math.min(low, high - KEPT), high] }, y: { range: (_, low, high) => [0, Math.max(1e-3, high * 1.08)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })), incrs: [60], size: 28 },
      { ...axis, grid: { stroke: () => colour("line"), width: 1 }, size: 62, values: (_, ticks) => ticks.map((ms) => ms + " ms"), space: 36 },
    ],
    series: [{}, ...STAGES.map(line)],
  }, stacked(), place);
  new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.redraw(false, true));
  return made;
}

export function showPercentiles(account) {
  const source = account.last_minute.frames > 0 ? account.last_minute : account, table = byId("percentiles");
  const rows = [...STAGES.map((stage, n) => [stage, source.stages_ms[stage], n]), ["glass to label", source.age_ms, null]];
  if (!table.childElementCount) {
    table.append(...rows.map(([name, , number]) => {
      const row = made("tr"), head = made("th");
      head.scope = "row";
      if (number !== null) head.append(made("i", "", "key stage-" + number));
      head.append(name);
      row.append(head, ...Array.from({ length: 4 }, () => made("td", "", "number")));
      return row;
    }));
  }
  rows.forEach(([, spread], number) => {
    const cells = [...table.children[number].children].slice(1);
    ["p50", "p95", "p99", "max"].forEach((name, n) => say(cells[n], spread ? milliseconds(spread[name]) : "–"));
  });
}
