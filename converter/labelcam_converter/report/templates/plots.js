/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   Draws the plots of a report with uPlot from the figures that lie in the page. Text only ever goes in as text. */
"use strict";
(() => {
  const root = document.documentElement;
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const PRINTED_WIDTH = 660; // CSS pixels; fits between the margins of A4 and Letter
  const LEAST_DB = -20; // less is drawn there: nothing of the signal is left either way
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const font = (size, weight = "400") => `${weight} ${size}px system-ui, -apple-system, "Segoe UI", sans-serif`;
  const charts = [];

  const si = (number) => {
    for (const [size, sign] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
      if (Math.abs(number) >= size) return +(number / size).toPrecision(3) + sign;
    }
    return String(number);
  };
  const part = (share) => (100 * share).toFixed(1) + "%";
  const shortened = (name, most = 30) => (name.length > most ? "…" + name.slice(1 - most) : name);

  const axis = (more) => ({
    stroke: () => colour("soft"), font: font(11), labelFont: font(11), labelSize: 18, labelGap: 2, gap: 4,
    grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false }, ...more,
  });

  /* What a plot says of one of its points, on hovering and by the arrow keys. */
  function telling(chart, holder, points, text) {
    const over = chart.over;
    const said = document.createElement("output");
    const mark = document.createElement("div");
    said.className = "said";
    mark.className = "mark";
    mark.hidden = true;
    over.append(mark, said);
    let now = -1;
    const hide = () => { now = -1; mark.hidden = true; said.textContent = ""; };
    const tell = (number) => {
      now = number;
      const [x, y] = points[number];
      const left = chart.valToPos(x, "x"), top = chart.valToPos(y, "y");
      mark.hidden = false;
      mark.style.left = left + "px";
      mark.style.top = top + "px";
      said.textContent = text(number);
      const width = said.offsetWidth, height = said.offsetHeight;
      said.style.left = Math.max(0, Math.min(over.clientWidth - width, left - width / 2)) + "px";
      said.style.top = (top > height + 14 ? top - height - 12 : top + 14) + "px";
    };
    const nearest = (left, top, across) => {
      let best = -1, least = Infinity;
      points.forEach(([x, y], number) => {
        const dx = chart.valToPos(x, "x") - left, dy = across ? 0 : chart.valToPos(y, "y") - top;
        const far = dx * dx + dy * dy;
        if (far < least) { least = far; best = number; }
      });
      return across || least < 900 ? best : -1;
    };
    over.addEventListener("mousemove", (event) => {
      const box = over.getBoundingClientRect();
      const found = nearest(event.clientX - box.left, event.clientY - box.top, holder.dataset.plot !== "scatter");
      if (found < 0) hide(); else tell(found);
    });
    over.addEventListener("mouseleave", hide);
    holder.addEventListener("blur", hide);
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step || !points.length) return;
      event.preventDefault();
      tell(Math.max(0, Math.min(points.length - 1, now < 0 ? (step > 0 ? 0 : points.length - 1) : now + step)));
    });
    return hide;
  }

  function plot(holder, height, options, data, points, text) {
    const width = () => Math.max(200, Math.floor(holder.clientWidth));
    holder.textContent = "";
    const chart = new uPlot({
      width: width(), height: height(width()), legend: { show: false }, padding: [10, 14, 0, 0],
      cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } }, ...options,
    }, data, holder);
    const hide = telling(chart, holder, points, text);
    const fit = (wide) => { hide(); chart.setSize({ width: wide, height: height(wide) }); };
    charts.push({ fit, most: holder.dataset.plot === "scatter" ? 480 : Infinity, refit: () => fit(width()), redraw: () => chart.redraw(false, true) });
    new ResizeObserver(() => { if (width() !== chart.width && !("printing" in root.dataset)) fit(width()); }).observe(holder);
  }

  const wide = (width) => Math.round(Math.max(210, Math.min(320, width * 0.42)));
  const ordinal = { time: false, range: (u, low, high) => [0.5, Math.max(1.5, high + 0.5)] };
  const whole = (values) => values.map((value) => (Number.isInteger(value) ? value : ""));
  const hidden = { show: true, paths: () => null, points: { show: false } };

  function shape(u, kind, x, y, size) {
    const { ctx } = u, scale = uPlot.pxRatio;
    const left = u.valToPos(x, "x", true), top = u.valToPos(y, "y", true), r = size * scale;
    ctx.beginPath();
    if (kind === "cross") {
      ctx.moveTo(left - r, top - r); ctx.lineTo(left + r, top + r);
      ctx.moveTo(left + r, top - r); ctx.lineTo(left - r, top + r);
    } else ctx.arc(left, top, r, 0, 2 * Math.PI);
    return [left, top];
  }

  function scatter(holder) {
    const points = [...report.fidelity.points].sort((a, b) => a.of_float - b.of_float);
    const unit = { time: false, range: [Math.min(0, ...points.map((p) => Math.min(p.of_float, p.of_quantised))), Math.max(1, ...points.map((p) => Math.max(p.of_float, p.of_quantised)))] };
    const draw = (u) => {
      const { ctx } = u;
      ctx.save();
      ctx.strokeStyle = colour("soft");
      ctx.lineWidth = uPlot.pxRatio;
      ctx.setLineDash([4 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
      ctx.beginPath();
      ctx.moveTo(u.valToPos(unit.range[0], "x", true), u.valToPos(unit.range[0], "y", true));
      ctx.lineTo(u.valToPos(unit.range[1], "x", true), u.valToPos(unit.range[1], "y", true));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = colour("accent");
      ctx.globalAlpha = points.length > 200 ? 0.45 : 0.7;
      for (const p of points) if (p.agreed) { shape(u, "dot", p.of_float, p.of_quantised, 3); ctx.fill(); }
      ctx.globalAlpha = 1;
      ctx.strokeStyle = colour("warn");
      ctx.lineWidth = 1.75 * uPlot.pxRatio;
      for (const p of points) if (!p.agreed) { shape(u, "cross", p.of_float, p.of_quantised, 3.5); ctx.stroke(); }
      ctx.restore();
    };
    plot(holder, (width) => Math.min(width, 480), {
      scales: { x: unit, y: unit }, series: [{}, hidden], hooks: { draw: [draw] },
      axes: [axis({ label: "float's best score", size: 22 }), axis({ label: `${report.short}'s score of the same label`, size: 44, space: 50 })],
    }, [points.map((p) => p.of_float), points.map((p) => p.of_quantised)],
    points.map((p) => [p.of_float, p.of_quantised]),
    (n) => `${points[n].image}\nfloat ${points[n].of_float.toFixed(2)}, ${report.short} ${points[n].of_quantised.toFixed(2)}${points[n].agreed ? "" : ", another label is best"}`);
  }

  function noise(holder) {
    const { layers, broken_db } = report.fidelity;
    const most = Math.max(...layers.map((layer) => (layer.broken ? layer.lost_db : 0)));
    const drawn = (db) => (db === null ? null : Math.max(LEAST_DB, db));
    const xs = layers.map((_, n) => n + 1);
    // A softmax speaks in steps of 1/256, and most labels have less: no noise of its own is in that.
    const channel = layers.map((layer) => (layer.kind === "SOFTMAX" ? null : drawn(layer.channel_db))), all = layers.map((layer) => drawn(layer.sqnr_db));
    const known = [...channel, ...all].filter((db) => db !== null);
    const low = Math.min(0, ...known), high = Math.max(25, ...known);
    const draw = (u) => {
      const { ctx } = u, limit = u.valToPos(broken_db, "y", true);
      ctx.save();
      ctx.strokeStyle = colour("soft");
      ctx.lineWidth = uPlot.pxRatio;
      ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
      ctx.beginPath(); ctx.moveTo(u.bbox.left, limit); ctx.lineTo(u.bbox.left + u.bbox.width, limit); ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = colour("accent");
      const size = Math.max(1.5, Math.min(3, u.bbox.width / uPlot.pxRatio / xs.length / 3));
      xs.forEach((x, n) => { if (channel[n] !== null) { shape(u, "dot", x, channel[n], size); ctx.fill(); } });
      ctx.strokeStyle = ctx.fillStyle = colour("warn");
      ctx.lineWidth = 2 * uPlot.pxRatio;
      ctx.font = font(11.5 * uPlot.pxRatio, "600");
      layers.forEach((layer, n) => {
        if (!layer.broken) return;
        const [left, top] = shape(u, "ring", xs[n], channel[n], 7);
        ctx.stroke();
        if (layer.lost_db < most) return;
        const after = left < u.bbox.left + u.bbox.width / 2, below = top < u.bbox.top + u.bbox.height * 0.8;
        ctx.textAlign = after ? "left" : "right";
        ctx.fillText(shortened(layer.name), left + (after ? -4 : 4) * uPlot.pxRatio, top + (below ? 22 : -14) * uPlot.pxRatio);
      });
      ctx.restore();
    };
    plot(holder, wide, {
      scales: { x: ordinal, y: { range: [Math.floor(low / 10) * 10, Math.ceil((high + 2) / 10) * 10] } },
      series: [{}, { stroke: () => colour("accent-mid"), width: 1.25, spanGaps: true, points: { show: false } }, { stroke: () => colour("accent"), width: 1.5, points: { show: false } }],
      hooks: { draw: [draw] },
      axes: [axis({ label: "layer, from input to output", size: 22, grid: { show: false }, values: (u, values) => whole(values) }), axis({ label: "signal to noise, dB", size: 40 })],
    }, [xs, all, channel], xs.map((x, n) => [x, channel[n] ?? all[n] ?? low]),
    (n) => `${layers[n].name}\n${layers[n].channel_db.toFixed(1)} dB in the median channel, ${layers[n].sqnr_db === null ? "no noise" : layers[n].sqnr_db.toFixed(1) + " dB"} in all\n${layers[n].lost_db.toFixed(1)} dB lost here`);
  }

  function costs(holder, what) {
    const { layers } = report.cost;
    const total = {};
    for (const layer of layers) (total[layer.kind] ??= [0, 0]).forEach((_, n, sums) => { sums[n] += n ? layer.parameters : layer.macs; });
    const order = (a, b) => total[b][0] - total[a][0] || total[b][1] - total[a][1] || (a < b ? -1 : 1);
    const kinds = Object.keys(total).sort(order); // as the legend and the table have them
    const xs = layers.map((_, n) => n + 1);
    const bars = uPlot.paths.bars({ size: [0.75, 26], align: 0 });
    const series = kinds.map((_, n) => ({ fill: () => colour("kind-" + Math.min(n, 4)), width: 0, paths: bars, points: { show: false } }));
    plot(holder, (width) => Math.round(wide(width) * 0.8), {
      scales: { x: ordinal, y: { range: (u, least, most) => [0, (most || 1) * 1.08] } }, series: [{}, ...series],
      axes: [axis({ label: "layer, from input to output", size: 22, grid: { show: false }, values: (u, values) => whole(values) }), axis({ label: what === "macs" ? "MACs" : "parameters", size: 52, values: (u, values) => values.map(si) })],
    }, [xs, ...kinds.map((kind) => layers.map((layer) => (layer.kind === kind ? layer[what] : null)))],
    layers.map((layer, n) => [n + 1, layer[what]]),
    (n) => `${layers[n].name}\n${layers[n].kind}: ${si(layers[n].macs)} MACs, ${si(layers[n].parameters)} parameters`);
  }

  function learning(holder) {
    const { epochs, best } = report.training;
    const xs = epochs.map((_, n) => n + 1), valid = epochs.map((epoch) => epoch.validation_accuracy), train = epochs.map((epoch) => epoch.accuracy);
    const low = Math.max(0, Math.floor(10 * Math.min(...valid, ...train)) / 10 - 0.1);
    const draw = (u) => {
      const { ctx } = u;
      ctx.save();
      ctx.fillStyle = colour("accent");
      xs.forEach((x, n) => { shape(u, "dot", x, valid[n], 3); ctx.fill(); });
      ctx.strokeStyle = colour("ink");
      ctx.lineWidth = 2 * uPlot.pxRatio;
      shape(u, "ring", best, valid[best - 1], 7);
      ctx.stroke();
      ctx.restore();
    };
    plot(holder, wide, {
      scales: { x: ordinal, y: { range: [low, 1.02] } }, hooks: { draw: [draw] },
      series: [{}, { stroke: () => colour("accent-mid"), width: 1.5, points: { show: false } }, { stroke: () => colour("accent"), width: 2, points: { show: false } }],
      axes: [axis({ label: "epoch", size: 22, grid: { show: false }, values: (u, values) => whole(values) }), axis({ size: 46, values: (u, values) => values.map((value) => Math.round(100 * value) + "%") })],
    }, [xs, train, valid], xs.map((x, n) => [x, valid[n]]),
    (n) => `epoch ${n + 1}${n + 1 === best ? ", kept" : ""}\nvalidation ${part(valid[n])}, training ${part(train[n])}`);
  }

  const drawers = { scatter, noise, learning, macs: (holder) => costs(holder, "macs"), parameters: (holder) => costs(holder, "parameters") };
  for (const holder of document.querySelectorAll("[data-plot]")) drawers[holder.dataset.plot](holder);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.redraw()));
  // A page that is read in the dark is printed in black on white.
  addEventListener("beforeprint", () => {
    root.dataset.printing = "";
    charts.forEach((chart) => { chart.fit(Math.min(PRINTED_WIDTH, chart.most)); chart.redraw(); });
  });
  addEventListener("afterprint", () => {
    delete root.dataset.printing;
    charts.forEach((chart) => { chart.refit(); chart.redraw(); });
  });
})();
