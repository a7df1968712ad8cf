/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   Draws the plots of a profile with uPlot from the figures that lie in the page. Text only ever goes in as text. */
"use strict";
(() => {
  const { colour, font, axis, plot, short, numbers } = sheet;
  const { runs, shares, points, windows, idles } = sheet.figures;
  const COLOURS = 8;
  const of = (number) => colour("c" + (number % COLOURS));
  const dash = (number) => (number >= COLOURS ? [6, 4] : undefined);
  const plusMinus = (one) => (one.low === null ? short(one.value) : `${short(one.value)} ± ${short(one.high - one.value)}`);

  /* Ticks of a logarithmic axis at 1, 2 and 5. */
  const decades = (u, index, low, high) => {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const step of [1, 2, 5]) ticks.push(step * 10 ** power);
    }
    return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  };
  /* From zero where that shows the differences, else logarithmic. */
  const scale = (values) => {
    const low = Math.min(...values), high = Math.max(...values);
    return high / low > 6 ? { distr: 3, range: [low / 1.35, high * 1.5] } : { distr: 1, range: [0, high * 1.15] };
  };
  const scaled = (kind, more) => axis({ ...(kind.distr === 3 ? { splits: decades, filter: (u, ticks) => ticks } : {}), values: numbers(), ...more });

  /* How far inferences stray from their configuration's median; the tail has the room that it deserves. */
  function latency(holder) {
    const MOST = 3.4, at = (share) => (share < 1 ? Math.min(-Math.log10(1 - share), 3) : MOST);
    const named = [[0, "fastest"], [0.5, "half"], [0.9, "90%"], [0.99, "99%"], [0.999, "99.9%"], [1, "slowest"]];
    const steps = shares.map(at);
    const lines = runs.map((run) => run.quantiles.map((ms) => ms / run.p50.value));
    const all = lines.flat(), kind = Math.max(...all) > 8 ? { distr: 3 } : {};
    const range = [Math.min(...all, 0.97), Math.max(...all, 1.05)];
    plot(holder, 330, {
      scales: { x: { time: false, range: [0, MOST] }, y: { ...kind, range } },
      axes: [
        axis({ size: 30, splits: named.map(([share]) => at(share)),
          values: (u) => named.map(([share, name]) => (u.width < 480 && (share === 0 || share === 0.999) ? "" : name)) }),
        axis({ size: 52, ...(kind.distr ? { splits: decades, filter: (u, ticks) => ticks } : {}), values: numbers("× ") }),
      ],
      series: [{}, ...runs.map((run, n) => ({ stroke: () => of(n), width: 2, dash: dash(n), points: { show: false } }))],
    }, [steps, ...lines], (chart, left) => {
      const wanted = chart.posToVal(left, "x");
      const n = steps.reduce((best, step, number) => (Math.abs(step - wanted) < Math.abs(steps[best] - wanted) ? number : best), 0);
      return `${+(shares[n] * 100).toFixed(1)}% take at most\n` + runs.map((run) => `${short(run.quantiles[n])} ms  ${run.name}`).join("\n");
    });
  }

  /* Every run with energy, its error bar, and the front of those that none beats in both. */
  function front(holder) {
    const shown = runs.map((run, n) => ({ ...run, n })).filter((run) => run.whole);
    if (!shown.length) return;
    shown.sort((a, b) => a.p50.value - b.p50.value);
    let least = Infinity;
    const best = shown.filter((run) => run.valid && run.whole.value < least && ((least = run.whole.value), true));
    const xs = shown.map((run) => run.p50.value);
    const across = scale(xs), up = scale(shown.flatMap((run) => [run.whole.low ?? run.whole.value, run.whole.high ?? run.whole.value]).filter((mj) => mj > 0));
    const draw = (u) => {
      const { ctx } = u, dpr = uPlot.pxRatio;
      const x = (value) => u.valToPos(value, "x", true), y = (value) => u.valToPos(value, "y", true);
      const places = shown.map((run) => [x(run.p50.value), y(run.whole.value)]);
      const taken = places.map(([left, top]) => [left - 8 * dpr, top - 8 * dpr, left + 8 * dpr, top + 8 * dpr]);
      const free = (box) => box[0] > u.bbox.left && box[2] < u.bbox.left + u.bbox.width && box[1] > u.bbox.top
        && !taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
      ctx.save();
      ctx.lineWidth = 1.5 * dpr;
      ctx.strokeStyle = colour("soft");
      ctx.setLineDash([5 * dpr, 4 * dpr]);
      ctx.beginPath();
      best.forEach((run, step) => ctx[step ? "lineTo" : "moveTo"](x(run.p50.value), y(run.whole.value)));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.font = font(12 * dpr, "550");
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      shown.forEach((run, step) => {
        const [left, top] = places[step];
        ctx.strokeStyle = ctx.fillStyle = of(run.n);
        ctx.lineWidth = 2 * dpr;
        if (run.whole.low > 0) {
          ctx.beginPath();
          ctx.moveTo(left, y(run.whole.low)); ctx.lineTo(left, y(run.whole.high));
          ctx.stroke();
        }
        ctx.beginPath();
        ctx.arc(left, top, 5.5 * dpr, 0, 2 * Math.PI);
        if (run.valid) ctx.fill(); else { ctx.fillStyle = colour("paper"); ctx.fill(); ctx.stroke(); }
        const name = run.valid ? run.name : run.name + " (invalid)";
        const wide = ctx.measureText(name).width, tall = 14 * dpr, away = 12 * dpr;
        const spots = [[1, 0], [-1, 0], [1, -1], [1, 1], [-1, -1], [-1, 1]].map(([side, lift]) => {
          const begin = side > 0 ? left + away : left - away - wide, middle = top + lift * 14 * dpr;
          return [begin, middle - tall / 2, begin + wide, middle + tall / 2];
        });
        const spot = spots.find(free); // where there is no room the key above the plot has to do
        if (!spot) return;
        taken.push(spot);
        ctx.fillStyle = colour("ink");
        ctx.fillText(name, spot[0], (spot[1] + spot[3]) / 2);
      });
      ctx.restore();
    };
    plot(holder, 360, {
      scales: { x: { time: false, ...across }, y: up },
      axes: [scaled(across, { size: 30, label: "median latency, ms" }), scaled(up, { size: 40, labelGap: 6, label: "mJ for an inference, whole board" })],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [draw] },
      cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
    }, [xs, shown.map((run) => run.whole.value)], (chart, left, top) => {
      const far = (run) => Math.hypot(chart.valToPos(run.p50.value, "x") - left, chart.valToPos(run.whole.value, "y") - top);
      const near = shown.reduce((a, b) => (far(b) < far(a) ? b : a));
      if (far(near) > 40) return "";
      return `${near.name}\n${plusMinus(near.p50)} ms\n${plusMinus(near.whole)} mJ whole board\n${plusMinus(near.marginal)} mJ above idle`;
    });
  }

  /* One quantity over time, with the stages behind it. */
  function time(holder, column, unit) {
    const known = points.filter((point) => point[column] !== null);
    if (known.length < 2) { holder.closest("figure").remove(); return; }
    const stage = (at) => {
      const found = windows.find(([begun, ended]) => begun <= at && at <= ended);
      if (found) return runs[found[2]].name;
      return idles.some(([begun, ended]) => begun <= at && at <= ended) ? "idle" : "between windows";
    };
    const behind = (u) => {
      const { ctx } = u, { top, height } = u.bbox;
      const band = (begun, ended) => {
        const left = u.valToPos(begun, "x", true);
        ctx.fillRect(left, top, u.valToPos(ended, "x", true) - left, height);
      };
      ctx.save();
      ctx.fillStyle = colour("idle");
      idles.forEach(([begun, ended]) => band(begun, ended));
      ctx.globalAlpha = 0.17;
      windows.forEach(([begun, ended, n]) => { ctx.fillStyle = of(n); band(begun, ended); });
      ctx.restore();
    };
    const roomy = (u, low, high) => {
      const room = Math.max((high - low) * 0.12, Math.abs(high) * 0.02, 1e-3);
      return [low - room, high + room];
    };
    plot(holder, unit === "W" ? 240 : 150, {
      scales: { x: { time: false, range: (u, low, high) => [low, high] }, y: { range: roomy } },
      axes: [axis({ size: 28, space: 64, values: numbers("", " s") }), axis({ size: 52, values: numbers() })],
      series: [{}, { stroke: () => colour("ink"), width: 1.25, points: { show: false }, spanGaps: false }],
      hooks: { drawClear: [behind] },
    }, [points.map((point) => point[0]), points.map((point) => point[column])], (chart, left) => {
      const at = chart.posToVal(left, "x");
      const nearest = known.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
      return `${nearest[0].toFixed(1)} s, ${stage(nearest[0])}\n${short(nearest[column])} ${unit}` + (nearest[4] ? "\nthrottled" : "");
    });
  }

  const draw = { latency, front, watts: (h) => time(h, 1, "W"), celsius: (h) => time(h, 2, "°C"), mhz: (h) => time(h, 3, "MHz") };
  for (const holder of document.querySelectorAll("[data-plot]")) {
    if (!holder.closest(".absent")) draw[holder.dataset.plot](holder);
  }
})();
