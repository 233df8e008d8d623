// The lines of therapy on one axis of time.

import { h, inOrder, svg } from "./dom.js";
import { agentName, dateName, isA, title, treatsCancer } from "./names.js";

const DAY = 86_400_000;
const ROOM = 11; // percent of the axis that the words of a gap need
const REASONS = {
  progression: ["✕", "progression"],
  toxicity: ["!", "toxicity"],
  completion: ["✓", "completed"],
  preference: ["–", "patient's choice"],
  other: ["–", "other reason"],
};

/** Given once, so that no end is missing. */
const infused = (line) => line.drugs.length > 0 && line.drugs.every((drug) => isA(drug, "car_t"));

const isOngoing = (line, patient) => line.ongoing ?? patient.treatments.some((t) => t.line === line.number && t.course === "ongoing");

/** When a line was given, in words. */
export function lineDates(line, patient) {
  const { start, end } = line;
  if (start && end) return start === end ? dateName(start) : `${dateName(start)} – ${dateName(end)}`;
  if (end) return `until ${dateName(end)}`;
  if (!start) return isOngoing(line, patient) ? "ongoing" : "";
  if (isOngoing(line, patient)) return `since ${dateName(start)}`;
  return infused(line) ? dateName(start) : `from ${dateName(start)}`;
}

/** Treatments of the cancer that stand in no line, together where they were given together: shaped as lines, without a number. */
function unnumbered(patient) {
  const groups = new Map();
  const inLines = new Set(patient.lines.flatMap((line) => line.drugs));
  for (const t of patient.treatments) {
    if (t.line != null || inLines.has(t.agent) || !["given", "ongoing"].includes(t.course) || !treatsCancer(t.agent)) continue;
    const when = [t.start, t.end].join();
    const group = groups.get(when) ?? { number: null, drugs: [], start: t.start, end: t.end, evidence: [], ongoing: false };
    if (!group.drugs.includes(t.agent)) group.drugs.push(t.agent);
    group.evidence.push(...t.evidence);
    group.ongoing ||= t.course === "ongoing";
    groups.set(when, group);
  }
  return [...groups.values()].sort((a, b) => inOrder(a.start ?? "~", b.start ?? "~"));
}

/** All that was given against the cancer: the numbered lines, then the rest. */
export const therapies = (patient) => [...patient.lines, ...unnumbered(patient)];

/** First and last instant that a date of any precision can mean. */
function bounds(date) {
  if (!date) return null;
  const [year, month, day] = date.split("-").map(Number);
  const first = Date.UTC(year, (month || 1) - 1, day || 1);
  return [first, day ? first + DAY : month ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1)];
}

function axis(lines, patient) {
  const known = [
    ...lines.flatMap((line) => [line.start, line.end]),
    ...patient.transplants.map((t) => t.date),
    ...(patient.bcma.agents ?? []).map((a) => a.date),
    patient.note_date,
  ].map(bounds).filter(Boolean);
  if (!known.length) return null;
  const first = Math.min(...known.map((b) => b[0]));
  const last = Math.max(...known.map((b) => b[1]));
  const margin = Math.max((last - first) * 0.015, 20 * DAY);
  const [low, high] = [first - margin, last + margin];
  const years = [];
  for (let year = new Date(low).getUTCFullYear() + 1; year <= new Date(high).getUTCFullYear(); year++) years.push(year);
  const step = Math.ceil(years.length / 10);
  return { at: (time) => ((time - low) / (high - low)) * 100, years: years.map((year, i) => ({ year, named: i % step === 0 })) };
}

const percent = (n) => `${n.toFixed(2)}%`;

function grid(scale) {
  return scale.years.map(({ year }) => svg("line", { class: "year", x1: percent(scale.at(Date.UTC(year, 0, 1))), x2: percent(scale.at(Date.UTC(year, 0, 1))), y1: 0, y2: "100%" }));
}

function months(from, to) {
  return Math.round((to - from) / (30.44 * DAY));
}

/** What is known of when a line was given, maintenance included; without an end it runs to the next line's start, or to the note. An infusion has its day. */
function extent(line, next, patient) {
  const start = bounds(line.start);
  if (!start) return null;
  const within = line.number == null ? [] : patient.treatments.filter((t) => t.line === line.number);
  const ends = [line.end, ...within.flatMap((t) => [t.start, t.end])].map(bounds).filter(Boolean);
  if (line.end) return { from: start[0], to: Math.max(start[1], ...ends.map((b) => b[1])), open: false };
  if (infused(line) || (line.number == null && !line.ongoing)) return { from: start[0], to: start[1], open: false };
  const until = bounds(next?.start)?.[0] ?? bounds(patient.note_date)?.[1] ?? start[1];
  return { from: start[0], to: Math.max(until, start[1]), open: true };
}

function lane(line, next, patient, scale) {
  const found = extent(line, next, patient);
  const shapes = [];
  if (found) {
    const [x, width] = [scale.at(found.from), Math.max(scale.at(found.to) - scale.at(found.from), 0.8)];
    shapes.push(svg("rect", { class: found.open ? "given open" : "given", x: percent(x), width: percent(width), y: -6, height: 12, rx: 3 }));
    const after = bounds(next?.start)?.[0];
    const free = after && !found.open ? months(found.to, after) : 0;
    if (free >= 1) {
      const [left, right] = [scale.at(found.to), scale.at(after)];
      shapes.push(svg("line", { class: "free", x1: percent(left), x2: percent(right), y1: 0, y2: 0 }));
      if (right - left > ROOM) shapes.push(svg("text", { class: "free-text", x: percent((left + right) / 2), y: -4, "text-anchor": "middle" }, `${free} mo`));
    }
    const reason = REASONS[line.reason_stopped];
    if (reason && !found.open) shapes.push(svg("text", { class: `stop ${line.reason_stopped}`, x: percent(x + width), y: 4.5, dx: 4 }, reason[0]));
  }
  for (const transplant of transplantsOf(line, patient)) {
    const when = bounds(transplant.date);
    if (when) shapes.push(svg("svg", { x: percent(scale.at((when[0] + when[1]) / 2)), y: 0, overflow: "visible" }, svg("path", { class: "transplant", d: "M0-8 7 0 0 8-7 0Z" })));
  }
  return h("div", { class: "track" }, svg("svg", { class: "lane", width: "100%", height: "100%", "aria-hidden": "true" }, grid(scale), svg("svg", { y: "50%", overflow: "visible" }, shapes)));
}

/** The transplants given within a line; those of no line that fits are the first line's that has one of its kind. */
function transplantsOf(line, patient) {
  if (!line.transplant) return [];
  const owner = (t) => {
    const when = bounds(t.date);
    const having = patient.lines.filter((l) => l.transplant === t.type);
    const within = when && having.filter((l) => bounds(l.start)?.[0] <= when[1]).at(-1);
    return (within || having[0])?.number;
  };
  return patient.transplants.filter((t) => t.type === line.transplant && owner(t) === line.number);
}

function words(line, patient, evidence) {
  const drugs = line.drugs.map(agentName).join(", ") || line.regimen || "drugs not named";
  const transplant = line.transplant && ["◆", line.transplant, "transplant", ...transplantsOf(line, patient).map((t) => dateName(t.date))].filter(Boolean).join(" ");
  const reason = REASONS[line.reason_stopped];
  const dates = lineDates(line, patient) || "not dated";
  return h(
    "div", { class: "line-words" },
    h("span", { class: "line-number" }, line.number ?? "·"),
    h("div", {},
      evidence.fact(line.number == null ? title(drugs) : `Line ${line.number}: ${drugs}`, "treatment", line.evidence, h("strong", {}, title(drugs))),
      h("p", { class: "line-more" },
        [dates, line.best_response, reason && reason.join(" "), transplant].filter(Boolean).join(" · "))),
  );
}

export function timeline(patient, evidence) {
  const lines = therapies(patient);
  if (!lines.length) return h("p", { class: "muted" }, "No treatment of the cancer was read from the note.");
  const scale = axis(lines, patient);
  const dated = scale && lines.some((line) => line.start);
  const lanes = lines.map((line, i) => h("li", {}, words(line, patient, evidence), dated ? lane(line, patient.lines[i + 1], patient, scale) : null));
  const years = dated && h("div", { class: "axis", "aria-hidden": "true" }, h("span"), svg("svg", { width: "100%", height: 16 }, scale.years.filter((y) => y.named).map(({ year }) => svg("text", { x: percent(scale.at(Date.UTC(year, 0, 1))), y: 12, dx: 3 }, year))));
  const key = dated && h("p", { class: "key muted" }, "◆ transplant  ✕ progression  ! toxicity  ✓ completed  ╌ no dated treatment");
  const meaning = lines.length > patient.lines.length && h("p", { class: "key muted" }, "· treatment that the note puts in no line");
  return [h("ol", { class: dated ? "lines" : "lines undated" }, lanes), years, h("div", { class: "keys" }, key, meaning)];
}
