/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   Which news goes where. */
import { accounted, cardIs } from "./card.js";
import { showAccount, showBoard } from "./figures.js";
import { follow } from "./link.js";
import { rememberSamples, sampled, showPercentiles } from "./stages.js";
import { cameraIs, greet, see } from "./view.js";
import { showVisits } from "./visits.js";
import { byId, callLabels, say } from "./words.js";

let version = null;

follow({
  hello(told) {
    version ??= told.version;
    if (told.version !== version) location.reload(); // a tablet on a wall may stand through an update
    callLabels(told.names);
    say(byId("node"), told.node);
    say(byId("version"), told.version);
    document.title = told.node + " · labelcam";
    byId("sign-out").hidden = !told.token;
    rememberSamples(told.samples);
    greet(told);
  },
  pulse() {},
  model: cardIs,
  camera: cameraIs,
  events: showVisits,
  reading(told) { see(told); showBoard(told); sampled(told); },
  account(told) { showAccount(told); showPercentiles(told); accounted(told); },
});
