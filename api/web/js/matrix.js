// Patients by trials: a cell is a verdict, by colour, sign and words; either side sorts and filters the other.

import { get } from "./api.js";
import { button, h, inOrder, plural } from "./dom.js";
import { VERDICT } from "./names.js";

const PAGE = 500; // patients asked for at a time
const ROWS = 40; // drawn at first, and added when the end comes into view
const COLUMNS = 40;
const WORTH = { eligible: 2, possible: 1, ineligible: 0 };

const key = (cell) => (cell ? WORTH[cell.verdict] * 10 + cell.score : -1);

export class Matrix {
  constructor(batch) {
    this.batch = batch;
    this.patients = [];
    this.failed = [];
    this.trials = [];
    this.titles = new Map();
    this.kept = { patient: "", trial: "", fits: "", byTrial: null, byPatient: null, from: 0 };
    this.table = h("table", { class: "matrix" });
    this.scroller = h("div", { class: "matrix-scroll", tabindex: "0", role: "region", "aria-label": "Patients by trials" }, this.table);
    this.shown = h("p", { class: "muted", role: "status" });
    this.turner = h("p", { class: "row" });
    this.element = h("section", { "aria-label": "Matrix" }, this.#head(), this.shown, this.scroller, this.turner);
    this.scroller.addEventListener("scroll", () => this.#grow(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.#key(event));
  }

  #head() {
    const input = (name, placeholder, label) => h("label", {}, h("span", { class: "unseen" }, label), h("input", { type: "search", placeholder, oninput: (e) => this.#keep(name, e.target.value) }));
    return h("div", { class: "filters" },
      input("patient", "Search patients", "Search patients"),
      input("trial", "Search trials", "Search trials"),
      h("label", {}, h("span", { class: "unseen" }, "Fits"), h("select", { onchange: (e) => this.#keep("fits", e.target.value) }, [["", "All patients"], ["possible", "With a possible trial"], ["eligible", "With an eligible trial"]].map(([value, text]) => h("option", { value }, text)))),
      button({ class: "quiet", onclick: () => (Object.assign(this.kept, { byTrial: null, byPatient: null, from: 0 }), this.draw()) }, "Reset the order"),
      h("p", { class: "legend muted" }, Object.values(VERDICT).map(({ sign, word }) => `${sign} ${word}`).join("   ")));
  }

  #keep(name, value) {
    this.kept[name] = value;
    this.kept.from = 0;
    this.draw();
  }

  async #names(signal) {
    for (let next = "/api/v1/trials?limit=500"; next; ) {
      const page = await get(next, { signal });
      for (const trial of page.items) this.titles.set(trial.trial_id, trial.title);
      next = page.next;
    }
  }

  /** All that is settled by now. */
  async load(signal) {
    if (!this.titles.size) await this.#names(signal);
    const patients = [];
    const failed = [];
    for (let offset = 0; ; offset += PAGE) {
      const { results } = await get(`/api/v1/batches/${this.batch}/results?detail=summary&offset=${offset}&limit=${PAGE}`, { signal });
      for (const found of results) {
        if (found.error) failed.push(found);
        else patients.push({ ...found, cells: new Map(found.trials.map((t) => [t.trial_id, t])) });
      }
      if (!results.length || results.at(-1).index < offset + PAGE - 1) break;
    }
    this.patients = patients;
    this.failed = failed;
    this.trials = this.#byFit(patients);
    this.draw();
  }

  /** The trials that most patients fit first. */
  #byFit(patients) {
    const worth = new Map();
    for (const p of patients) for (const [id, cell] of p.cells) worth.set(id, (worth.get(id) ?? 0) + (WORTH[cell.verdict] ? WORTH[cell.verdict] + cell.score : 0));
    return [...worth.keys()].sort((a, b) => worth.get(b) - worth.get(a) || inOrder(a, b));
  }

  #chosen() {
    const { patient, trial, fits, byTrial, byPatient } = this.kept;
    const has = (words) => (text) => words.toLowerCase().split(/\s+/).every((w) => text.toLowerCase().includes(w));
    const wanted = byTrial && this.trials.includes(byTrial) ? (p) => [p.cells.get(byTrial)] : (p) => [...p.cells.values()];
    let patients = this.patients.filter((p) => has(patient)(p.note_id) && (!fits || wanted(p).some((c) => c && WORTH[c.verdict] >= WORTH[fits])));
    let trials = this.trials.filter((id) => has(trial)(`${id} ${this.titles.get(id) ?? ""}`));
    if (byTrial) patients = [...patients].sort((a, b) => key(b.cells.get(byTrial)) - key(a.cells.get(byTrial)) || a.index - b.index);
    const by = byPatient != null && this.patients.find((p) => p.index === byPatient);
    if (by) trials = [...trials].sort((a, b) => key(by.cells.get(b)) - key(by.cells.get(a)));
    return { patients, trials };
  }

  draw() {
    const { patients, trials } = this.#chosen();
    const { from, byTrial } = this.kept;
    const columns = trials.slice(from, from + COLUMNS);
    this.rest = patients;
    this.columns = columns;
    const sort = (id) => () => (Object.assign(this.kept, { byTrial: this.kept.byTrial === id ? null : id }), this.draw());
    const tally = (id) => ["eligible", "possible"].map((v) => `${VERDICT[v].sign} ${patients.filter((p) => p.cells.get(id)?.verdict === v).length}`).join("  ");
    this.body = h("tbody");
    this.table.replaceChildren(
      h("caption", { class: "unseen" }, "Each cell opens the explanation. Arrow keys go from cell to cell."),
      h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "corner" }, "Patient"),
        columns.map((id) => h("th", { scope: "col", "aria-sort": byTrial === id ? "descending" : "none" }, button({ class: "column", title: `Who fits ${id}? ${this.titles.get(id) ?? ""}`, onclick: sort(id) }, h("span", { class: "column-name" }, id), h("small", { class: "column-title" }, this.titles.get(id) ?? ""), h("small", {}, `${tally(id)}${byTrial === id ? "  ▼" : ""}`)))))),
      this.body);
    this.drawn = 0;
    this.#grow(true);
    this.scroller.hidden = !this.patients.length;
    this.shown.textContent = this.patients.length ? `${plural(patients.length, "patient")}, ${plural(trials.length, "trial")}` : "No result yet.";
    const turn = (step) => () => (Object.assign(this.kept, { from: from + step }), this.draw());
    this.turner.replaceChildren(...(trials.length > COLUMNS ? [
      button({ disabled: from === 0, onclick: turn(-COLUMNS) }, "← Trials"),
      h("span", { class: "muted" }, `Trials ${from + 1} to ${Math.min(from + COLUMNS, trials.length)} of ${trials.length}`),
      button({ disabled: from + COLUMNS >= trials.length, onclick: turn(COLUMNS) }, "Trials →")] : []));
  }

  #grow(first) {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (this.drawn >= this.rest.length || (!first && scrollTop + clientHeight < scrollHeight - 400)) return;
    this.body.append(...this.rest.slice(this.drawn, this.drawn + ROWS).map((p) => this.#row(p)));
    this.drawn += ROWS;
  }

  #row(patient) {
    const sort = () => (Object.assign(this.kept, { byPatient: this.kept.byPatient === patient.index ? null : patient.index, from: 0 }), this.draw());
    return h("tr", {},
      h("th", { scope: "row" }, button({ class: "column", title: "Sort the trials by this patient", "aria-pressed": String(this.kept.byPatient === patient.index), onclick: sort }, patient.note_id, patient.corrections?.length > 0 && h("small", {}, "corrected"))),
      this.columns.map((id) => this.#cell(patient, id)));
  }

  #cell(patient, id) {
    const found = patient.cells.get(id);
    if (!found) return h("td", {});
    const { sign, word } = VERDICT[found.verdict];
    const first = this.drawn === 0 && patient === this.rest[0] && id === this.columns[0];
    return h("td", {}, h("a", {
      class: `cell ${found.verdict}`, tabindex: first ? "0" : "-1", href: `#/batch/${this.batch}/${patient.index}/${encodeURIComponent(id)}`,
      title: [word, found.reason].filter(Boolean).join(": "), "aria-label": `${patient.note_id}, ${id}: ${word}, score ${Math.round(found.score * 100)}`,
    }, h("span", { class: "sign" }, sign), h("span", { class: "cell-score" }, Math.round(found.score * 100))));
  }

  #key(event) {
    const link = event.target.closest("a.cell");
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [];
    if (!link || down === undefined) return;
    event.preventDefault();
    const cell = link.parentElement;
    const row = cell.parentElement;
    const target = row.parentElement.rows[row.sectionRowIndex + down]?.cells[cell.cellIndex + right]?.querySelector("a.cell");
    if (!target) return;
    link.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }
}
