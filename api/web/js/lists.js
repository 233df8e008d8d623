// Patient lists: upload, watch, open.

import { blob, events, get, Problem, remove, upload } from "./api.js";
import { dialog, grouped, h, momentName, plural, save, say } from "./dom.js";
import { loadNames } from "./names.js";
import { Matrix } from "./matrix.js";
import { failure, message, waiting } from "./states.js";

const SUFFIXES = ".csv,.tsv,.xlsx,.jsonl,.zip";

export function showLists(root) {
  const told = h("div", { class: "told" });
  const file = h("input", { type: "file", accept: SUFFIXES, required: true, id: "list-file" });
  const columns = ["patient", "note", "date"].map((role) => h("label", { class: "field" }, h("span", {}, `Column of the ${role}`), h("input", { name: `${role}_column`, autocomplete: "off", placeholder: "found by its usual names" })));
  const asOf = h("input", { type: "date", name: "as_of" });
  const send = async (event) => {
    event?.preventDefault();
    if (!file.files[0]) return;
    told.replaceChildren();
    form.classList.add("busy");
    say("Sending the list");
    try {
      const fields = Object.fromEntries(new FormData(form));
      const { id } = await upload("/api/v1/batches", { ...fields, file: file.files[0] });
      location.hash = `#/batch/${id}`;
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
  const drop = form.querySelector(".drop");
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (e) => (e.preventDefault(), drop.classList.add("over")));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => {
    e.preventDefault();
    drop.classList.remove("over");
    if (e.dataTransfer.files.length) file.files = e.dataTransfer.files;
  });
  root.replaceChildren(h("div", { class: "start-page" }, form));
  get("/api/v1/jobs?limit=50").then(({ items }) => {
    const lists = items.filter((job) => job.kind === "batch");
    if (!lists.length || !form.isConnected) return;
    form.after(h("section", { class: "recent", "aria-label": "Your lists" }, h("h2", {}, "Your lists"), h("ul", {}, lists.map((job) => h("li", {}, h("a", { href: `#/batch/${job.id}` }, `List of ${momentName(job.created)}`), h("span", { class: "muted" }, ` ${job.total == null ? job.state : plural(job.total, "patient")}, ${job.state}`))))));
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
      batch.rate && `${batch.rate.toFixed(batch.rate < 10 ? 1 : 0)} a second`,
      !ended && duration(batch.seconds_left),
      ended && "finished",
    ];
    this.words.textContent = parts.filter(Boolean).join(" · ");
    this.element.classList.toggle("ended", ended);
  }
}

export async function showBatch(root, id, signal) {
  const wait = waiting("Opening the list");
  root.replaceChildren(wait.element);
  try {
    const [batch] = await Promise.all([get(`/api/v1/batches/${id}`, { signal }), loadNames()]);
    await new BatchView(root, id, batch, signal).draw();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Problem)) throw error;
    root.replaceChildren(failure(error, error.status === 404 ? null : () => showBatch(root, id, signal)));
  }
}

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
      const button = event.currentTarget;
      button.disabled = true;
      try {
        save(await blob(`/api/v1/batches/${id}/results?format=${format}`), `eligo-list.${format}`);
      } finally {
        button.disabled = false;
      }
    };
    const erase = async () => {
      const sure = await dialog("Delete this list?", (close) => [h("p", {}, "All its notes and results go at once."), h("p", { class: "row" }, h("button", { type: "button", class: "danger", onclick: () => close(true) }, "Delete now"), h("button", { type: "button", class: "quiet", onclick: () => close() }, "Keep"))]);
      if (!sure) return;
      await remove(`/api/v1/batches/${id}`).catch(() => null);
      this.root.replaceChildren(message("Deleted", "The list and everything derived from it is gone from this server.", h("p", {}, h("a", { class: "button", href: "#/lists" }, "Patient lists"))));
    };
    this.root.replaceChildren(h("div", { class: "batch" },
      h("div", { class: "actions" }, h("h1", {}, "Patient list"), h("button", { type: "button", onclick: download("csv") }, "CSV"), h("button", { type: "button", onclick: download("xlsx") }, "XLSX"), h("button", { type: "button", class: "danger-quiet", onclick: erase }, "Delete now")),
      this.progress.element, this.failures, this.matrix.element));
    this.progress.show(this.batch);
    await this.#load();
    if (this.batch.state === "queued" || this.batch.state === "running") await this.#watch();
    else this.#ended();
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
        loading = loading.then(() => this.#load());
      }
    }, this.signal);
    await loading;
    this.batch = await get(`/api/v1/batches/${this.id}`, { signal: this.signal });
    this.progress.show(this.batch);
    await this.#load();
    this.#ended();
  }

  async #load() {
    await this.matrix.load(this.signal);
    const failed = this.matrix.failed;
    const open = this.failures.querySelector("details")?.open;
    this.failures.replaceChildren(...(failed.length ? [h("details", { open }, h("summary", {}, `${plural(failed.length, "row")} failed`), h("ul", {}, failed.slice(0, 200).map((f) => h("li", {}, `${f.rows?.length ? `Row ${f.rows.join(", ")}` : `Patient ${f.index + 1}`}${f.note_id ? ` (${f.note_id})` : ""}: ${f.error}`))))] : []));
  }

  #ended() {
    if (this.batch.state === "failed" && this.batch.error) this.failures.prepend(message("The list could not be read", this.batch.error));
    say(`${this.batch.done} patients matched, ${this.batch.failed} failed`);
  }
}
