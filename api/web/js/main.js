// Which view an address opens, and who is signed in.

import { credentials, get, onSignIn, Problem } from "./api.js";
import { dialog, h } from "./dom.js";
import { dateName, loadNames } from "./names.js";
import { ResultView, showMatch } from "./result.js";
import { showBatch, showLists } from "./lists.js";
import { showStart } from "./start.js";
import { failure, waiting } from "./states.js";

const root = document.getElementById("main");
const signOut = document.getElementById("sign-out");
let leaving = new AbortController();
let justSent = null; // the note this page sent last: {id, note}

let asking = null;
onSignIn((refused) => {
  asking ??= dialog("Sign in", (close) => h("form", { method: "dialog", onsubmit: (event) => {
    event.preventDefault();
    credentials.set(new FormData(event.target).get("key").trim());
    close(true);
  } },
    refused && h("p", { class: "hint", role: "alert" }, "This key is not valid here."),
    h("p", {}, "This service asks for an API key (made with ", h("code", {}, "eligo keys create"), ") or a token of your identity provider."),
    h("label", { class: "field" }, h("span", {}, "Key or token"), h("input", { name: "key", type: "password", required: true, autofocus: true, autocomplete: "off" })),
    h("p", { class: "muted" }, "Kept in this tab only, until it is closed."),
    h("p", { class: "row" }, h("button", { class: "primary" }, "Sign in"), h("button", { type: "button", class: "quiet", onclick: () => close(false) }, "Cancel"))))
    .then((done) => {
      asking = null;
      signOut.hidden = !credentials.get();
      return Boolean(done);
    });
  return asking;
});

signOut.addEventListener("click", () => {
  credentials.clear();
  justSent = null;
  location.hash = "#/";
  location.reload();
});

async function showPatient(id, index, trialId, signal) {
  root.replaceChildren(waiting("Opening the patient").element);
  try {
    const [found] = await Promise.all([get(`/api/v1/batches/${id}/notes/${index}`, { signal }), loadNames()]);
    const back = h("a", { class: "button quiet", href: `#/batch/${id}` }, "← List");
    if (found.error) throw new Problem(422, found.error);
    const program = await get("/api/v1/version", { signal }).catch(() => null);
    const view = new ResultView(root, { note: found.note ?? "", result: found.result, corrections: found.corrections ?? [], program, back });
    view.draw();
    if (trialId) view.trials.open(trialId);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Problem)) throw error;
    root.replaceChildren(failure(error));
  }
}

function route() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [, view = "", id, index, trial] = location.hash.split("/");
  for (const link of document.querySelectorAll("[data-nav]")) {
    const here = link.dataset.nav === (view === "batch" || view === "lists" ? "lists" : "start");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  window.scrollTo(0, 0);
  if (view === "match" && id) showMatch(root, id, signal, justSent?.id === id ? justSent.note : undefined);
  else if (view === "batch" && index) showPatient(id, index, trial && decodeURIComponent(trial), signal);
  else if (view === "batch" && id) showBatch(root, id, signal);
  else if (view === "lists") showLists(root);
  else showStart(root, (job, note) => {
    justSent = { id: job, note };
    location.hash = `#/match/${job}`;
  });
}

signOut.hidden = !credentials.get();
window.addEventListener("hashchange", route);
window.addEventListener("unhandledrejection", () => root.replaceChildren(failure(new Problem(-1, "The page met something it does not know. Reload it."), () => location.reload())));
route();
setTimeout(() => get("/api/v1/version").then((p) => {
  document.getElementById("version").textContent = `Version ${p.version}, registry of ${dateName(p.registry_date)} (${p.trials} trials).`;
}, () => null), 0);
