// What is taken along: the plain text for the record, and the one page for print.

import { bcmaWords, doubts, headline, others, qualifiers, refractoriness } from "./card.js";
import { correctionName } from "./correct.js";
import { h } from "./dom.js";
import { grouped, valueName } from "./labs.js";
import { agentName, conditionName, dateName, factName, testName, title, VERDICT } from "./names.js";
import { lineDates, therapies } from "./timeline.js";
import { gist } from "./trials.js";

const TRIALS = 8;
const ROWS = 55; // of the printed page, of so many characters:
const WIDE = 110;
const CELL = 74; // in the table of trials
const LABS = 12;
const ASKED = 6;
const CAVEAT = "This supports and does not replace clinical judgment. What the note does not say counts as unknown.";

/** The same values for text and print. */
function values({ result, corrections, program }) {
  const patient = result.patient;
  const refractory = patient.refractory_to.map(agentName);
  const made = [program && `Eligo ${program.version}`, program && `registry of ${dateName(program.registry_date)}, ${program.trials} trials`, result.as_of && `as of ${dateName(result.as_of)}`].filter(Boolean).join("; ");
  return {
    patient: [...headline(patient), patient.n_lines != null && `${patient.n_lines} prior lines`, patient.ecog != null && `ECOG ${patient.ecog}`, patient.note_date && `note of ${dateName(patient.note_date)}`].filter(Boolean).join("; "),
    bcma: bcmaWords(patient.bcma).text,
    refractory: refractory.length ? `${[refractoriness(patient), "refractory to " + refractory.join(", ")].filter(Boolean).join(": ")}` : "Refractoriness: none read",
    lines: therapies(patient).map((l) => [`${l.number == null ? "-" : `${l.number}.`} ${l.drugs.map(agentName).join(", ")}`, l.transplant && `${l.transplant} transplant`, lineDates(l, patient), l.best_response, l.reason_stopped && `stopped: ${l.reason_stopped}`].filter(Boolean).join("; ")),
    conditions: others(patient).filter((c) => c.status === "present").map((c) => [conditionName(c.id), qualifiers(c)].filter(Boolean).join(" ")),
    labs: grouped(patient.labs).slice(0, LABS).map(({ test, values: all }) => `${title(testName(test))} ${valueName(all.at(-1))}`),
    trials: result.trials.slice(0, TRIALS),
    others: result.trials.length - TRIALS,
    questions: result.questions.slice(0, ASKED).map((q) => factName(q.fact)),
    corrections: corrections.map(correctionName),
    flags: doubts(patient).map((f) => f.text),
    made,
  };
}

const named = (t) => (t.title.startsWith(t.trial_id) ? t.title : `${t.trial_id} ${t.title}`);
const where = (t) => [t.status && title(t.status), t.phase, t.locations[0]].filter(Boolean).join(", ");

export function summaryText(view) {
  const v = values(view);
  const block = (head, lines) => (lines.length ? [head, ...lines.map((line) => "  " + line), ""] : []);
  return [
    "TRIAL MATCHING SUMMARY", "",
    v.patient, v.bcma, v.refractory, "",
    ...block("Lines of therapy", v.lines),
    ...block("Other conditions", v.conditions.length ? [v.conditions.join("; ")] : []),
    ...block("Latest measurements", v.labs.length ? [v.labs.join("; ")] : []),
    ...block("Entered by the clinician", v.corrections),
    ...block("To be looked at", v.flags),
    ...block("Trials, best first", v.trials.flatMap((t) => [`${t.rank}. ${named(t)}`, `   ${VERDICT[t.verdict].word}, score ${Math.round(t.score * 100)}. ${gist(t)}`, ...(where(t) ? [`   ${where(t)}`] : [])])),
    ...(v.others > 0 ? [`  and ${v.others} more trials`, ""] : []),
    ...block("To ask next", v.questions.length ? [v.questions.join("; ")] : []),
    CAVEAT, v.made + ".",
  ].join("\n");
}

/** The trials that one page still has room for. */
function fitting(v) {
  const rows = (text, width) => Math.ceil(text.length / width);
  const lists = [v.lines, v.corrections, v.flags].filter((items) => items.length);
  let left = ROWS - 8 - 2 * lists.length - lists.flat().reduce((sum, item) => sum + rows(item, WIDE), 0);
  for (const text of [v.patient, v.refractory, v.conditions.join("; "), v.labs.join("; "), v.questions.join("; "), CAVEAT + v.made]) left -= rows(text, WIDE);
  return v.trials.filter((t) => (left -= rows(named(t), CELL) + rows(shortGist(t), CELL) + 1) >= 0);
}

const shortGist = (t) => (gist(t).length > 160 ? gist(t).slice(0, 157) + "…" : gist(t));

export function printPage(view) {
  const v = values(view);
  const trials = fitting(v);
  const others = v.others + v.trials.length - trials.length;
  const list = (head, items) => items.length > 0 && [h("h2", {}, head), h("ul", {}, items.map((item) => h("li", {}, item)))];
  return h(
    "section", { class: "print-page", "aria-hidden": "true" },
    h("h1", {}, "Trial matching summary"),
    h("p", {}, h("strong", {}, v.patient)),
    h("p", { class: "print-bcma" }, v.bcma), h("p", {}, v.refractory),
    v.conditions.length > 0 && h("p", {}, "Other conditions: ", v.conditions.join("; ")),
    list("Lines of therapy", v.lines),
    v.labs.length > 0 && [h("h2", {}, "Latest measurements"), h("p", {}, v.labs.join("; "))],
    list("Entered by the clinician", v.corrections),
    list("To be looked at", v.flags),
    h("h2", {}, "Trials, best first"),
    h("table", {}, h("tbody", {}, trials.map((t) => h("tr", {}, h("td", {}, t.rank), h("td", {}, `${VERDICT[t.verdict].sign} ${VERDICT[t.verdict].word}`), h("td", {}, h("strong", {}, named(t)), h("br"), shortGist(t), h("br"), where(t)), h("td", {}, Math.round(t.score * 100)))))),
    others > 0 && h("p", {}, `and ${others} more trials`),
    v.questions.length > 0 && h("p", {}, h("strong", {}, "To ask next: "), v.questions.join("; ")),
    h("p", { class: "print-foot" }, `${CAVEAT} ${v.made}.`),
  );
}
