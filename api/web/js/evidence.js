// What stands on words of the note: every item of the page that does is registered here, and its button lights them up.

import { button, h } from "./dom.js";

export class Evidence {
  constructor() {
    this.items = [];
  }

  /** Register an item; its index, or -1 where it rests on no words. */
  add(label, category, spans, more) {
    if (!spans?.length) return -1;
    this.items.push({ label, category, spans, ...more });
    return this.items.length - 1;
  }

  /** Something read from the note, as a button that shows its words; plain where it has none. */
  fact(label, category, spans, ...content) {
    const index = this.add(label, category, spans);
    if (index < 0) return h("span", { class: "fact plain" }, content.length ? content : label);
    return button({ class: `fact ${category}`, "data-item": index, title: quoted(spans) }, content.length ? content : label);
  }
}

const quoted = (spans) => "Note: " + spans.slice(0, 3).map((s) => `“${s.text.length > 80 ? s.text.slice(0, 77) + "…" : s.text}”`).join(", ");
