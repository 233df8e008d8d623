// The public API, as the page uses it. Every failure becomes a Problem that says what happened and what to do.

const KEY = "eligo-key";
const PATIENCE = 30_000; // ms for an answer; nobody waits longer for a page

export class Problem extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status; // 0: no answer at all
    this.retryAfter = retryAfter;
  }
}

let signIn = async () => false;

/** `ask(failed)` opens the sign-in and resolves to true once a key was given. */
export function onSignIn(ask) {
  signIn = ask;
}

export const credentials = {
  get: () => sessionStorage.getItem(KEY),
  set: (key) => sessionStorage.setItem(KEY, key),
  clear: () => sessionStorage.removeItem(KEY),
};

async function request(path, { method = "GET", json, body, type, headers = {}, signal, patience = PATIENCE } = {}, again = false) {
  const sent = { Accept: "application/json", ...headers };
  const key = credentials.get();
  if (key) sent.Authorization = `Bearer ${key}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  else if (type) sent["Content-Type"] = type;
  const late = new AbortController();
  const timer = patience && setTimeout(() => late.abort(), patience);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", () => late.abort(), { once: true });
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: json === undefined ? body : JSON.stringify(json), signal: late.signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The service does not answer. It may be restarting, or the network may be down.");
  } finally {
    clearTimeout(timer);
  }
  const since = credentials.get() !== key; // another request has asked meanwhile
  if (response.status === 401 && (since || (await signIn(Boolean(key) || again)))) {
    return request(path, { method, json, body, type, headers, signal, patience }, true);
  }
  if (!response.ok) throw await problem(response);
  return response;
}

async function problem(response) {
  let detail = response.statusText;
  try {
    const told = await response.json();
    const errors = (told.errors ?? []).map((e) => `${e.at}: ${e.reason}`).join("; ");
    detail = [told.detail || told.title, errors].filter(Boolean).join(" ") || detail;
  } catch {
    // an answer of a proxy, not of ours
  }
  return new Problem(response.status, detail, Number(response.headers.get("Retry-After")) || 0);
}

/** Whether the service may come back by itself: it gave no answer, or is not ready. */
export const isPassing = (error) => error instanceof Problem && [0, 429, 502, 503, 504].includes(error.status);

/** Some time, or until `signal`. */
export const pause = (ms, signal) => new Promise((resolve, reject) => {
  setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
});

export const get = async (path, options) => (await request(path, options)).json();
export const post = async (path, json, options) => (await request(path, { method: "POST", json, ...options })).json();
export const remove = (path) => request(path, { method: "DELETE" });
export const blob = async (path) => (await request(path, { headers: { Accept: "*/*" }, patience: 0 })).blob();

/** Text exactly as kept: a leading mark of order is a character of the note, and evidence counts it. */
export async function text(path, options) {
  const response = await request(path, { headers: { Accept: "text/plain" }, ...options });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
}

/** Have a patient of a list matched once more, as posting the corrections it has does. */
export const matchAgain = (path, corrections = []) => post(`${path}/corrections`, { corrections });

export async function upload(path, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  return (await request(path, { method: "POST", body: form, patience: 0 })).json();
}

export const pdfText = async (file) => (await request("/api/v1/text", { method: "POST", body: file, type: "application/pdf" })).json();

/** {required, login, caller}: whether one must sign in, where, and who has. */
export const session = async () => (await request("/api/v1/session")).json();

/** End the session here and, where there is one in a cookie, on the server. */
export async function signOff() {
  credentials.clear();
  await request("/api/v1/session", { method: "DELETE" });
}

/** Whether notes can be matched now; else what is missing, in words. */
export async function readiness() {
  try {
    const response = await fetch("/health/ready");
    return response.ok ? "" : (await problem(response)).message;
  } catch {
    return "The service does not answer.";
  }
}

/** Server-sent events read through fetch, which can send the key; calls `take(name, data)` until the stream ends. */
export async function events(job, take, signal) {
  const response = await request(`/api/v1/jobs/${job}/events`, { headers: { Accept: "text/event-stream" }, signal, patience: 0 });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal?.aborted ? error : new Problem(0, "The connection to the service was lost.");
    });
    if (done) return;
    buffer += value;
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const lines = buffer.slice(0, end).split("\n");
      buffer = buffer.slice(end + 2);
      const field = (name) => lines.find((line) => line.startsWith(name + ": "))?.slice(name.length + 2);
      if (field("event")) take(field("event"), JSON.parse(field("data") ?? "{}"));
    }
  }
}
