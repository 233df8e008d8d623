// What stands there when there is no result: a plain sentence on what happened, and what to do.

import { Problem } from "./api.js";
import { button, confirmed, h, momentName, tell } from "./dom.js";

const WORDS = {
  0: ["The service does not answer", "Nothing was lost. Check that Eligo is running and that this computer reaches it, then try again."],
  400: ["The request was not understood", ""],
  401: ["Sign in to go on", "This service asks for an API key."],
  403: ["Not allowed", ""],
  404: ["Nothing behind this link", "The result has expired, was deleted, or belongs to somebody else. Paste the note again to match it anew."],
  413: ["Too large", ""],
  415: ["This kind of file is not read", ""],
  422: ["This cannot be read", ""],
  429: ["Too many requests", "Wait a moment, then try again."],
  503: ["The service is not ready", "Nothing was accepted. It usually comes back within seconds."],
};

export function message(title, text, ...more) {
  return h("div", { class: "state", role: "alert" }, h("h2", {}, title), text && h("p", {}, text), more);
}

/** A Problem as a message; `retry` adds a button. */
export function failure(problem, retry) {
  const [title, text] = WORDS[problem.status] ?? ["The program failed", "The log has the place under this request."];
  const said = problem.status === 0 || problem.status === 404 || problem.message === text ? "" : problem.message;
  return message(
    title,
    said,
    text && h("p", {}, text),
    h("p", { class: "row" }, retry && button({ onclick: retry }, "Try again"), h("a", { class: "button quiet", href: "#/" }, "New note")),
  );
}

/** Open a view: what fails is told in its place, where it has not been left meanwhile. */
export async function opening(root, signal, act, retry) {
  try {
    await act();
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    root.replaceChildren(failure(error, error.status === 404 ? null : retry));
  }
}

/** Delete what a view shows, once that is confirmed; `back` leads on. */
export async function erasing(root, signal, name, what, act, back) {
  if (!(await confirmed(`Delete this ${name}?`, what))) return;
  const failed = await act().then(() => null, (error) => error);
  if (signal.aborted) return;
  if (failed && failed.status !== 404) tell("Not deleted", failed.message);
  else root.replaceChildren(message("Deleted", `The ${name} and everything derived from it is gone from this server.`, h("p", {}, back)));
}

/** Links to earlier jobs; `more(job)` is said of each. */
export const recent = (title, kind, address, jobs, more) => h("section", { class: "recent", "aria-label": title }, h("h2", {}, title),
  h("ul", {}, jobs.map((job) => h("li", {}, h("a", { href: `${address}/${job.id}` }, `${kind} of ${momentName(job.created)}`), h("span", { class: "muted" }, ` ${more(job)}`)))));

export function waiting(text) {
  const words = h("p", { class: "waiting-text" }, text);
  const note = h("p", { class: "muted" });
  const element = h("div", { class: "state waiting" }, h("div", { class: "pulse", "aria-hidden": "true" }), words, note);
  return { element, say: (line, more = "") => ((words.textContent = line), (note.textContent = more)) };
}
