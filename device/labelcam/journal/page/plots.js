/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   Draws the journal: every quantity over the same time, with a hole wherever the record has one. */
"use strict";
(() => {
  const { figures, colour, axis, plot, short, numbers } = sheet;
  const { at, unsure, columns } = figures;
  const known = (name) => columns[name].some((value) => value !== null);

  const DAY = 86400;
  const year = at.at(-1) - at[0] < 300 * DAY ? "" : " {YYYY}";
  const [day, minute, second] = ["{D} {MMM}" + year, "{HH}:{mm}", "{HH}:{mm}:{ss}"].map((pattern) => uPlot.fmtDate(pattern));
  const apart = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, ...[1, 2, 3, 5, 7, 10, 14, 30, 90, 180, 365].map((days) => days * DAY)];
  /* Moments of which no two read alike: seconds where minutes would, and the day where another begins or, beyond one
     day, where an hour comes again. From four days on there is a tick for days alone. */
  const moments = {
    size: 42, space: 64,
    incrs: (u, index, low, high) => (high - low < 4 * DAY ? apart : apart.filter((seconds) => seconds >= DAY)),
    values: (u, ticks, index, space, step) => ticks.map((tick, n) => {
      const date = new Date(tick * 1000);
      if (step >= DAY) return day(date);
      const told = ticks.at(-1) - ticks[0] < DAY && n && day(date) === day(new Date(ticks[n - 1] * 1000));
      return (step < 60 ? second : minute)(date) + (told ? "" : "\n" + day(date));
    }),
  };
  /* A single record is a moment, for which uPlot would show years. */
  const around = (u, low, high) => (at.length > 1 ? [low, high] : [at[0] - 30, at[0] + 30]);

  /* Lines of the same time axis; each is [column, what it is called, its colour, more]. */
  function over(holder, height, lines, unit, more = {}) {
    lines = lines.filter(([name]) => known(name));
    if (!lines.length) { (holder.closest("figure") || holder.closest("section")).remove(); return; }
    const when = (n) => new Date(at[n] * 1000).toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
    const roomy = (u, low, high) => {
      const room = Math.max((high - low) * 0.12, Math.abs(high) * 0.02, 1e-3);
      return [low < room || low < high * 0.3 ? 0 : low - room, high + room];
    };
    // A minute alone is a point; uPlot draws points by itself only where they lie far apart.
    const alone = (u, series) => columns[lines[series - 1][0]].filter((value) => value !== null).length < 3;
    plot(holder, height, {
      scales: { x: { range: around }, y: { range: roomy } },
      axes: [axis(moments), axis({ size: 56, values: numbers() })],
      series: [{}, ...lines.map(([, , paint, extra]) => ({ stroke: () => colour(paint), width: 1.75, spanGaps: false, points: { show: alone, fill: () => colour(paint) }, ...extra }))],
      ...more,
    }, [at, ...lines.map(([name]) => columns[name])], (chart, left) => {
      const wanted = chart.posToVal(left, "x");
      let n = at.findIndex((second) => second >= wanted);
      if (n < 0) n = at.length - 1;
      if (n > 0 && wanted - at[n - 1] < at[n] - wanted) n -= 1;
      const told = lines.filter(([name]) => columns[name][n] !== null).map(([name, called]) => `${short(columns[name][n])} ${unit}  ${called}`);
      return told.length ? [when(n) + (unsure[n] ? " ?" : ""), ...told, ...(columns.throttled[n] ? ["throttled"] : [])].join("\n") : "";
    });
    const keys = document.querySelector(`[data-keys="${holder.dataset.plot}"]`);
    if (keys) lines.forEach(([, called, paint, extra]) => {
      const key = document.createElement("span"), mark = document.createElement("i");
      key.className = "key";
      mark.className = paint + (extra ? " dashed" : "");
      key.append(mark, called);
      keys.append(key);
    });
  }

  /* The 95% interval behind the line of an inference's energy. */
  const band = (u) => {
    const { ctx } = u, x = (n) => u.valToPos(at[n], "x", true), y = (value) => u.valToPos(value, "y", true);
    ctx.save();
    ctx.fillStyle = colour("accent");
    ctx.globalAlpha = 0.16;
    let run = [];
    const fill = () => {
      if (run.length > 1) {
        ctx.beginPath();
        run.forEach((n, step) => ctx[step ? "lineTo" : "moveTo"](x(n), y(columns.mj[n] + columns.mj_error[n])));
        run.reverse().forEach((n) => ctx.lineTo(x(n), y(Math.max(0, columns.mj[n] - columns.mj_error[n]))));
        ctx.fill();
      }
      run = [];
    };
    at.forEach((second, n) => { if (columns.mj[n] === null) fill(); else run.push(n); });
    fill();
    ctx.restore();
  };

  /* Minutes in which the board was held back. */
  const heldBack = (u) => {
    const { ctx } = u, { top, height } = u.bbox;
    ctx.save();
    ctx.fillStyle = colour("warn");
    ctx.globalAlpha = 0.2;
    at.forEach((second, n) => {
      if (!columns.throttled[n]) return;
      const left = u.valToPos(second - 60, "x", true);
      ctx.fillRect(left, top, Math.max(2, u.valToPos(second, "x", true) - left), height);
    });
    ctx.restore();
  };

  const draw = {
    latency: (h) => over(h, 300, [["invoke_p50", "invoke, median", "c0"], ["invoke_p95", "invoke, 95 of 100", "c2"], ["invoke_p99", "invoke, 99 of 100", "c3"], ["age_p95", "age, 95 of 100", "c1", { dash: [6, 4] }]], "ms"),
    frames: (h) => over(h, 220, [["fps", "classified", "c0"], ["limit", "what heat or power leave", "c1", { dash: [6, 4] }]], "a second"),
    dropped: (h) => over(h, 130, [["dropped", "dropped", "c1"]], "frames"),
    mj: (h) => over(h, 240, [["mj", "an inference", "c0"]], "mJ", { hooks: { drawClear: [band] } }),
    watts: (h) => over(h, 150, [["watts", "mean power", "c0"]], "W"),
    celsius: (h) => over(h, 150, [["celsius", "highest", "c0"]], "°C", { hooks: { drawClear: [heldBack] } }),
    mhz: (h) => over(h, 150, [["mhz", "lowest", "c0"]], "MHz", { hooks: { drawClear: [heldBack] } }),
    rss: (h) => over(h, 130, [["rss", "resident", "c0"]], "MB"),
  };
  for (const holder of document.querySelectorAll("[data-plot]")) {
    if (!holder.closest(".absent")) draw[holder.dataset.plot](holder);
  }
})();
