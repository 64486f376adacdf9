// What all parts of the page share: words, elements, numbers, and how the server is asked.

let table = {};
export let language = "en";

export async function readWords() {
  table = await (await fetch("/studio/words.json")).json();
  const known = localStorage.getItem("language");
  setLanguage(known ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
}

export function setLanguage(name) {
  language = name in table ? name : "en";
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
}

/** The text of a key; {name} in it stands for a value. */
export function word(key, values = {}) {
  const text = table[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** An element with attributes, listeners (on…) and children. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(key, value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export const $ = (id) => document.getElementById(id);

export const whole = (number) => number.toLocaleString("en-US");
export const percent = (share) => (100 * share).toFixed(1) + "\u00a0%";

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < 4) { count /= 1000; unit += 1; }
  return `${unit === 0 ? count : count.toPrecision(3)} ${units[unit]}`;
}

export function duration(seconds) {
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor(total / 60) % 60} min`;
}

/** The problem of a loop in the background that the notice tells now. */
let problem = "";

export function notice(text = "") {
  problem = "";
  $("notice").hidden = !text;
  $("notice").textContent = text;
}

/** Tells the problem of a loop in the background once; nothing takes it away when it is over. */
export function report(text = "") {
  if (text === problem) return;
  notice(text);
  problem = text;
}

// MARK: The server

/** A query of names and values, lists too; URLSearchParams writes a space as "+", which only forms decode. */
export const query = (values) => Object.entries(values)
  .flatMap(([name, value]) => [value].flat().filter((one) => one !== undefined).map((one) => `${name}=${encodeURIComponent(one)}`))
  .join("&");

let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token");
if (token) sessionStorage.setItem("token", token);
if (location.hash.includes("token=")) history.replaceState(null, "", location.pathname);

let asking = null;
let isDeclined = false;

/** Whoever asks while the dialog is open waits for the same answer; loops in the background take a no for good. */
async function askForToken(isBackground) {
  if (isBackground && isDeclined) return false;
  asking ??= showTokenDialog().finally(() => { asking = null; });
  return asking;
}

async function showTokenDialog() {
  const dialog = $("token-dialog");
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  const given = dialog.returnValue === "ok" ? $("token").value.trim() : "";
  $("token").value = "";
  isDeclined = !given;
  if (isDeclined) return false;
  token = given;
  sessionStorage.setItem("token", token);
  return true;
}

/** What comes of the network, whose errors the browser words. */
const reach = (promise) => promise.catch(() => { throw new Error(word("server.away")); });

/** An answer of the server; asks people for the token where it is missing, with `isBackground` until they decline. */
export async function ask(path, options = {}) {
  for (;;) {
    const shown = token;
    const headers = { ...options.headers, ...(shown ? { Authorization: `Bearer ${shown}` } : {}) };
    const answer = await reach(fetch(path, { ...options, headers }));
    if (answer.ok) return answer;
    if (answer.status === 401) {
      if (shown !== token || (await askForToken(options.isBackground))) continue;
      throw new Error(word("token.missing"));
    }
    const { error } = await answer.json().catch(() => ({}));
    throw new Error(error ?? `${answer.status}`);
  }
}

export const get = async (path, options) => (await ask(path, options)).json();

export const post = async (path, body, type = "application/json") =>
  (await ask(path, { method: "POST", body, headers: { "Content-Type": type } })).json();

/** Server-sent events, read from a plain answer because EventSource cannot show a token. */
export async function readEvents(answer, listener) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let pieces = [];
  for (;;) {
    const { value, done } = await reach(reader.read());
    if (done) return;
    pieces.push(value);
    // An event with a picture comes in many pieces, which are put together once.
    if (!value.includes("\n")) continue;
    const parts = pieces.join("").split("\n\n");
    pieces = [parts.pop()];
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part);
      const data = /^data: (.*)$/m.exec(part);
      if (name && data) listener(name[1], JSON.parse(data[1]));
    }
  }
}

/** The events of an address, asked for again when they end. */
export async function events(path, signal, listener) {
  while (!signal.aborted) {
    try {
      const answer = await ask(path, { signal, isBackground: true });
      report();
      await readEvents(answer, listener);
    } catch (error) {
      if (signal.aborted) return;
      report(error.message);
    }
    // The server may have been started again.
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}
