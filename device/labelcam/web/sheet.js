/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   What the scripts of our pages share: the figures that lie in the page, and uPlot dressed in the page's own colours.
   Text only ever goes in as text. */
"use strict";
const sheet = (() => {
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const font = (size, weight = "400") => `${weight} ${size}px system-ui, -apple-system, "Segoe UI", sans-serif`;
  const axis = (more) => ({
    stroke: () => colour("soft"), font: font(11), labelFont: font(11), labelSize: 20, labelGap: 2, gap: 5,
    grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false }, ...more,
  });

  /* What the ticks of an axis read: as many digits as tell them apart, and no more. */
  const numbers = (before = "", after = "") => (u, ticks) => ticks.map((tick) => (tick === null ? "" : before + +tick.toPrecision(6) + after));

  /* Draws into an element and keeps to its width; `tell(chart, left, top)` is what is said beside the pointer. */
  function plot(holder, height, options, data, tell) {
    const wide = () => Math.max(240, Math.floor(holder.clientWidth));
    const chart = new uPlot({
      width: wide(), height, legend: { show: false }, padding: [12, 28, 0, 0],
      cursor: { x: Boolean(tell), y: false, points: { show: false }, drag: { x: false, y: false } }, ...options,
    }, data, holder);
    const said = document.createElement("output");
    said.className = "said";
    chart.over.append(said);
    const show = (left, top) => {
      said.textContent = tell && left >= 0 ? tell(chart, left, top) : "";
      said.style.left = Math.max(0, Math.min(chart.over.clientWidth - said.offsetWidth, left + 14)) + "px";
      said.style.top = Math.max(0, Math.min(chart.over.clientHeight - said.offsetHeight, top - said.offsetHeight - 10)) + "px";
    };
    chart.over.addEventListener("mousemove", (event) => {
      const box = chart.over.getBoundingClientRect();
      show(event.clientX - box.left, event.clientY - box.top);
    });
    chart.over.addEventListener("mouseleave", () => { said.textContent = ""; });
    charts.push(chart);
    new ResizeObserver(() => { if (wide() !== chart.width) chart.setSize({ width: wide(), height }); }).observe(holder);
    return chart;
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.redraw(false, true)));
  return {
    colour, font, axis, plot, numbers,
    figures: JSON.parse(document.getElementById("figures").textContent),
    short: (value) => +value.toPrecision(3),
  };
})();
