// Which view an address opens, and who is signed in.

import { credentials, get, onSignIn, Problem, session, signOff } from "./api.js";
import { afterPaint, h, inPause } from "./dom.js";
import { showStart } from "./start.js";
import { failure, waiting } from "./states.js";

const root = document.getElementById("main");
const signOut = document.getElementById("sign-out");
let leaving = new AbortController();
let justSent = null; // the note this page sent last: {id, note}

// A view and its styles come when it is opened, the others when nothing else is to do: the first paint waits for none of them.
const STYLES = { result: ["result.css", "print.css"], lists: ["result.css", "lists.css"] };
const styles = new Map();

function style(name) {
  if (!styles.has(name)) {
    styles.set(name, new Promise((loaded) => {
      document.head.append(h("link", { rel: "stylesheet", href: new URL(`../${name}`, import.meta.url), media: name === "print.css" && "print", onload: loaded, onerror: loaded }));
    }));
  }
  return styles.get(name);
}

const open = async (view) => (await Promise.all([import(`./${view}.js`), ...STYLES[view].map(style)]))[0];

// How a sign-in at the identity provider ended, where it did not end well.
const ended = new URLSearchParams(location.search).get("sign_in");
if (ended) history.replaceState(null, "", location.pathname + location.hash);

onSignIn(async (again) => {
  const done = await (await import("./signin.js")).ask(again, again ? null : ended);
  signOut.hidden = !credentials.get();
  return done;
});

signOut.addEventListener("click", async () => {
  leaving.abort(); // what this view still asks for would ask to sign in again
  await signOff().catch(() => null);
  justSent = null;
  location.hash = "#/";
  location.reload();
});

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
  document.documentElement.dataset.view = view || "start";
  window.scrollTo(0, 0);
  const show = (name, act) => {
    root.replaceChildren(waiting("Opening").element);
    open(name).then((module) => signal.aborted || act(module));
  };
  if (view === "match" && id) show("result", ({ showMatch }) => showMatch(root, id, signal, justSent?.id === id ? justSent.note : undefined));
  else if (view === "batch" && index) show("result", ({ showPatient }) => showPatient(root, id, index, trial && decodeURIComponent(trial), signal));
  else if (view === "batch" && id) show("lists", ({ showBatch }) => showBatch(root, id, signal));
  else if (view === "lists") show("lists", ({ showLists }) => showLists(root, signal));
  else showStart(root, (job, note) => {
    justSent = { id: job, note };
    location.hash = `#/match/${job}`;
  }, signal);
}

async function whenIdle() {
  await Promise.all([open("result"), open("lists")]);
  const { dateName, loadNames } = await import("./names.js");
  const [program, { required, caller }] = await Promise.all([get("/api/v1/version"), session(), loadNames()]);
  signOut.hidden = !required;
  if (caller) signOut.title = `Signed in as ${caller.name}, ${caller.tenant}`;
  document.getElementById("version").textContent = `Version ${program.version}, registry of ${dateName(program.registry_date)} (${program.trials} trials).`;
}

signOut.hidden = !credentials.get();
window.addEventListener("hashchange", route);
window.addEventListener("unhandledrejection", ({ reason }) => reason?.name === "AbortError" || root.replaceChildren(failure(new Problem(-1, "The page met something it does not know. Reload it."), () => location.reload())));
route();
afterPaint(() => inPause(() => whenIdle().catch(() => null)));
