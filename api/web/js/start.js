// Paste and go.

import { get, pdfText, post, Problem, readiness, text } from "./api.js";
import { afterPaint, h, momentName, onDrop, say } from "./dom.js";
import { failure, recent } from "./states.js";

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

async function notes() {
  const { items } = await get("/api/v1/jobs?limit=12");
  const matches = items.filter((job) => job.kind === "match").slice(0, 5);
  return matches.length ? recent("Recent notes", "Note", "#/match", matches, (job) => `${job.state}, kept until ${momentName(job.expires)}`) : "";
}

// What can be typed into or clicked stands in a template of index.html: it costs more than all else that is painted first,
// and is there only once it works. What is typed stays until it is accepted.
const page = document.getElementById("start");
const form = page.querySelector("form");
const template = form.querySelector("template");
const [told, drop, note, asOf, silent, chooser, example, file] = [".told", ".drop", "#note-input", "#as-of", "#unmentioned", "#note-file", "#use-example", "#open-file"].map((name) => template.content.querySelector(name));
let opened = () => null; // what the view that shows the form does with an accepted note

const hint = (words) => told.replaceChildren(h("p", { class: "hint", role: "alert" }, words));

/** One thing at a time: a second click or key while the first is under way does nothing. */
async function attempt(busy, act) {
  if (form.classList.contains("busy")) return;
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
}

const take = (file) => attempt(`Reading ${file.name}`, async () => {
  note.value = await fileText(file);
  note.focus();
});

function submit(event) {
  event.preventDefault();
  if (!note.value.trim()) {
    hint("The box is empty: paste a note first.");
    note.focus();
    return;
  }
  if (note.value.length > MAX) {
    hint("This is longer than a note. For many patients use “Patient lists”.");
    return;
  }
  const order = { note: note.value, unmentioned: silent.value };
  if (asOf.value) order.as_of = asOf.value;
  const open = opened;
  attempt("Sending the note", async () => {
    const { id } = await post("/api/v1/matches", order);
    form.reset();
    open(id, order.note);
  });
}

form.addEventListener("submit", submit);
form.addEventListener("keydown", (e) => e.key === "Enter" && (e.ctrlKey || e.metaKey) && submit(e));
example.addEventListener("click", () => attempt("Loading the example", async () => {
  note.value = await text("/api/v1/example");
  note.focus();
}));
file.addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => chooser.files[0] && take(chooser.files[0]));
onDrop(drop, ([dropped]) => take(dropped));

/** `accepted(id, note)` is called once the note is; not where the view has been left meanwhile. */
export function showStart(root, accepted, signal) {
  opened = (id, words) => signal.aborted || accepted(id, words);
  if (template.parentNode) template.replaceWith(template.content);
  if (page.parentElement !== root) root.replaceChildren(page);
  told.replaceChildren();
  note.focus({ preventScroll: true });
  afterPaint(() => {
    readiness().then((missing) => missing && !signal.aborted && !told.hasChildNodes() && hint(`The service is not ready: ${missing}. A note sent now is kept and read as soon as it is back.`));
    notes().then((section) => signal.aborted || document.getElementById("recent").replaceChildren(section), () => null);
  });
}
