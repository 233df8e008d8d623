// What was read of the patient, as a clinician would write it down.

import { h } from "./dom.js";
import { labs } from "./labs.js";
import { agentName, conditionIs, conditionName, dateName, isA, kindsOf, phrase, title } from "./names.js";

const GIVEN = ["given", "ongoing"];
const CLASSES = [
  ["imid", "IMiD"],
  ["proteasome_inhibitor", "Proteasome inhibitor"],
  ["anti_cd38", "Anti-CD38"],
  ["bcma", "BCMA-directed"],
  ["gprc5d", "GPRC5D-directed"],
  ["alkylator", "Alkylator"],
  ["corticosteroid", "Steroid"],
];

const agesex = (p) => [p.age_years != null && `${p.age_years}-year-old`, { male: "man", female: "woman" }[p.sex] ?? (p.age_years != null ? "patient" : "Patient")].filter(Boolean).join(" ");

/** The malignancies that are present, the most particular ones only. */
export function diseases(patient) {
  return particular(patient.conditions.filter((c) => c.status === "present" && conditionIs(c.id, "malignancy")));
}

/** Without what is only a more general name of another one of the same status. */
function particular(conditions) {
  const general = new Set();
  for (const { id, status } of conditions) for (const kind of kindsOf(id)) if (kind !== id) general.add(`${status} ${kind}`);
  return conditions.filter((c) => !general.has(`${c.status} ${c.id}`));
}

export function headline(patient) {
  const disease = diseases(patient).map((c) => conditionName(c.id))[0];
  return [agesex(patient), [disease && title(disease), patient.disease_state && phrase(patient.disease_state)].filter(Boolean).join(", ")].filter(Boolean);
}

/** In words: {status, text}. */
export function bcmaWords(bcma) {
  if (bcma.status === "exposed") {
    const agents = bcma.agents.map((a) => [agentName(a.agent), `(${[phrase(a.modality), dateName(a.date)].filter(Boolean).join(", ")})`].join(" "));
    return { status: "exposed", sign: "●", text: `BCMA exposed${agents.length ? ": " + agents.join("; ") : ""}` };
  }
  if (bcma.status === "naive") return { status: "naive", sign: "○", text: "BCMA naive" };
  return { status: "unknown", sign: "?", text: "BCMA exposure unknown: the note does not say" };
}

/** triple: refractory to a drug of each of the three classes; penta: to two IMiDs, two proteasome inhibitors and a CD38 antibody. */
export function refractoriness(patient) {
  const count = (general) => new Set(patient.refractory_to.filter((id) => isA(id, general))).size;
  const [imids, inhibitors, antibodies] = ["imid", "proteasome_inhibitor", "anti_cd38"].map(count);
  if (imids >= 2 && inhibitors >= 2 && antibodies) return "Penta-refractory";
  if (imids && inhibitors && antibodies) return "Triple-class refractory";
  if (imids && inhibitors) return "Double-class refractory";
  const exposed = (general) => patient.treatments.some((t) => GIVEN.includes(t.course) && isA(t.agent, general));
  return ["imid", "proteasome_inhibitor", "anti_cd38"].every(exposed) ? "Triple-class exposed" : "";
}

/** Contradictions and doubts of the reader; corrections are flagged too, and stand elsewhere. */
export const doubts = (patient) => patient.flags.filter((f) => !f.text.startsWith("Entered by the clinician"));

/** Nothing that a trial could be judged by. */
const isBare = (patient) => !patient.conditions.length && !patient.treatments.length && !patient.labs.length;

export function banner(patient, evidence, edit) {
  const reading = (name) => patient.readings[name]?.evidence;
  const bcma = bcmaWords(patient.bcma);
  const bcmaSpans = [...patient.bcma.evidence, ...patient.bcma.agents.flatMap((a) => a.evidence)];
  const refractory = refractoriness(patient);
  const disease = diseases(patient);
  const elsewhere = bcma.status === "unknown" && disease.length > 0 && !disease.some((c) => conditionIs(c.id, "plasma_cell_disorder"));
  const [who] = headline(patient);
  const stat = (label, value, fact, spans, edited) =>
    h("div", { class: "stat" }, h("dt", {}, label), h("dd", {}, value != null ? evidence.fact(`${label} ${value}`, "status", spans, String(value)) : h("span", { class: "silent" }, "not said"), edit(fact, edited ?? value, label)));
  return h(
    "section", { class: "banner", "aria-label": "Patient" },
    h("h1", {}, evidence.fact(who, "status", [...(reading("age_years") ?? []), ...(reading("sex") ?? [])])),
    h("p", { class: "disease" },
      disease.length ? disease.map((c, i) => [i > 0 && " · ", evidence.fact(title(conditionName(c.id)), "condition", c.evidence), qualified(c)]) : h("span", { class: "silent" }, "The note names no cancer"),
      patient.disease_state && [", ", evidence.fact(phrase(patient.disease_state), "status", reading("disease_state"))], edit("disease_state", patient.disease_state, "disease state")),
    h("ul", { class: "badges" },
      h("li", { class: `badge bcma ${bcma.status}${elsewhere ? " calm" : ""}` }, evidence.fact(bcma.text, "bcma", bcmaSpans, h("span", { "aria-hidden": "true" }, bcma.sign + " "), bcma.text), edit("therapy:bcma", patient.bcma.status, "BCMA exposure")),
      refractory && h("li", { class: "badge" }, evidence.fact(refractory, "refractory", patient.readings.refractory_to.flatMap((r) => r.evidence))),
      patient.transplants.map((t) => h("li", { class: "badge calm" }, evidence.fact(`${title(t.type)} transplant${t.date ? ", " + dateName(t.date) : ""}`, "treatment", t.evidence)))),
    h("dl", { class: "stats" },
      stat("Prior lines", patient.n_lines, "prior_lines", reading("n_lines")),
      stat("ECOG", patient.ecog, "ecog", reading("ecog")),
      patient.kps != null && stat("Karnofsky", `${patient.kps}%`, "kps", reading("kps"), patient.kps),
      h("div", { class: "stat" }, h("dt", {}, "Note of"), h("dd", {}, dateName(patient.note_date) || h("span", { class: "silent" }, "no date")))),
    isBare(patient) && h("p", { class: "hint" }, "Hardly anything was read. Is this the whole note? A scan or a picture has no text: paste its words."),
    doubts(patient).length > 0 && h("ul", { class: "flags" }, doubts(patient).map((f) => h("li", {}, evidence.fact(f.text, "flag", f.evidence)))),
  );
}

function byClass(patient, evidence, edit) {
  const given = new Map();
  for (const t of patient.treatments) if (GIVEN.includes(t.course)) given.set(t.agent, [...(given.get(t.agent) ?? []), ...t.evidence]);
  const refractory = new Map(patient.readings.refractory_to.map((r) => [r.value, r.evidence]));
  const agents = [...new Set([...given.keys(), ...refractory.keys()])];
  const rows = CLASSES.map(([general, name]) => {
    const ofClass = agents.filter((agent) => isA(agent, general));
    const of = ofClass.filter((agent) => refractory.has(agent) || !ofClass.some((other) => other !== agent && isA(other, agent))); // a name of the class says nothing beside its drugs
    return of.length > 0 && h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, of.map((agent) => h("span", { class: "agent" },
        evidence.fact(`${title(agentName(agent))}: ${refractory.has(agent) ? "refractory" : "given"}`, refractory.has(agent) ? "refractory" : "treatment", refractory.get(agent) ?? given.get(agent),
          agentName(agent), refractory.has(agent) ? [" ", h("strong", { class: "tag-no" }, "refractory")] : [" ", h("span", { class: "muted" }, "exposed")]),
        edit(`refractory:${agent}`, refractory.has(agent), `refractory to ${agentName(agent)}`)))));
  });
  return rows.some(Boolean) ? h("table", { class: "classes" }, h("tbody", {}, rows)) : h("p", { class: "muted" }, "No treatment of these classes was read.");
}

/** Stage, grade and the like, in words. */
export const qualifiers = (c) => Object.entries(c.qualifiers).map(([k, v]) => (k === "severity" ? v : `${k === "nyha" ? "NYHA" : k} ${v}`)).join(", ");
const qualified = (c) => qualifiers(c) && h("span", { class: "muted" }, ` ${qualifiers(c)}`);

const STATUSES = [
  ["present", "Present", true],
  ["historical", "In the past", true],
  ["possible", "Possible", true],
  ["absent", "Said to be absent", false],
  ["family", "In the family", false],
];

/** What the patient has, had or may have beside the cancer. */
export function others(patient) {
  const cancers = new Set(diseases(patient).map((c) => c.id));
  return particular(patient.conditions.filter((c) => !c.said && !(c.status === "present" && (cancers.has(c.id) || conditionIs("multiple_myeloma", c.id) || [...cancers].some((id) => conditionIs(id, c.id))))));
}

function conditions(patient, evidence, edit) {
  const found = others(patient);
  const groups = STATUSES.map(([status, name, open]) => {
    const of = found.filter((c) => c.status === status);
    if (!of.length) return null;
    const list = h("ul", { class: "conditions" }, of.map((c) => h("li", {},
      evidence.fact(`${title(conditionName(c.id))}: ${name.toLowerCase()}`, "condition", c.evidence,
        conditionName(c.id), qualified(c), c.date && h("span", { class: "muted" }, " " + dateName(c.date))),
      edit(`condition:${c.id}`, c.status, conditionName(c.id)))));
    return open ? [h("h3", {}, name), list] : h("details", {}, h("summary", {}, `${name} (${of.length})`), list);
  });
  return groups.some(Boolean) ? groups : h("p", { class: "muted" }, "No other condition was read.");
}

function allergies(patient, evidence) {
  if (!patient.allergies.length) return h("p", { class: "muted" }, "The note does not say.");
  return h("ul", { class: "conditions" }, patient.allergies.map((a) => h("li", {}, evidence.fact(a.substance === "any" ? "No known drug allergies" : `${title(agentName(a.substance))}${a.status === "absent" ? ": no allergy" : ""}`, "condition", a.evidence))));
}

/** Receptors, antigens and alterations of the malignant cells, as the pathologist says them. */
function markers(found, evidence, edit) {
  return h("ul", { class: "conditions" }, found.map((c) => h("li", {}, evidence.fact(c.said, "condition", c.evidence, c.said), edit(`condition:${c.id}`, c.status, c.said))));
}

const panel = (name, ...content) => h("section", { class: "panel", "aria-label": name }, h("h2", {}, name), content);

/** The panels below the first screen, one at a time. */
export function* details(patient, evidence, edit) {
  const found = patient.conditions.filter((c) => c.said);
  yield panel("Exposure and refractoriness", byClass(patient, evidence, edit));
  yield panel("Measurements", labs(patient, evidence, edit));
  if (found.length) yield panel("Markers of the disease", markers(found, evidence, edit));
  yield panel("Other conditions", conditions(patient, evidence, edit));
  yield panel("Allergies", allergies(patient, evidence));
}
