// Facts put right or added by the clinician: one small form for each kind of fact.

import { button, dialog, h } from "./dom.js";
import { allFacts, dateName, factName, phrase, testOf, title, unitName } from "./names.js";

const CHOICES = {
  sex: ["female", "male"],
  disease_state: ["newly_diagnosed", "relapsed", "refractory", "relapsed_refractory", "remission"],
  condition: ["present", "historical", "absent", "possible"],
  therapy: ["given", "ongoing", "absent"],
  bcma: ["naive", "exposed", "unknown"],
  allergy: ["present", "absent"],
};
const WHOLE = { ecog: [0, 5], kps: [0, 100], age: [0, 130], prior_lines: [0, 40], life_expectancy: [0, 40000] };
const DATED = { condition: "Since", therapy: "Last dose" };
const COMPARATORS = { "": "=", "<": "<", "<=": "≤", ">=": "≥", ">": ">" };

const field = (label, input, help) => h("label", { class: "field" }, h("span", {}, label), input, help && h("small", { class: "muted" }, help));

function choose(values, current, names = (v) => title(phrase(v))) {
  return h("select", { name: "value", required: true }, values.map((v) => h("option", { value: v, selected: v === current }, names(v))));
}

/** {nodes, read(form)}: the fields for a fact, and the value they give. */
function form(fact, current) {
  const [kind, id] = fact.split(/:(.*)/s);
  const date = (label, date = "") => field(label, h("input", { name: "date", value: date, placeholder: "YYYY-MM-DD", pattern: "\\d{4}(-\\d{2}(-\\d{2})?)?", autocomplete: "off" }), "A year or a month will do.");
  const text = (data) => data.get("value");
  if (fact === "complete_history" || kind === "refractory") {
    return { nodes: [field("Answer", choose(["yes", "no"], current ? "yes" : "no"))], read: (data) => text(data) === "yes" };
  }
  if (fact in WHOLE) {
    const [min, max] = WHOLE[fact];
    const input = h("input", { name: "value", type: "number", min, max, step: fact === "kps" ? 10 : 1, required: true, value: current ?? "", inputmode: "numeric" });
    const unit = { age: " (years)", life_expectancy: " (days)" }[fact] ?? "";
    return { nodes: [field(factName(fact) + unit, input), fact === "ecog" || fact === "kps" ? date("Assessed on") : null], read: (data) => Number(text(data)) };
  }
  if (fact in CHOICES) return { nodes: [field(factName(fact), choose(CHOICES[fact], current))], read: text };
  if (fact === "therapy:bcma") return { nodes: [field("BCMA-directed therapy", choose(CHOICES.bcma, current)), date("Date, if exposed")], read: text };
  if (kind in CHOICES && id) return { nodes: [field(factName(fact), choose(CHOICES[kind], current)), DATED[kind] && date(DATED[kind])], read: text };
  const test = testOf(fact);
  const value = h("input", { name: "value", type: "number", step: "any", required: true, value: current ?? "", inputmode: "decimal", "aria-label": "Value" });
  const comparator = h("select", { name: "comparator", "aria-label": "Comparator", class: "narrow" }, Object.entries(COMPARATORS).map(([v, sign]) => h("option", { value: v }, sign)));
  const unit = h("input", { name: "unit", value: test?.unit === "1" ? "" : (test?.unit ?? ""), "aria-label": "Unit", class: "narrow", autocomplete: "off" });
  return {
    nodes: [
      h("fieldset", { class: "value-row" }, h("legend", {}, title(factName(fact))), comparator, value, unit, test && h("small", { class: "muted" }, `as ${unitName(test.unit) || "a number"}, between ${test.low} and ${test.high}`)),
      date("Measured on"),
    ],
    read: (data) => Number(text(data)),
  };
}

/** Ask for one fact; resolves to a correction, or undefined. */
export function askFact(fact, current) {
  return dialog(`Correct: ${factName(fact)}`, (close) => {
    const { nodes, read } = form(fact, current);
    const submit = (event) => {
      event.preventDefault();
      const data = new FormData(event.target);
      const correction = { fact, value: read(data) };
      for (const name of ["date", "comparator"]) if (data.get(name)) correction[name] = data.get(name);
      if (data.get("unit") && data.get("unit") !== testOf(fact)?.unit) correction.unit = data.get("unit");
      close(correction);
    };
    return h("form", { method: "dialog", onsubmit: submit },
      nodes,
      h("p", { class: "muted" }, "Marked as entered by the clinician, kept with this result and exported with it."),
      h("p", { class: "row" }, h("button", { class: "primary" }, "Save and re-rank"), button({ class: "quiet", onclick: () => close() }, "Cancel")));
  });
}

/** Find a fact by name, then ask for it. */
export async function askAnyFact() {
  const facts = allFacts().map((f) => ({ ...f, words: f.label.toLowerCase() }));
  const fact = await dialog("Add a fact", (close) => {
    const list = h("ul", { class: "found" });
    const find = (words) => {
      const wanted = words.toLowerCase().trim().split(/\s+/);
      const rank = (f) => (f.words === wanted.join(" ") ? 0 : f.words.startsWith(wanted[0]) ? 1 : 2);
      const found = words.trim() ? facts.filter((f) => wanted.every((w) => f.words.includes(w))).sort((a, b) => rank(a) - rank(b) || a.words.length - b.words.length) : facts;
      list.replaceChildren(...found.slice(0, 9).map((f) => h("li", {}, button({ class: "quiet", onclick: () => close(f.fact) }, f.label))));
      if (!found.length) list.append(h("li", { class: "muted" }, "No such test, condition or treatment is known."));
    };
    find("");
    return [
      field("Test, condition or treatment", h("input", { type: "search", autofocus: true, oninput: (e) => find(e.target.value), placeholder: "LVEF, neuropathy, teclistamab ..." })),
      list,
      h("p", { class: "row" }, button({ class: "quiet", onclick: () => close() }, "Cancel")),
    ];
  });
  return fact && askFact(fact, null);
}

/** A correction in words. */
export function correctionName(c) {
  const value = typeof c.value === "boolean" ? (c.value ? "yes" : "no") : typeof c.value === "string" ? phrase(c.value) : `${c.comparator ?? ""}${c.value}`;
  const unit = typeof c.value === "number" ? unitName(c.unit ?? testOf(c.fact)?.unit) : "";
  return `${factName(c.fact)}: ${[value, unit].filter(Boolean).join(" ")}${c.date ? ` (${dateName(c.date)})` : ""}`;
}
