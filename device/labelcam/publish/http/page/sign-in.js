/* SPDX-FileCopyrightText: 2026 The labelcam authors
   SPDX-License-Identifier: Apache-2.0
   A link on another site leads here even if one has signed in: the cookie does not come with it. Then we just go on. */
const wrong = document.getElementById("wrong");
if (location.search === "?again") {
  wrong.textContent = "That is not the token. After several tries, wait a minute.";
  document.getElementById("token").setAttribute("aria-invalid", "true");
} else {
  fetch("/api/v1/state", { cache: "no-store" }).then((answer) => { if (answer.ok) location.replace("/"); }, () => {});
}
