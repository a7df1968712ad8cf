/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   What runs: the model's card. */
import { byId, grouped, made, say } from "./words.js";

let model = null, account = null;

export function cardIs(told) { model = told; draw(); }
export function accounted(told) { account = told; draw(); }

function fidelity(figures) {
  const found = figures.top1_agreement;
  if (!found || typeof found.value !== "number") return "not measured";
  const share = (value) => (100 * value).toFixed(1).replace(/\.0$/, "") + "\u2009%";
  const count = figures.images ? grouped(figures.images) : "an unknown number of";
  const images = figures.held_out ? `${count} unseen images` : `the ${count} images it was calibrated on`;
  return `${share(found.value)} like the float network, on ${images}`;
}

function facts() {
  const taken = account && `${account.delegated_ops[0]} of ${account.delegated_ops[1]} operations by ${account.delegate}`;
  return [
    ["name", model.name],
    ["answers", fidelity(model.fidelity)],
    ["scheme", model.scheme || "as the file has it"],
    ["architecture", model.architecture],
    ["input", `${model.width} × ${model.height}, ${grouped(model.labels)} labels`],
    ["interpreter", model.runtime],
    ["runs on", taken],
    ["threads", account && String(account.threads)],
    ["shadow", account && account.shadow && `${account.shadow.model}: disagrees in ${grouped(account.shadow.disagreed)} of ${grouped(account.shadow.asked)} frames`],
    ["fallbacks", account && account.fallbacks > 0 && `the processor took over ${grouped(account.fallbacks)} times`],
    ["energy", account && account.energy && account.energy.mj_per_inference && account.energy.mj_per_inference.toPrecision(3) + " mJ an inference, all of the board"],
    ["memory", account && Math.round(account.rss_mb) + " MB resident"],
    ["licence", model.licence || "not told"],
    ["sha256", model.sha256],
  ].filter(([, text]) => text);
}

function draw() {
  if (!model) return;
  const list = byId("card"), found = facts();
  if (list.childElementCount !== found.length) {
    list.replaceChildren(...found.map(([name]) => {
      const fact = made("div"), text = made("dd");
      text.append(made("bdi"));
      fact.className = name === "sha256" ? "code" : "";
      fact.append(made("dt", name), text);
      return fact;
    }));
  }
  found.forEach(([name, text], number) => {
    say(list.children[number].querySelector("dt"), name);
    say(list.children[number].querySelector("bdi"), text);
  });
}
