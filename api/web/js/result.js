// One note's answer: what was read, the trials, what to ask, and the note beside them.

import { get, isPassing, matchAgain, pause, post, Problem, readiness, remove, text } from "./api.js";
import { banner, details } from "./card.js";
import { askAnyFact, askFact, correctionName } from "./correct.js";
import { afterPaint, button, dialog, h, inSlices, momentName, plural, save, say, svg, tell } from "./dom.js";
import { Evidence } from "./evidence.js";
import { dateName, factName, loadNames, OUTCOME, VERDICT } from "./names.js";
import { NoteView } from "./note.js";
import { erasing, message, opening, waiting } from "./states.js";
import { printPage, summaryText } from "./summary.js";
import { timeline } from "./timeline.js";
import { TrialList } from "./trials.js";

const ASKED = 6;
const PATIENCE = 1500; // ms before the wait is explained
const AGAIN = 2000; // ms between two tries to reach a service that is away

/** Poll a match, or a patient of a list, until it is settled at the wanted revision. `explain(words, more)` says how it goes. */
async function settled(path, revision, explain, signal) {
  const began = performance.now();
  for (let known = false; ; known = true) {
    let answer;
    try {
      answer = await get(`${path}?wait=${performance.now() - began < PATIENCE ? 1.5 : 3}`, { signal });
    } catch (error) {
      if (!known || !isPassing(error)) throw error;
      explain("Your note is kept", `${error.message} It goes on by itself when it is back.`);
      await pause(AGAIN, signal);
      continue;
    }
    if ((answer.state === "done" || answer.state === "failed") && (answer.revision ?? 0) >= revision) return answer;
    const missing = await readiness();
    const spent = Math.round((performance.now() - began) / 1000);
    if (missing) explain("Your note is kept and waits to be read", `The service is not ready: ${missing}. It goes on by itself when it is back.`);
    else explain(answer.state === "queued" ? "Waiting for a worker" : "Reading the note", `${spent} s`);
  }
}

/** The view behind #/match/ID. `known`: the note's text where this page has just sent it. */
export async function showMatch(root, id, signal, known) {
  const path = `/api/v1/matches/${id}`;
  const wait = waiting("Reading the note");
  root.replaceChildren(wait.element);
  await opening(root, signal, async () => {
    const beside = Promise.all([known ?? text(`${path}/note`, { signal }), version(signal)]);
    beside.catch(() => null); // awaited below, once there is a result to go with
    const [answer] = await Promise.all([settled(path, 0, wait.say, signal), loadNames()]);
    if (!answer.result) {
      root.replaceChildren(message("The note could not be read", answer.error ?? "No reason was given.", h("p", {}, h("a", { class: "button", href: "#/" }, "New note"))));
      return;
    }
    const [note, program] = await beside;
    signal.throwIfAborted();
    new ResultView(root, { note, program, signal, correct: correcting(path, signal), erase: () => remove(path), ...answer }).draw();
  }, () => showMatch(root, id, signal, known));
}

/** The view behind #/batch/ID/INDEX: one patient of a list, opened at a trial where one is named. */
export async function showPatient(root, id, index, trialId, signal) {
  const wait = waiting("Opening the patient");
  root.replaceChildren(wait.element);
  await opening(root, signal, async () => {
    const path = `/api/v1/batches/${id}/notes/${index}`;
    const [found, program] = await Promise.all([settled(path, 0, wait.say, signal), version(signal), loadNames()]);
    signal.throwIfAborted();
    const back = h("a", { class: "button quiet", href: `#/batch/${id}` }, "← List");
    if (found.error) {
      root.replaceChildren(notMatched(found, back, () => showPatient(root, id, index, trialId, signal), path));
      return;
    }
    const view = new ResultView(root, { note: "", corrections: [], program, back, signal, correct: correcting(path, signal), ...found });
    view.draw();
    if (trialId) view.trials.open(trialId);
  }, () => showPatient(root, id, index, trialId, signal));
}

function notMatched(found, back, reopen, path) {
  const again = () => matchAgain(path, found.corrections).then(reopen, (error) => tell("Not matched again", error.message));
  return message(`${found.note_id || "This patient"} was not matched`, found.error,
    found.note && h("details", {}, h("summary", {}, "The note"), h("p", { class: "note-text" }, found.note)),
    h("p", { class: "row" }, found.note && button({ onclick: again }, "Match again"), back));
}

/** Post corrections; resolves to the answer that takes them into account. */
const correcting = (path, signal) => async (corrections) => {
  const { revision } = await post(`${path}/corrections`, { corrections }, { signal });
  return settled(path, revision, say, signal);
};

const version = (signal) => get("/api/v1/version", { signal }).catch(() => null); // it is only named

export class ResultView {
  /** `view`: {note, result, corrections, correct(corrections), signal, expires?, program?, erase?(), back?}. */
  constructor(root, view) {
    this.root = root;
    this.view = view;
  }

  /** What decides first: the patient, the therapy, the first trials. The rest follows when these are seen, or sooner where it is needed. */
  draw(changes) {
    const { result, note, corrections } = this.view;
    performance.mark("draw-start");
    afterPaint(() => performance.measure("draw", "draw-start"));
    const evidence = (this.evidence = new Evidence());
    const edit = (fact, current, label, text) => this.#pencil(fact, current, label, text);
    const { patient, trials } = result;
    const top = banner(patient, evidence, edit);
    const lines = timeline(patient, evidence);
    this.trials = new TrialList(trials, edit, () => this.complete());
    this.note = new NoteView(note, (indexes) => this.#became(indexes));
    const below = h("div", { class: "details" });
    const rest = (this.rest = this.#rest(below, edit));
    const sheet = h("aside", { class: "note-side", "aria-label": "The note", id: "note" },
      h("header", {}, h("h2", {}, "The note"), button({ class: "quiet sheet-close", onclick: () => this.#sheet(false) }, "Close")), this.note.element);
    this.element = h("div", { class: "result" },
      this.#actions(),
      h("nav", { class: "sections", "aria-label": "On this page" }, [["Patient", ".banner"], ["Therapy", ".therapy"], ["Ask next", ".ask"], ["Trials", ".trials"]].map(([name, to]) => button({ class: "quiet", onclick: () => this.element.querySelector(to)?.scrollIntoView({ block: "start" }) }, name)), button({ class: "quiet", onclick: () => this.#sheet(true) }, "Note")),
      h("div", { class: "read" }, top, this.#answer(trials), h("section", { class: "panel therapy", "aria-label": "Lines of therapy" }, h("h2", {}, "Lines of therapy"), lines)),
      h("div", { class: "facts" }, h("div", { class: "next" }, this.#corrections(corrections, changes), this.#ask()), below),
      this.trials.element, sheet);
    this.#listen();
    this.root.replaceChildren(this.element);
    window.onbeforeprint = () => {
      this.element.querySelector(".print-page")?.remove();
      this.element.append(printPage(this.view));
    };
    inSlices(rest, () => this.rest !== rest);
  }

  /** What is not seen at first, step by step: measurements and conditions, then the note with its marks. */
  *#rest(below, edit) {
    const { patient, trials } = this.view.result;
    for (const panel of details(patient, this.evidence, edit)) {
      below.append(panel);
      yield;
    }
    for (const trial of trials) {
      for (const c of trial.criteria) c.item = this.evidence.add("", "criterion", c.evidence, { trial, criterion: c });
      yield;
    }
    yield* this.note.marking(this.evidence.items);
    performance.mark("complete");
  }

  /** All of it now: somebody asks for what may not be there yet. */
  complete() {
    for (const _ of this.rest);
  }

  #listen() {
    const over = (event, go) => {
      const found = event.target.closest("[data-item]");
      if (!found) return go ? undefined : this.note.dim();
      this.complete();
      this.note.light(Number(found.dataset.item), go, found.dataset.at && Number(found.dataset.at));
      if (go) this.#sheet(true);
    };
    this.element.addEventListener("click", (event) => over(event, true));
    this.element.addEventListener("focusin", (event) => event.target.matches("[data-item]") && over(event, false));
  }

  #sheet(open) {
    this.element.classList.toggle("sheet", open);
  }

  #pencil(fact, current, label, text) {
    const act = async () => this.#add(await askFact(fact, current));
    if (text) return button({ class: "enter", onclick: act }, text);
    return [
      this.view.corrections.some((c) => c.fact === fact) && h("span", { class: "tag" }, "clinician"),
      button({ class: "pencil", "aria-label": `Correct ${label}`, title: `Correct ${label}`, onclick: act }, svg("svg", { viewBox: "0 0 16 16", width: 13, height: 13, "aria-hidden": "true" }, svg("path", { d: "M2.5 13.5 3 11l7.8-7.8 2 2L5 13z" }))),
    ];
  }

  async #add(correction) {
    if (correction) await this.#change((corrections) => [...corrections.filter((c) => c.fact !== correction.fact), correction]);
  }

  /** One change after the other: each is made of the corrections that the one before it left. */
  #change(make) {
    this.changing = (this.changing ?? Promise.resolve()).then(() => this.#apply(make));
    return this.changing;
  }

  async #apply(make) {
    const before = new Map(this.view.result.trials.map((t) => [t.trial_id, t]));
    this.element.classList.add("busy");
    say("Ranking again");
    try {
      const answer = await this.view.correct(make(this.view.corrections));
      if (!answer.result) throw new Problem(422, answer.error ?? "The correction could not be applied.");
      Object.assign(this.view, answer);
      const changed = answer.result.trials.filter((t) => before.get(t.trial_id)?.verdict !== t.verdict);
      const moved = answer.result.trials.filter((t) => before.get(t.trial_id)?.rank !== t.rank).length;
      const [page, note] = [window.scrollY, this.note.text.scrollTop];
      this.draw({ changed: changed.map((t) => [t, before.get(t.trial_id)?.verdict]), moved });
      this.complete(); // so that everything is where it was
      if (page) this.trials.drawRest();
      window.scrollTo(0, page);
      this.note.text.scrollTop = note;
      say(`Ranked again: ${plural(changed.length, "verdict")} changed`);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      await tell("This correction was not taken", error.message);
    } finally {
      this.element.classList.remove("busy");
    }
  }

  /** For screens that do not show the trials beside the patient. */
  #answer(trials) {
    const tally = Object.entries(VERDICT).map(([verdict, { sign, word }]) => [trials.filter((t) => t.verdict === verdict).length, `${sign} `, word.toLowerCase()]).filter(([n]) => n);
    return button({ class: "answer", onclick: () => this.trials.element.scrollIntoView({ block: "start" }) },
      h("strong", {}, tally.map(([n, sign, word]) => `${sign}${n} ${word}`).join("   ") || "No trial"), trials.length > 0 && trials[0].verdict !== "ineligible" && h("span", { class: "muted" }, `First: ${trials[0].title || trials[0].trial_id}`));
  }

  #corrections(corrections, changes) {
    if (!corrections.length && !changes) return null;
    const undo = (taken) => this.#change((all) => all.filter((c) => c.fact !== taken.fact));
    return h("section", { class: "panel corrections", "aria-label": "Entered by the clinician" },
      h("h2", {}, "Entered by the clinician"),
      h("ul", {}, corrections.map((c) => h("li", {}, `${correctionName(c)} `, button({ class: "quiet small", "aria-label": `Take back: ${correctionName(c)}`, onclick: () => undo(c) }, "Take back")))),
      changes && h("p", { class: "changes" }, changes.changed.length || changes.moved ? `Ranked again: ${plural(changes.moved, "trial")} moved. ` : "Ranked again: no trial moved. ",
        changes.changed.slice(0, 5).map(([t, was]) => h("span", { class: "change" }, `${t.trial_id}: ${VERDICT[was]?.word.toLowerCase() ?? "new"} → ${VERDICT[t.verdict].word.toLowerCase()}. `))));
  }

  #ask() {
    const { questions } = this.view.result;
    const item = (q) => h("li", {}, h("span", {}, factName(q.fact), h("small", { class: "muted" }, ` ${plural(q.trials, "trial")}`)), this.#pencil(q.fact, null, factName(q.fact), "Enter"));
    const more = questions.slice(ASKED);
    return h("section", { class: "panel ask", "aria-label": "What to ask next" },
      h("h2", {}, "What to ask next"),
      questions.length > 0 ? h("p", { class: "muted" }, "Each answer alone would settle a criterion in so many trials.") : h("p", { class: "muted" }, "No single answer would settle an open criterion."),
      h("ol", {}, questions.slice(0, ASKED).map(item)),
      more.length > 0 && h("details", {}, h("summary", {}, `${more.length} more`), h("ol", { start: ASKED + 1 }, more.map(item))),
      button({ class: "add", onclick: async () => this.#add(await askAnyFact()) }, "Add or correct a fact"));
  }

  #actions() {
    const { expires, result, corrections, back } = this.view;
    const copy = async () => {
      const words = summaryText(this.view);
      const copied = await navigator.clipboard?.writeText(words).then(() => true, () => false);
      await dialog(copied ? "Copied for the record" : "Summary for the record", (close) => [
        h("textarea", { class: "summary-text", readonly: true, rows: 20, "aria-label": "Summary" }, words),
        h("p", { class: "row" }, button({ class: "primary", onclick: () => close() }, "Close"), button({ onclick: () => save(words, "eligo-summary.txt") }, "Save as text"))], "wide");
    };
    const erase = () => erasing(this.root, this.view.signal, "note", "The note, the result and the corrections go at once, for everybody with the link.", this.view.erase, h("a", { class: "button", href: "#/" }, "New note"));
    return h("div", { class: "actions" },
      back ?? null,
      button({ onclick: copy }, "Copy summary"),
      button({ onclick: () => print() }, "Print"),
      button({ onclick: () => save(JSON.stringify({ ...result, corrections }, null, 1), "eligo-result.json", "application/json") }, "JSON"),
      this.view.erase && button({ class: "danger-quiet", onclick: erase }, "Delete now"),
      h("span", { class: "muted" }, [expires && `Link works until ${momentName(expires)}`, result.as_of && `as of ${dateName(result.as_of)}`].filter(Boolean).join(" · ")));
  }

  /** What the words of a mark became: facts first, then the criteria that rest on them. */
  #became(indexes) {
    const found = indexes.map((i) => [i, this.evidence.items[i]]);
    const facts = found.filter(([, item]) => item.category !== "criterion");
    const rest = found.filter(([, item]) => item.category === "criterion");
    const go = (index) => {
      const target = this.element.querySelector(`[data-item="${index}"]`);
      target?.closest("details")?.setAttribute("open", "");
      this.#sheet(false);
      target?.scrollIntoView({ block: "center" });
      target?.focus({ preventScroll: true });
    };
    const open = ({ trial }) => {
      this.#sheet(false);
      this.trials.open(trial.trial_id);
    };
    return h("ul", {},
      facts.map(([i, item]) => h("li", {}, button({ class: "quiet small", onclick: () => go(i) }, item.label))),
      rest.slice(0, 5).map(([, item]) => h("li", {}, button({ class: "quiet small", onclick: () => open(item) }, `${OUTCOME[item.criterion.outcome].sign} ${item.trial.trial_id} ${item.criterion.id}: ${OUTCOME[item.criterion.outcome].word.toLowerCase()}`))),
      rest.length > 5 && h("li", { class: "muted" }, `and ${plural(rest.length - 5, "more criterion", "more criteria")}`));
  }
}
