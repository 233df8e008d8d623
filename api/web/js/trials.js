// The ranked trials: filter, sort, search, open.

import { criteria } from "./criteria.js";
import { button, h, inSlices, plural, say } from "./dom.js";
import { dated, factName, title, VERDICT } from "./names.js";

const FIRST = 5; // rows drawn at once, as no more are seen at once
const GROUP = 10; // rows that the browser lays out together when they come near the screen

const SORTS = {
  rank: ["Rank", (a, b) => a.rank - b.rank],
  open: ["Fewest open", (a, b) => counts(a).violated - counts(b).violated || counts(a).unknown - counts(b).unknown || a.rank - b.rank],
  met: ["Most met", (a, b) => counts(b).satisfied - counts(a).satisfied || a.rank - b.rank],
  status: ["Recruiting first", (a, b) => recruiting(b) - recruiting(a) || a.rank - b.rank],
  title: ["Title", (a, b) => a.title.localeCompare(b.title)],
};

const recruiting = (trial) => Number(trial.status === "recruiting");
const countries = (trial) => [...new Set(trial.locations.map((place) => place.split(",").at(-1).trim()).filter(Boolean))];
const statusOf = (trial) => trial.status ?? "status not given";
const phaseOf = (trial) => trial.phase ?? "Phase not given";

/** How many criteria a note could settle are met, not met, open. */
function counts(trial) {
  if (!trial.counts) {
    trial.counts = { satisfied: 0, violated: 0, unknown: 0 };
    for (const c of trial.criteria) if (c.assessable || c.outcome === "violated") trial.counts[c.outcome] += 1;
  }
  return trial.counts;
}

const wordsOf = (t) => (t.words ??= [t.trial_id, t.title, t.sponsor, t.phase, t.status, ...t.locations].join(" ").toLowerCase());

/** In one line: what rules it out, or what is open. */
export function gist(trial) {
  if (trial.verdict === "ineligible") {
    const against = trial.criteria.filter((c) => c.outcome === "violated");
    const more = against.length > 1 ? ` (and ${against.length - 1} more)` : "";
    if (against.length) return `${against[0].id}: ${dated(against[0].reason)}${more}`;
    return trial.notices.find((n) => n.startsWith("Not for this patient")) ?? "Its disease or its limits of age and sex do not fit";
  }
  if (trial.verdict === "eligible") return "Everything that a note can settle is met";
  const missing = [...new Set(trial.criteria.filter((c) => c.outcome === "unknown" && c.assessable).flatMap((c) => c.missing))];
  if (missing.length) return `Open: ${missing.slice(0, 3).map(factName).join(" · ")}${missing.length > 3 ? ` · ${missing.length - 3} more` : ""}`;
  return trial.criteria.length ? "Some criteria need a look by a person" : (trial.notices[0] ?? "The document lists no criteria");
}

function site(trial) {
  const [first] = trial.locations;
  if (!first) return null;
  return trial.locations.length === 1 ? first : `${first} and ${plural(trial.locations.length - 1, "more site")}`;
}

export class TrialList {
  /** `complete()` is called before the first trial is opened: its quotes need the marks of the note. */
  constructor(trials, edit, complete) {
    Object.assign(this, { trials, edit, complete });
    this.rows = new Map();
    this.kept = { verdict: new Set(), status: "", phase: "", country: "", words: "", sort: "rank" };
    this.list = h("div", { class: "trial-list", onclick: (event) => this.#clicked(event.target) });
    this.shown = h("p", { class: "muted shown", role: "status" });
    this.element = h("section", { class: "trials", "aria-label": "Trials", id: "trials" }, this.#head(), this.shown, this.list);
    this.draw();
  }

  #head() {
    const tally = (verdict) => this.trials.filter((t) => t.verdict === verdict).length;
    const toggle = (verdict) =>
      button({ class: `chip ${verdict}`, "aria-pressed": "false", onclick: (event) => {
        const on = event.currentTarget.getAttribute("aria-pressed") !== "true";
        event.currentTarget.setAttribute("aria-pressed", on);
        this.kept.verdict[on ? "add" : "delete"](verdict);
        this.draw();
      } }, h("span", { "aria-hidden": "true" }, VERDICT[verdict].sign), ` ${tally(verdict)} ${VERDICT[verdict].word.toLowerCase()}`);
    const choice = (name, label, values) => {
      const found = [...new Set(values)].sort();
      return found.length > 1 && h("label", {}, h("span", { class: "unseen" }, label), h("select", { onchange: (e) => this.#keep(name, e.target.value) }, h("option", { value: "" }, label), found.map((v) => h("option", { value: v }, title(v)))));
    };
    return h("header", { class: "trials-head" },
      h("h2", {}, plural(this.trials.length, "trial")),
      h("div", { class: "chips", role: "group", "aria-label": "Verdict" }, Object.keys(VERDICT).map(toggle)),
      h("div", { class: "filters" },
        h("label", {}, h("span", { class: "unseen" }, "Search the trials"), h("input", { type: "search", placeholder: "Search the trials", oninput: (e) => this.#keep("words", e.target.value) })),
        choice("status", "Any status", this.trials.map(statusOf)),
        choice("phase", "Any phase", this.trials.map(phaseOf)),
        choice("country", "Any country", this.trials.flatMap(countries)),
        h("label", {}, h("span", { class: "unseen" }, "Sort"), h("select", { onchange: (e) => this.#keep("sort", e.target.value) }, Object.entries(SORTS).map(([value, [label]]) => h("option", { value }, `Sort: ${label.toLowerCase()}`))))));
  }

  #keep(name, value) {
    this.kept[name] = value;
    this.draw();
  }

  #fits(trial) {
    const { verdict, status, phase, country, words } = this.kept;
    return (!verdict.size || verdict.has(trial.verdict)) && (!status || statusOf(trial) === status) && (!phase || phaseOf(trial) === phase) &&
      (!country || countries(trial).includes(country)) && (!words || words.toLowerCase().split(/\s+/).every((word) => wordsOf(trial).includes(word)));
  }

  draw() {
    const found = this.trials.filter((t) => this.#fits(t)).sort(SORTS[this.kept.sort][1]);
    const groups = (this.groups = this.#groups(found));
    this.list.replaceChildren();
    groups.next();
    inSlices(groups, () => this.groups !== groups);
    this.shown.textContent = found.length === this.trials.length ? "" : found.length ? `${found.length} of ${this.trials.length} shown` : "No trial fits these filters.";
  }

  /** The rest of the list, now. */
  drawRest() {
    for (const _ of this.groups);
  }

  *#groups(found) {
    for (let from = 0, many = FIRST; from < found.length; from += many, many = GROUP) {
      this.list.append(h("ol", { class: from > 0 && "trial-group", start: from + 1 }, found.slice(from, from + many).map((t) => this.#row(t))));
      yield;
    }
  }

  #row(trial) {
    if (this.rows.has(trial.trial_id)) return this.rows.get(trial.trial_id);
    const { sign, word } = VERDICT[trial.verdict];
    const { satisfied, violated, unknown } = counts(trial);
    const row = h("li", { class: `trial ${trial.verdict}` },
      h("div", { class: "trial-head" },
        h("span", { class: "rank" }, trial.rank),
        h("div", { class: "trial-side" },
          h("span", { class: `verdict ${trial.verdict}` }, `${sign} ${word}`),
          trial.criteria.length > 0 && h("p", { class: "counts", role: "img", "aria-label": `${satisfied} met, ${violated} not met, ${unknown} open` },
            h("span", { class: "n satisfied" }, `✓ ${satisfied}`), h("span", { class: "n violated" }, `✕ ${violated}`), h("span", { class: "n unknown" }, `? ${unknown}`))),
        h("div", { class: "trial-words" },
          button({ class: "trial-title", "aria-expanded": "false" }, trial.title || trial.trial_id),
          h("p", { class: "gist" }, gist(trial)),
          h("p", { class: "meta" }, trial.title && `${trial.trial_id} · `, h("span", { class: recruiting(trial) || !trial.status ? null : "closed" }, title(statusOf(trial))), [trial.phase, site(trial)].filter(Boolean).map((words) => ` · ${words}`))),
        h("span", { class: "score", title: "Score, 0 to 100" }, Math.round(trial.score * 100))));
    this.rows.set(trial.trial_id, row);
    row.trial = trial;
    return row;
  }

  #clicked(target) {
    const row = target.closest(".trial-head")?.parentElement;
    if (row && (target.closest("button") || getSelection().isCollapsed)) this.#toggle(row, !row.classList.contains("open"));
  }

  #toggle(row, open) {
    if (!row.body) {
      this.complete();
      row.body = h("div", { class: "trial-body" }, criteria(row.trial, this.edit));
      row.append(row.body);
    }
    row.body.hidden = !open;
    row.classList.toggle("open", open);
    row.querySelector(".trial-title").setAttribute("aria-expanded", open);
  }

  /** Open a trial and bring it into view. */
  open(trialId) {
    const trial = this.trials.find((t) => t.trial_id === trialId);
    if (!trial) return;
    const row = this.#row(trial);
    if (!row.isConnected) this.drawRest();
    if (!row.isConnected) this.list.prepend(h("ol", { class: "trial-group" }, row)); // the filters leave it out
    this.#toggle(row, true);
    row.scrollIntoView({ block: "start" });
    row.querySelector(".trial-title").focus({ preventScroll: true });
    say(`${trial.title}: ${VERDICT[trial.verdict].word}`);
  }
}
