// Elements from values. Text always becomes text nodes: nothing that was read is ever taken for markup.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false || child === "") continue;
    if (Array.isArray(child)) add(element, child);
    else element.append(child);
  }
}

export const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
export const button = (attributes, ...children) => h("button", { type: "button", ...attributes }, ...children);
export const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

export function say(text) {
  document.getElementById("live").textContent = text;
}

/** 12345 as 12,345. Written here because the first use of Intl costs more than all else that a page draws. */
export const grouped = (n) => String(n).replace(/^-?\d{5,}/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
export const plural = (n, one, many = one + "s") => `${grouped(n)} ${n === 1 ? one : many}`;

/** For ids and dates. `localeCompare` is for titles alone: its first use loads Intl, too. */
export const inOrder = (a, b) => (a < b ? -1 : Number(a > b));

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** An instant as the clock on this wall shows it: Mon 03:15. */
export function momentName(iso) {
  const when = new Date(iso);
  return `${DAYS[when.getDay()]} ${[when.getHours(), when.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":")}`;
}

export const inPause = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 20));

const SLICE = 8; // ms of drawing at a time, so that a frame and a click find their place between

/** Act once the frame that is being made has been shown; at once where none is made, in a tab behind others. */
export const afterPaint = (act) => (document.hidden ? setTimeout(act, 0) : requestAnimationFrame(() => setTimeout(act, 0)));

/** Take the steps of a generator once the frame that is being made has been shown, a slice at a time, until it is done or `left()`. */
export const inSlices = (steps, left) => afterPaint(function slice() {
  const began = performance.now();
  do {
    if (left() || steps.next().done) return;
  } while (performance.now() - began < SLICE);
  setTimeout(slice, 0);
});

let dialogs = 0;

/** A modal dialog; resolves when it closes. `content(close)` returns its children. */
export function dialog(title, content, kind = "") {
  return new Promise((resolve) => {
    const id = `dialog-${++dialogs}`;
    let answer;
    const close = (value) => {
      answer = value;
      element.close();
    };
    const element = h("dialog", { class: kind, "aria-labelledby": id }, h("h2", { id }, title), content(close));
    element.addEventListener("close", () => {
      element.remove();
      resolve(answer);
    });
    document.body.append(element);
    element.showModal();
  });
}

/** A dialog that tells something. */
export const tell = (title, words) => dialog(title, (close) => [h("p", {}, words), h("p", { class: "row" }, button({ class: "primary", onclick: () => close() }, "Close"))]);

/** Ask before something is gone; resolves to true where it may. */
export const confirmed = (title, words) => dialog(title, (close) => [h("p", {}, words), h("p", { class: "row" }, button({ class: "danger", onclick: () => close(true) }, "Delete now"), button({ class: "quiet", onclick: () => close() }, "Keep"))]);

/** Call `take(files)` with what is dropped onto an element. */
export function onDrop(element, take) {
  for (const [name, over] of Object.entries({ dragenter: true, dragover: true, dragleave: false, drop: false })) element.addEventListener(name, (event) => (event.preventDefault(), element.classList.toggle("over", over)));
  element.addEventListener("drop", (event) => event.dataTransfer.files.length && take(event.dataTransfer.files));
}

/** Save a Blob or text under a name. */
export function save(content, name, type = "text/plain") {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
