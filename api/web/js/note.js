// The note, with every word that became something marked, and what each mark became.

import { button, h } from "./dom.js";

const LINES = 15; // of a block, which the browser lays out only when it is near the screen
const FIRST = 3; // blocks drawn at once, as they are seen at once; the rest follow with their marks

/** Offsets count characters; JavaScript counts UTF-16 units, of which an emoji has two. */
function unitsOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (offset) => offset;
  const units = [0];
  for (const character of text) units.push(units.at(-1) + character.length);
  return (offset) => units[Math.min(offset, units.length - 1)];
}

/** The distinct spans of all items: [{start, end, items: [index]}], by start. */
function distinct(items, unit) {
  const spans = new Map();
  items.forEach((item, index) => {
    for (const { start, end } of item.spans) {
      const name = start * 1e8 + end; // a note has fewer characters; thousands of criteria quote the same ones
      const span = spans.get(name) ?? { start: unit(start), end: unit(end), items: [] };
      if (span.items.at(-1) !== index) span.items.push(index);
      spans.set(name, span);
    }
  });
  return [...spans.values()].filter((s) => s.end > s.start).sort((a, b) => a.start - b.start || b.end - a.end);
}

/** The text cut at every border of a span: [{start, end, spans}] without gaps. */
function cut(text, spans) {
  const borders = [...new Set([0, text.length, ...spans.flatMap((s) => [s.start, s.end])])].sort((a, b) => a - b);
  const pieces = [];
  let open = [];
  let next = 0;
  for (let i = 0; i + 1 < borders.length; i++) {
    const [start, end] = [borders[i], borders[i + 1]];
    open = open.filter((s) => s.end > start);
    while (next < spans.length && spans[next].start === start) open.push(spans[next++]);
    pieces.push({ start, end, spans: [...open] });
  }
  return pieces;
}

/** The text in blocks of so many lines. */
function blocks(text) {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return Array.from({ length: Math.ceil(lines.length / LINES) }, (_, i) => lines.slice(i * LINES, (i + 1) * LINES).join(""));
}

const ORDER = ["bcma", "treatment", "refractory", "lab", "status", "condition", "flag", "criterion"];

export class NoteView {
  /** The beginning without marks; `describe(indexes)` returns what the words of a mark became, as nodes. */
  constructor(text, describe) {
    this.marks = [];
    this.byItem = new Map();
    this.describe = describe;
    this.source = text;
    this.blocks = blocks(text);
    this.text = h("div", { class: "note-text", role: "group", "aria-label": "The note; arrow keys go from mark to mark" }, this.blocks.slice(0, FIRST).map((words) => h("div", {}, words)));
    this.became = h("div", { class: "became", role: "status" });
    this.element = h("div", { class: "note" }, this.text, this.became);
    this.unit = unitsOf(text);
    this.text.addEventListener("click", (event) => this.#chosen(event.target.closest("mark")));
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.close();
  }

  /** Mark the words of `items`: [{label, category, spans: [{start, end}]}], a block at each step. */
  *marking(items) {
    const spans = distinct(items, this.unit);
    yield;
    const pieces = cut(this.source, spans);
    let next = 0;
    let from = 0;
    for (const [i, text] of this.blocks.entries()) {
      yield;
      const until = from + text.length;
      const content = [];
      for (let start = from; start < until; ) {
        const { end, spans } = pieces[next];
        const words = this.source.slice(start, Math.min(end, until));
        content.push(spans.length && words.trim() ? this.#mark(words, start, spans, items) : words);
        if (end <= until) next += 1;
        start += words.length;
      }
      if (i < FIRST) this.text.children[i].replaceChildren(...content);
      else this.text.append(h("div", { class: "block" }, content));
      from = until;
    }
    if (this.marks.length) this.marks[0].tabIndex = 0;
  }

  #mark(words, start, spans, items) {
    const mark = h("mark", { tabindex: "-1", role: "button" }, words);
    mark.start = start;
    const indexes = [...new Set(spans.flatMap((s) => s.items))];
    mark.className = ORDER.find((category) => indexes.some((i) => items[i].category === category)) ?? "";
    mark.items = indexes;
    for (const i of indexes) {
      if (!this.byItem.has(i)) this.byItem.set(i, []);
      this.byItem.get(i).push(mark);
    }
    this.marks.push(mark);
    return mark;
  }

  /** Light up the words of an item; `go` also brings them into view, those at the offset `at` where it is given. */
  light(index, go, at = 0) {
    this.dim();
    this.lit = this.byItem.get(index) ?? [];
    for (const mark of this.lit) mark.classList.add("lit");
    if (go && this.lit.length) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const target = this.lit.find((mark) => mark.start >= this.unit(at)) ?? this.lit[0];
      target.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    }
  }

  dim() {
    for (const mark of this.lit ?? []) mark.classList.remove("lit");
    this.lit = [];
  }

  #chosen(mark) {
    if (!mark) return;
    for (const other of this.marks) if (other.tabIndex === 0) other.tabIndex = -1;
    mark.tabIndex = 0;
    mark.focus({ preventScroll: true });
    this.dim();
    this.lit = [mark];
    mark.classList.add("lit");
    this.became.replaceChildren(
      h("p", {}, h("q", {}, mark.textContent.trim()), " became"),
      this.describe(mark.items),
      button({ class: "quiet close", "aria-label": "Close", onclick: () => this.close() }, "✕"),
    );
    this.became.hidden = false;
  }

  close() {
    this.became.hidden = true;
    this.became.replaceChildren();
  }

  #key(event) {
    const mark = event.target.closest("mark");
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!mark || !(step || event.key === "Enter" || event.key === " " || event.key === "Escape")) return;
    event.preventDefault();
    if (event.key === "Escape") return this.close();
    if (!step) return this.#chosen(mark);
    const next = this.marks[this.marks.indexOf(mark) + step];
    if (!next) return;
    mark.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
