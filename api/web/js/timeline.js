// The lines of therapy on one axis of time.

import { h, svg } from "./dom.js";
import { agentName, dateName, dateRange, title } from "./names.js";

const DAY = 86_400_000;
const REASONS = {
  progression: ["✕", "progression"],
  toxicity: ["!", "toxicity"],
  completion: ["✓", "completed"],
  preference: ["–", "patient's choice"],
  other: ["–", "other reason"],
};

/** First and last instant that a date of any precision can mean. */
function bounds(date) {
  if (!date) return null;
  const [year, month, day] = date.split("-").map(Number);
  const first = Date.UTC(year, (month || 1) - 1, day || 1);
  return [first, day ? first + DAY : month ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1)];
}

function axis(patient) {
  const known = [
    ...patient.lines.flatMap((line) => [line.start, line.end]),
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

/** What is known of when a line was given, maintenance included; without an end it runs to the next line's start, or to the note. */
function extent(line, next, patient) {
  const start = bounds(line.start);
  if (!start) return null;
  const within = patient.treatments.filter((t) => t.line === line.number);
  const ends = [line.end, ...within.flatMap((t) => [t.start, t.end])].map(bounds).filter(Boolean);
  if (line.end) return { from: start[0], to: Math.max(start[1], ...ends.map((b) => b[1])), open: false };
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
      shapes.push(svg("text", { class: "free-text", x: percent((left + right) / 2), y: -4, "text-anchor": "middle" }, `${free} mo, none dated`));
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
  const transplant = line.transplant && h("span", { class: "with-transplant" }, `◆ ${line.transplant} transplant`, transplantsOf(line, patient).map((t) => t.date && ` ${dateName(t.date)}`));
  const reason = REASONS[line.reason_stopped];
  return h(
    "div", { class: "line-words" },
    h("span", { class: "line-number", "aria-label": `Line ${line.number}` }, line.number),
    h("div", {},
      evidence.fact(`Line ${line.number}: ${drugs}`, "treatment", line.evidence, h("strong", {}, title(drugs))),
      h("p", { class: "line-more" },
        [dateRange(line.start, line.end) || "dates not given", line.best_response, reason && `stopped: ${reason[1]}`].filter(Boolean).join(" · ")),
      transplant && h("p", { class: "line-more" }, transplant),
    ),
  );
}

export function timeline(patient, evidence) {
  if (!patient.lines.length) return h("p", { class: "muted" }, "No line of therapy was read from the note.");
  const scale = axis(patient);
  const dated = scale && patient.lines.some((line) => line.start);
  const lanes = patient.lines.map((line, i) => h("li", {}, words(line, patient, evidence), dated ? lane(line, patient.lines[i + 1], patient, scale) : null));
  const years = dated && h("div", { class: "axis", "aria-hidden": "true" }, h("span"), svg("svg", { width: "100%", height: 16 }, scale.years.filter((y) => y.named).map(({ year }) => svg("text", { x: percent(scale.at(Date.UTC(year, 0, 1))), y: 12, dx: 3 }, year))));
  const key = dated && h("p", { class: "key muted" }, "◆ transplant  ✕ progression  ! toxicity  ✓ completed  ╌ no dated treatment");
  return [h("ol", { class: dated ? "lines" : "lines undated" }, lanes), years, key];
}
