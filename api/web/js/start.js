// Paste and go.

import { get, pdfText, post, Problem, readiness, text } from "./api.js";
import { h, momentName, say } from "./dom.js";
import { failure } from "./states.js";

const MAX = 1_000_000;

/** The text of a dropped or chosen file. Raises a Problem that says what to do. */
async function fileText(file) {
  const name = file.name.toLowerCase();
  if (name.endsWith(".pdf") || file.type === "application/pdf") return (await pdfText(file)).text;
  if (name.endsWith(".txt") || file.type.startsWith("text/")) return decode(await file.arrayBuffer());
  throw new Problem(415, "Drop a .txt or a .pdf file here; lists of patients go to “Patient lists”.");
}

/** As clinics save text: UTF-8 or UTF-16 where it says so, else Windows' Western European. */
function decode(bytes) {
  const head = new Uint8Array(bytes.slice(0, 2));
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return new TextDecoder(head[0] === 0xff ? "utf-16le" : "utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

async function recent() {
  const { items } = await get("/api/v1/jobs?limit=12");
  const matches = items.filter((job) => job.kind === "match").slice(0, 5);
  if (!matches.length) return null;
  return h("section", { class: "recent", "aria-label": "Recent notes" }, h("h2", {}, "Recent notes"),
    h("ul", {}, matches.map((job) => h("li", {}, h("a", { href: `#/match/${job.id}` }, `Note of ${momentName(job.created)}`), h("span", { class: "muted" }, ` ${job.state}, kept until ${momentName(job.expires)}`)))));
}

/** `opened(id, note)` is called once the note is accepted. */
export function showStart(root, opened) {
  const note = h("textarea", { id: "note-input", rows: 16, placeholder: "Paste the clinic note, or drop a .txt or .pdf file here", spellcheck: "false", autocomplete: "off" });
  const asOf = h("input", { type: "date", id: "as-of" });
  const silent = h("select", { id: "unmentioned" }, h("option", { value: "unknown" }, "unknown (strict)"), h("option", { value: "absent" }, "presumed absent"));
  const told = h("div", { class: "told" });
  const go = h("button", { type: "submit", class: "primary" }, "Find trials ", h("kbd", {}, "Ctrl ↵"));
  const chooser = h("input", { type: "file", accept: ".txt,.pdf,text/plain,application/pdf", class: "unseen", tabindex: "-1", "aria-label": "A note as a file", onchange: () => chooser.files[0] && take(chooser.files[0]) });

  const attempt = async (busy, act) => {
    told.replaceChildren();
    form.classList.add("busy");
    say(busy);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      told.replaceChildren(failure(error));
    } finally {
      form.classList.remove("busy");
      say("");
    }
  };
  const take = (file) => attempt(`Reading ${file.name}`, async () => {
    note.value = await fileText(file);
    note.focus();
    say(`${file.name} is in the box`);
  });
  const submit = (event) => {
    event?.preventDefault();
    if (!note.value.trim()) {
      told.replaceChildren(h("p", { class: "hint", role: "alert" }, "The box is empty: paste a note first."));
      note.focus();
      return;
    }
    if (note.value.length > MAX) {
      told.replaceChildren(h("p", { class: "hint", role: "alert" }, "This is longer than a note. For many patients use “Patient lists”."));
      return;
    }
    const order = { note: note.value, unmentioned: silent.value };
    if (asOf.value) order.as_of = asOf.value;
    attempt("Sending the note", async () => opened((await post("/api/v1/matches", order)).id, order.note));
  };

  const form = h("form", { class: "start", onsubmit: submit },
    h("h1", {}, "Which trials fit this patient?"),
    h("p", { class: "lead" }, "Paste a clinic note. Every criterion is answered with the words it rests on; what the note does not say stays unknown."),
    h("label", { class: "unseen", for: "note-input" }, "The note"),
    h("div", { class: "drop" }, note),
    told,
    h("div", { class: "start-row" },
      go,
      h("button", { type: "button", onclick: () => attempt("Loading the example", async () => { note.value = await text("/api/v1/example"); note.focus(); }) }, "Use the example"),
      h("button", { type: "button", onclick: () => chooser.click() }, "Open a file"), chooser),
    h("div", { class: "start-row" },
      h("label", { class: "inline" }, "As of ", asOf),
      h("label", { class: "inline" }, "Not mentioned: ", silent)),
    h("p", { class: "muted" }, "The note stays on this server, encrypted, until its time is over or you delete it. Without a date the note's own counts."));
  const drop = form.querySelector(".drop");
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (e) => (e.preventDefault(), drop.classList.add("over")));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (e) => (e.preventDefault(), drop.classList.remove("over")));
  drop.addEventListener("drop", (e) => e.dataTransfer.files[0] && take(e.dataTransfer.files[0]));
  form.addEventListener("keydown", (e) => e.key === "Enter" && (e.ctrlKey || e.metaKey) && submit(e));

  root.replaceChildren(h("div", { class: "start-page" }, form));
  note.focus({ preventScroll: true });
  readiness().then((missing) => missing && told.isConnected && told.replaceChildren(h("p", { class: "hint", role: "alert" }, `The service is not ready: ${missing}. A note sent now is kept and read as soon as it is back.`)));
  recent().then((section) => section && form.isConnected && form.after(section), () => null);
}

