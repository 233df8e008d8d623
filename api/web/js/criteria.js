// A trial opened: its criteria as the document lists them, what speaks against first.

import { button, h, plural } from "./dom.js";
import { dated, factName, OUTCOME } from "./names.js";

const GROUPS = [
  ["violated", "Not met", "rules the patient out"],
  ["unknown", "Open", "the note does not settle it"],
  ["satisfied", "Met", ""],
];

const quote = (text) => (text.length > 120 ? text.slice(0, 117) + "…" : text);

function criterion(c, edit) {
  const { sign, word } = OUTCOME[c.outcome];
  return h(
    "li", { class: `criterion ${c.outcome}` },
    h("span", { class: "outcome" }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "unseen" }, word)),
    h("div", {},
      h("p", { class: "criterion-text" }, h("span", { class: "criterion-id" }, c.id, " ", h("span", { class: "muted" }, c.kind)), " ", c.text),
      h("p", { class: "reason" }, dated(c.reason), c.presumed && h("em", {}, " (presumed: the note does not mention it)"), c.cohort && h("em", {}, ` (for ${c.cohort} only)`)),
      c.evidence.length > 0 && h("p", { class: "quotes" }, c.evidence.map((e) => button({ class: "fact quote", "data-item": c.item, "data-at": e.start, title: "Show in the note" }, `“${quote(e.text)}”`))),
      c.outcome === "unknown" && c.missing.length > 0 && h("p", { class: "quotes" }, c.missing.map((fact) => edit(fact, null, factName(fact), `Enter: ${factName(fact)}`))),
    ),
  );
}

export function criteria(trial, edit) {
  const settled = (c) => c.assessable || c.outcome === "violated";
  const shown = trial.criteria.filter(settled);
  const later = trial.criteria.filter((c) => !settled(c));
  return [
    trial.notices.length > 0 && h("ul", { class: "notices" }, trial.notices.map((n) => h("li", {}, n))),
    GROUPS.map(([outcome, name, meaning]) => {
      const of = shown.filter((c) => c.outcome === outcome);
      return of.length > 0 && h("section", { class: "criteria" }, h("h4", { class: outcome }, `${name} (${of.length})`, meaning && h("span", { class: "muted" }, ` ${meaning}`)), h("ol", {}, of.map((c) => criterion(c, edit))));
    }),
    later.length > 0 && h("details", { class: "later" }, h("summary", {}, `To confirm at screening: ${plural(later.length, "item")} such as consent`), h("ol", {}, later.map((c) => criterion(c, edit)))),
    !trial.criteria.length && !trial.notices.length && h("p", { class: "muted" }, "The document lists no criteria."),
    trial.locations.length > 1 && h("details", { class: "later" }, h("summary", {}, plural(trial.locations.length, "site")), h("p", {}, trial.locations.join(" · "))),
  ];
}
