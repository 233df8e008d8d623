// Patient lists: upload, watch, open.

import { blob, events, get, isPassing, matchAgain, pause, Problem, remove, upload } from "./api.js";
import { button, grouped, h, onDrop, plural, save, say, tell } from "./dom.js";
import { loadNames } from "./names.js";
import { Matrix } from "./matrix.js";
import { erasing, failure, message, opening, recent, waiting } from "./states.js";

const SUFFIXES = ".csv,.tsv,.xlsx,.jsonl,.zip";
const AGAIN = 2000; // ms between two tries to follow a list

export function showLists(root, signal) {
  const told = h("div", { class: "told" });
  const file = h("input", { type: "file", accept: SUFFIXES, required: true, id: "list-file" });
  const columns = ["patient", "note", "date"].map((role) => h("label", { class: "field" }, h("span", {}, `Column of the ${role}`), h("input", { name: `${role}_column`, autocomplete: "off", placeholder: "found by its usual names" })));
  const asOf = h("input", { type: "date", name: "as_of" });
  const send = async (event) => {
    event?.preventDefault();
    if (!file.files[0] || form.classList.contains("busy")) return;
    told.replaceChildren();
    form.classList.add("busy");
    say("Sending the list");
    try {
      const fields = Object.fromEntries(new FormData(form));
      const { id } = await upload("/api/v1/batches", { ...fields, file: file.files[0] });
      if (!signal.aborted) location.hash = `#/batch/${id}`;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      told.replaceChildren(failure(error));
    } finally {
      form.classList.remove("busy");
    }
  };
  const form = h("form", { class: "start", onsubmit: send },
    h("h1", {}, "Match a list of patients"),
    h("p", { class: "lead" }, "A table with a column of patients and one of notes (.csv, .tsv, .xlsx, .jsonl), or a .zip of text files. Several notes of a patient are read as one, in the order of their dates."),
    h("div", { class: "drop file-drop" }, h("label", { for: "list-file" }, "Choose a list, or drop it here"), file),
    told,
    h("details", {}, h("summary", {}, "Columns and date"), h("div", { class: "columns" }, columns, h("label", { class: "field" }, h("span", {}, "As of"), asOf))),
    h("p", { class: "row" }, h("button", { class: "primary" }, "Match the list")));
  onDrop(form.querySelector(".drop"), (dropped) => (file.files = dropped));
  root.replaceChildren(h("div", { class: "start-page" }, form));
  get("/api/v1/jobs?limit=50").then(({ items }) => {
    const lists = items.filter((job) => job.kind === "batch");
    if (!lists.length || !form.isConnected) return;
    form.after(recent("Your lists", "List", "#/batch", lists, (job) => [job.total != null && plural(job.total, "patient"), job.state].filter(Boolean).join(", ")));
  }, () => null);
}

function duration(seconds) {
  if (seconds == null) return "";
  if (seconds < 90) return `${Math.ceil(seconds)} s left`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`;
}

/** The bar and the words of a batch's progress. */
class Progress {
  constructor() {
    this.bar = h("progress", { max: 1, "aria-label": "Patients done" });
    this.words = h("p", {});
    this.element = h("div", { class: "progress" }, this.bar, this.words);
  }

  show(batch) {
    const settled = batch.done + batch.failed;
    const total = batch.total ?? batch.read;
    if (total) {
      this.bar.max = total;
      this.bar.value = settled;
    } else this.bar.removeAttribute("value");
    const ended = batch.state === "done" || batch.state === "failed";
    const parts = [
      total ? `${grouped(settled)} of ${grouped(total)}${batch.total == null ? " so far" : ""}` : "Reading the file",
      batch.failed && `${batch.failed} failed`,
      !ended && batch.rate && `${batch.rate.toFixed(batch.rate < 10 ? 1 : 0)} a second`,
      !ended && duration(batch.seconds_left),
      ended && "finished",
    ];
    this.element.classList.toggle("ended", ended);
    this.words.textContent = parts.filter(Boolean).join(" · ");
  }

  lost() {
    this.words.textContent = "The service does not answer. The list goes on by itself when it is back.";
  }
}

export async function showBatch(root, id, signal) {
  const wait = waiting("Opening the list");
  root.replaceChildren(wait.element);
  await opening(root, signal, async () => {
    const [batch] = await Promise.all([get(`/api/v1/batches/${id}`, { signal }), loadNames()]);
    await new BatchView(root, id, batch, signal).draw();
  }, () => showBatch(root, id, signal));
}

const isUnderWay = (batch) => batch.state === "queued" || batch.state === "running";

class BatchView {
  constructor(root, id, batch, signal) {
    Object.assign(this, { root, id, batch, signal });
    this.progress = new Progress();
    this.failures = h("div", { class: "failures" });
    this.matrix = new Matrix(id);
  }

  async draw() {
    const { id } = this;
    const download = (format) => async (event) => {
      const clicked = event.currentTarget;
      clicked.disabled = true;
      try {
        save(await blob(`/api/v1/batches/${id}/results?format=${format}`), `eligo-list.${format}`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        await tell("Not exported", error.message);
      } finally {
        clicked.disabled = false;
      }
    };
    const erase = () => erasing(this.root, this.signal, "list", "All its notes and results go at once.", () => remove(`/api/v1/batches/${id}`), h("a", { class: "button", href: "#/lists" }, "Patient lists"));
    this.root.replaceChildren(h("div", { class: "batch" },
      h("div", { class: "actions" }, h("h1", {}, "Patient list"), button({ onclick: download("csv") }, "CSV"), button({ onclick: download("xlsx") }, "XLSX"), button({ class: "danger-quiet", onclick: erase }, "Delete now")),
      this.progress.element, this.failures, this.matrix.element));
    await this.#follow();
  }

  /** Until the list is finished; a connection that breaks, or a service that is away for a while, does not end it. */
  async #follow() {
    this.progress.show(this.batch);
    await this.#load();
    while (isUnderWay(this.batch)) {
      try {
        await this.#watch();
        this.batch = await get(`/api/v1/batches/${this.id}`, { signal: this.signal });
        this.progress.show(this.batch);
        await this.#load();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.progress.lost();
      }
      if (isUnderWay(this.batch)) await pause(AGAIN, this.signal);
    }
    if (this.batch.state === "failed" && this.batch.error) this.failures.prepend(message("The list could not be read", this.batch.error));
    say(`${this.batch.done} patients matched, ${this.batch.failed} failed`);
  }

  async #watch() {
    let loading = Promise.resolve();
    let seen = performance.now();
    await events(this.id, (name, data) => {
      if (name === "gone") return;
      Object.assign(this.batch, data);
      this.progress.show(this.batch);
      if (performance.now() - seen > 1500) {
        seen = performance.now();
        loading = loading.then(() => this.#load()).catch(() => null); // the next one has it
      }
    }, this.signal);
    await loading;
  }

  async #load() {
    await this.matrix.load(this.signal);
    const failed = this.matrix.failed;
    const open = this.failures.querySelector("details")?.open;
    this.failures.replaceChildren(...(failed.length ? [h("details", { open }, h("summary", {}, `${plural(failed.length, "row")} failed`), h("ul", {}, failed.slice(0, 200).map((f) => this.#failure(f))))] : []));
  }

  #failure(found) {
    const path = `/api/v1/batches/${this.id}/notes/${found.index}`;
    const row = found.rows?.length ? `Row ${found.rows.join(", ")}` : `Patient ${found.index + 1}`;
    const again = async (event) => {
      event.target.disabled = true;
      try {
        await matchAgain(path, found.corrections);
        const under = isUnderWay(this.batch); // then it is being followed already
        this.batch = await get(`/api/v1/batches/${this.id}`, { signal: this.signal });
        if (!under) await this.#follow();
      } catch (error) {
        if (this.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        event.target.replaceWith(h("span", { class: "muted" }, error.status === 409 ? "no note to read" : error.message));
      }
    };
    return h("li", {}, `${row}${found.note_id ? ` (${found.note_id})` : ""}: ${found.error} `, button({ class: "quiet small", "aria-label": `Match again: ${found.note_id || row}`, onclick: again }, "Match again"));
  }
}
