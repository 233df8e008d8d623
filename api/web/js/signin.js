// Signing in: at the identity provider where the service has one, else with a key.

import { credentials, session } from "./api.js";
import { button, dialog, h } from "./dom.js";

const REASONS = {
  refused: "The identity provider did not let you in.",
  failed: "The sign-in did not hold. Try again.",
  not_allowed: "You are known, but may not use Eligo yet. Ask whoever runs it for the right to submit and read.",
};

let asking = null;

/** Resolves to true once one may try again. `again`: what was given was refused; `reason`: how a sign-in at the provider ended. */
export function ask(again, reason) {
  asking ??= open(again, reason).finally(() => (asking = null));
  return asking;
}

async function open(again, reason) {
  const { login, caller } = await session();
  if (caller && !again) return true; // signed in meanwhile, in another tab or by another request
  const refused = REASONS[reason] ?? (again && (credentials.get() ? "This key is not valid here." : "You are not signed in yet."));
  const done = await dialog("Sign in", (close) => [
    refused && h("p", { class: "hint", role: "alert" }, refused),
    login ? [atProvider(login, close), h("details", {}, h("summary", {}, "With a key or a token"), withKey(close))] : withKey(close),
  ]);
  return Boolean(done);
}

function atProvider(login, close) {
  const unsent = Boolean(document.getElementById("note-input")?.value); // a note in the box would be lost
  const way = { class: "button primary", href: `${login}?next=${encodeURIComponent("/" + location.hash)}`, target: unsent && "_blank", onclick: () => credentials.clear() };
  return [
    h("p", {}, "Your organisation says who you are; Eligo never sees your password."),
    h("p", { class: "row" }, h("a", way, "Sign in with your organisation"), unsent && button({ onclick: () => close(true) }, "I have signed in")),
    unsent && h("p", { class: "muted" }, "It opens in a tab of its own, so that the note in the box stays."),
  ];
}

function withKey(close) {
  const submit = (event) => {
    event.preventDefault();
    credentials.set(new FormData(event.target).get("key").trim());
    close(true);
  };
  return h("form", { method: "dialog", onsubmit: submit },
    h("p", {}, "An API key (made with ", h("code", {}, "eligo keys create"), ") or a token of your identity provider."),
    h("label", { class: "field" }, h("span", {}, "Key or token"), h("input", { name: "key", type: "password", required: true, autofocus: true, autocomplete: "off" })),
    h("p", { class: "muted" }, "Kept in this tab only, until it is closed."),
    h("p", { class: "row" }, h("button", { class: "primary" }, "Sign in"), button({ class: "quiet", onclick: () => close(false) }, "Cancel")));
}
