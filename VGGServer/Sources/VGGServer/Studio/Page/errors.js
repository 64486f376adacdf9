// Where a model errs: the confusion matrix, what is in its cells, the surest mistakes, and figures per class.

import { $, get, h, percent, whole, word } from "/studio/shared.js";

let model = null;
let result = null;
let isHere = false;
/** The load whose answer is waited for; those of earlier ones are dropped. */
let loading = null;
let timer;

export function start() {}

export function enter(current) {
  isHere = true;
  if (model?.name !== current?.name) {
    result = null;
    $("errors").replaceChildren();
  }
  model = current;
  load();
}

export function leave() {
  isHere = false;
  loading = null;
  clearTimeout(timer);
}

export function select(current) { if (isHere) enter(current); }

export function words() { if (result) show(); }

async function load() {
  clearTimeout(timer);
  if (!model || result) return;
  const own = {};
  loading = own;
  try {
    const answer = await get(`/studio/api/models/${encodeURIComponent(model.name)}/errors`);
    if (own !== loading) return;
    if (answer.state === "failed") throw new Error(answer.error);
    if (answer.state === "running") {
      $("errors").replaceChildren(h("div", { class: "card" }, h("p", {}, word("errors.running", answer)),
        h("progress", { max: answer.of || 1, value: answer.done })));
      timer = setTimeout(load, 500);
      return;
    }
    result = answer;
    show();
  } catch (error) {
    if (own === loading) $("errors").replaceChildren(h("p", { class: "card" }, error.message));
  }
}

function show() {
  const figure = (value, name) => h("div", {}, h("p", { class: "figures" }, value), h("p", { class: "soft" }, name));
  $("errors").replaceChildren(
    h("div", { class: "card controls" }, figure(percent(result.accuracy), word("errors.accuracy")),
      figure(result.loss.toFixed(3), word("errors.loss")), figure(whole(result.count), word("errors.images"))),
    h("div", { class: "card" }, h("h3", {}, word("errors.matrix")), h("p", { class: "hint" }, word("errors.rows")),
      h("div", { class: "scroll" }, result.classes.length <= 40 ? matrix() : commonest()), h("div", { id: "cell" })),
    h("div", { class: "card" }, h("h3", {}, word("errors.surest")), gallery(result.surest, true)),
    h("div", { class: "card scroll" }, h("h3", {}, word("errors.classes")), scores()));
}

function cellButton(actual, guess, count) {
  const names = { actual: result.classes[actual], guess: result.classes[guess], count };
  return h("button", {
    type: "button", "aria-pressed": "false", "data-cell": `${actual} ${guess}`,
    "aria-label": word(actual === guess ? "errors.right" : "errors.cell", names), title: word(actual === guess ? "errors.right" : "errors.cell", names),
    onclick: (event) => open(event.currentTarget, actual, guess, names),
  }, count || "");
}

function matrix() {
  const rows = result.matrix.map((row, actual) => {
    const sum = Math.max(1, row.reduce((total, count) => total + count, 0));
    return h("tr", {}, h("th", { scope: "row" }, result.classes[actual]), row.map((count, guess) => {
      const share = Math.sqrt(count / sum);
      const cell = h("td", { class: `${actual === guess ? "diagonal" : ""} ${share > 0.75 ? "strong" : ""}` }, cellButton(actual, guess, count));
      // Mistakes are few: they are seen by the root of their share.
      cell.firstChild.style.setProperty("--strength", count ? 0.08 + 0.92 * share : 0);
      return cell;
    }));
  });
  return h("table", { class: "matrix" },
    h("thead", {}, h("tr", {}, h("td"), result.classes.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows));
}

/** The most frequent mistakes of many classes. */
function commonest() {
  const found = [];
  result.matrix.forEach((row, actual) => row.forEach((count, guess) => {
    if (count && actual !== guess) found.push({ actual, guess, count });
  }));
  found.sort((one, other) => other.count - one.count);
  return h("div", {}, h("p", { class: "hint" }, word("errors.many")), h("ul", {}, found.slice(0, 40).map(({ actual, guess, count }) =>
    h("li", {}, `${result.classes[actual]} → ${result.classes[guess]} `, cellButton(actual, guess, count)))));
}

async function open(button, actual, guess, names) {
  for (const other of $("errors").querySelectorAll("[data-cell]")) other.setAttribute("aria-pressed", String(other === button));
  const isChosen = () => button.isConnected && button.getAttribute("aria-pressed") === "true";
  try {
    const cell = await get(`/studio/api/models/${encodeURIComponent(model.name)}/errors/${actual}/${guess}`);
    if (!isChosen()) return;
    $("cell").replaceChildren(h("h3", {}, word(actual === guess ? "errors.right" : "errors.cell", names)), gallery(cell.examples, false));
  } catch (error) {
    if (isChosen()) $("cell").replaceChildren(h("p", {}, error.message));
  }
}

function gallery(examples, isNamed) {
  return h("div", { class: "gallery" }, examples.map((example) => h("figure", {},
    h("img", { src: example.picture, alt: example.actual, title: `#${example.example}`, loading: "lazy" }),
    h("figcaption", {}, isNamed
      ? [h("span", { class: "truth" }, word("errors.is", { class: example.actual })), h("br"),
        h("span", { class: "guess" }, word("errors.says", { class: example.guess, probability: percent(example.probability) }))]
      : percent(example.probability)))));
}

function scores() {
  const head = ["class", "precision", "recall", "f1", "support"];
  return h("table", {},
    h("thead", {}, h("tr", {}, head.map((name, place) => h("th", { scope: "col", class: place ? "number" : "" }, word("errors." + name))))),
    h("tbody", {}, result.scores.map((one, place) => h("tr", {}, h("td", {}, result.classes[place]),
      [one.precision, one.recall, one.f1].map((share) => h("td", { class: "number" }, share.toFixed(3))),
      h("td", { class: "number" }, whole(one.support))))));
}
