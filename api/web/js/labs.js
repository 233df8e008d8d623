// Measurements: the latest of each, its flag against the limits of normal, and its course where there are several.

import { button, h, inOrder, svg } from "./dom.js";
import { dateName, numberName, testName, testOf, testOrder, title, unitName } from "./names.js";

const SHOWN = 14;

/** The labs by test: [{test, values: [lab] by date}], in the order of a laboratory sheet. */
export function grouped(labs) {
  const tests = new Map();
  for (const lab of labs) {
    if (!tests.has(lab.test)) tests.set(lab.test, []);
    tests.get(lab.test).push(lab);
  }
  const order = testOrder();
  return [...tests]
    .map(([test, values]) => ({ test, values: values.map((v, i) => [v, i]).sort(([a, i], [b, j]) => inOrder(a.date ?? "", b.date ?? "") || i - j).map(([v]) => v) }))
    .sort((a, b) => order(a.test) - order(b.test));
}

/** high, low or "": by the note's own limits, else by the usual ones for adults. */
export function flag(lab) {
  const usual = testOf(lab.test);
  const upper = lab.upper_normal ?? usual?.uln;
  const lower = lab.lower_normal ?? usual?.lln;
  if (upper != null && lab.value > upper && !lab.comparator?.startsWith("<")) return "high";
  if (lower != null && lab.value < lower && !lab.comparator?.startsWith(">")) return "low";
  return "";
}

const amount = (lab) => `${{ "<=": "≤", ">=": "≥" }[lab.comparator] ?? lab.comparator ?? ""}${numberName(lab.value)}`;

export const valueName = (lab) => [amount(lab), unitName(lab.unit)].filter(Boolean).join(lab.unit === "%" ? "" : " ");

const FLAGS = { high: ["H", "above the limits of normal"], low: ["L", "below the limits of normal"] };

export function flagMark(lab) {
  const found = flag(lab);
  return found && h("abbr", { class: `flag ${found}`, title: FLAGS[found][1] }, { high: "▲", low: "▼" }[found] + FLAGS[found][0]);
}

/** A small line through the values, against the limits of normal. */
function trend(values) {
  const [width, height, pad] = [60, 16, 3];
  const days = values.map((v) => Date.parse(v.date.length === 4 ? v.date + "-07-01" : v.date.length === 7 ? v.date + "-15" : v.date));
  const numbers = values.map((v) => v.value);
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const x = (day) => pad + ((day - first) / (last - first || 1)) * (width - 2 * pad);
  const y = (value) => height - pad - ((value - low) / (high - low || 1)) * (height - 2 * pad);
  const points = days.map((day, i) => `${x(day).toFixed(1)},${y(numbers[i]).toFixed(1)}`);
  const told = values.map((v) => `${dateName(v.date)} ${numberName(v.value)}`).join(", ");
  return svg(
    "svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Course: ${told}` },
    svg("title", {}, told),
    svg("polyline", { points: points.join(" ") }),
    points.map((point, i) => svg("circle", { cx: point.split(",")[0], cy: point.split(",")[1], r: i === points.length - 1 ? 2.6 : 1.6 })),
  );
}

function row({ test, values }, evidence, edit) {
  const latest = values.at(-1);
  const dated = values.filter((v) => v.date);
  const label = `${title(testName(test))} ${valueName(latest)}${latest.date ? `, ${dateName(latest.date)}` : ""}`;
  for (const earlier of values.slice(0, -1)) evidence.add(`${title(testName(test))} ${valueName(earlier)}${earlier.date ? `, ${dateName(earlier.date)}` : ""}`, "lab", earlier.evidence);
  return h(
    "tr", {},
    h("th", { scope: "row" }, title(testName(test))),
    h("td", { class: "value" }, evidence.fact(label, "lab", latest.evidence, amount(latest), " ", h("small", {}, unitName(latest.unit))), " ", flagMark(latest)),
    h("td", { class: "when" }, new Set(dated.map((v) => v.date)).size > 1 ? trend(dated) : null, dateName(latest.date)),
    h("td", {}, edit(test, latest.value, testName(test))),
  );
}

export function labs(patient, evidence, edit) {
  const tests = grouped(patient.labs);
  if (!tests.length) return h("p", { class: "muted" }, "The note gives no measurement.");
  const rows = tests.map((t) => row(t, evidence, edit));
  const body = h("tbody", {}, rows.slice(0, SHOWN));
  const more = rows.length > SHOWN && button({ class: "quiet", onclick: (e) => (body.append(...rows.slice(SHOWN)), e.target.remove()) }, `Show ${rows.length - SHOWN} more`);
  return [
    h("table", { class: "labs" },
      h("thead", { class: "unseen" }, h("tr", {}, ["Test", "Value", "Date and course", "Correct"].map((t) => h("th", { scope: "col" }, t)))),
      body),
    more,
  ];
}
