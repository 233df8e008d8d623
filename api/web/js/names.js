// How concepts, units, dates and facts are written for people. The names come from the vocabulary the reader itself uses.

import { get } from "./api.js";
import { grouped } from "./dom.js";

let vocabulary = { conditions: {}, therapies: {}, drugs: {}, tests: {}, classes: {} };
let loading;

export function loadNames() {
  loading ??= get("/api/v1/vocabulary").then(
    (loaded) => {
      vocabulary = loaded;
      kinds.clear();
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

const ACRONYMS = /\b(bcma|gprc5d|fcrh5|cd\d+[a-z]?|hiv|hbv|hcv|cmv|ebv|cns|ecg|ecog|kps|lvef|dna|rna|her2|egfr|alk|psa|gvhd|copd)\b/gi;
const spoken = (id) => String(id).replaceAll("_", " ").replace(ACRONYMS, (word) => word.toUpperCase());
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const conditionName = (id) => (vocabulary.conditions[id]?.[0] || spoken(id)).replace(ACRONYMS, (word) => word.toUpperCase());
export const agentName = (id) => vocabulary.therapies[id] || spoken(id);
export const testName = (id) => vocabulary.tests[id]?.name || spoken(id);
export const testOf = (id) => vocabulary.tests[id];
export const treatsCancer = (id) => Boolean(vocabulary.drugs[id]) || id === "radiotherapy" || id === "chemotherapy";
export const isA = (id, general) => id === general || (vocabulary.classes[id] ?? []).includes(general);
export const title = capital;

const kinds = new Map();

/** A condition and all that it is a kind of. */
export function kindsOf(id) {
  if (!kinds.has(id)) {
    const found = new Set([id]);
    for (const at of found) for (const parent of (vocabulary.conditions[at] ?? []).slice(1)) found.add(parent);
    kinds.set(id, found);
  }
  return kinds.get(id);
}

export const conditionIs = (id, general) => kindsOf(id).has(general);

/** Tests in the order of the vocabulary, which is that of a laboratory sheet; what is not in it comes last. */
export function testOrder() {
  const place = new Map(Object.keys(vocabulary.tests).map((id, i) => [id, i]));
  return (id) => place.get(id) ?? place.size;
}

const SINGLE = {
  ecog: "ECOG performance status",
  kps: "Karnofsky score",
  age: "Age",
  prior_lines: "Prior lines of therapy",
  life_expectancy: "Life expectancy",
  sex: "Sex",
  disease_state: "Disease state",
  complete_history: "The note gives the complete treatment history",
};

/** A fact as corrections, missing facts and questions name it: `lvef`, `condition:ID`, `therapy:ID` ... */
export function factName(fact) {
  const [kind, ...rest] = fact.split(":");
  const id = rest.join(":");
  if (!id) return SINGLE[fact] ?? capital(testName(fact));
  if (kind === "condition") return capital(conditionName(id));
  if (kind === "therapy") return `Prior ${agentName(id)}`;
  if (kind === "refractory") return `Refractory to ${agentName(id)}`;
  if (kind === "allergy") return { any: "Drug allergies", other: "Other allergies" }[id] ?? `Allergy to ${agentName(id)}`;
  return `${capital(spoken(kind))}: ${spoken(id)}`;
}

/** Every fact that can be entered, as {fact, label}. */
export function allFacts() {
  const of = (kind, ids) => Object.keys(ids).map((id) => ({ fact: kind + id, label: factName(kind + id) }));
  return [
    ...Object.keys(SINGLE).map((fact) => ({ fact, label: SINGLE[fact] })),
    ...of("", vocabulary.tests).filter((t) => !(t.fact in SINGLE)),
    ...of("condition:", vocabulary.conditions),
    ...of("therapy:", vocabulary.therapies),
    ...of("therapy:", vocabulary.drugs),
    ...of("refractory:", Object.fromEntries(Object.keys(vocabulary.drugs).filter((id) => vocabulary.drugs[id]).map((id) => [id, 1]))),
  ];
}

const POWERS = { 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** A UCUM unit as a laboratory prints it. */
export function unitName(ucum) {
  if (!ucum || ucum === "1") return "";
  return ucum
    .replace(/\{[^}]*1\.73[^}]*\}/, "1.73 m²")
    .replace(/\{[^}]*\}/g, "")
    .replace(/10\*(\d+)/, (_, power) => "×10" + [...power].map((d) => POWERS[d]).join(""))
    .replace("[iU]", "IU")
    .replace("mm[Hg]", "mmHg")
    .replace("Cel", "°C")
    .replace(/\bu(?=[gmL])/, "µ")
    .replace(/\bU\/L/, "U/L")
    .replace(/m2\b/, "m²")
    .replace(/[[\]]/g, "");
}

/** A value as a laboratory prints it: what another unit made of it has no more digits than it can mean. */
export const numberName = (value) => grouped(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(2)));

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A date as precise as it is known: 2024, Mar 2024, 5 Mar 2024. */
export function dateName(date) {
  if (!date) return "";
  const [year, month, day] = date.split("-");
  return [day && Number(day), month && MONTHS[month - 1], year].filter(Boolean).join(" ");
}

/** A sentence of the program with its ISO dates written for people. */
export const dated = (text) => text.replace(/(?<![\w-])\d{4}-(0[1-9]|1[0-2])(-\d{2})?(?![\w-])/g, dateName);

const PHRASES = {
  relapsed_refractory: "relapsed/refractory",
  newly_diagnosed: "newly diagnosed",
  car_t: "CAR-T",
  bispecific_antibody: "bispecific",
  antibody_drug_conjugate: "antibody-drug conjugate",
};
export const phrase = (id) => PHRASES[id] ?? spoken(id);

export const VERDICT = {
  eligible: { word: "Eligible", sign: "✓" },
  possible: { word: "Possible", sign: "?" },
  ineligible: { word: "Ruled out", sign: "✕" },
};
export const OUTCOME = {
  satisfied: { word: "Met", sign: "✓" },
  unknown: { word: "Open", sign: "?" },
  violated: { word: "Not met", sign: "✕" },
};
