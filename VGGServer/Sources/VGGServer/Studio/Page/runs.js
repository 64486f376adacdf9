// Runs: a table, and the curves of those that are chosen, as they go on.

import { $, duration, events, h, percent, query, word } from "/studio/shared.js";
import { Chart, colours } from "/studio/chart.js";

let runs = { runs: [], settings: [], problems: [] };
let curves = {};
/** By run, the colour's number. */
const chosen = new Map();
let wasChosen = false;
let stream = null;
let chart = null;

export function start() {
  chart = new Chart($("chart"));
  for (const id of ["figure", "log"]) $(id).addEventListener("change", draw);
  $("filter").addEventListener("input", show);
  $("smoothing").addEventListener("input", () => {
    $("smoothing-value").textContent = $("smoothing").value;
    listen();
  });
}

export function enter() { listen(); }

export function leave() {
  clearTimeout(delay);
  stream?.abort();
  stream = null;
}

export function words() {
  show();
  draw();
}

/** Listens to the table and to the curves that are chosen now. */
let delay;
function listen() {
  clearTimeout(delay);
  delay = setTimeout(() => {
    stream?.abort();
    stream = new AbortController();
    const wish = { columns: chart.columns, smoothing: $("smoothing").value, run: [...chosen.keys()] };
    events(`/studio/api/events?${query(wish)}`, stream.signal, hear);
  }, 120);
}

function hear(name, data) {
  if (name === "curves") {
    curves[data.run] = data.curves;
    draw();
    return;
  }
  if (name === "run") {
    runs.runs = runs.runs.map((run) => (run.name === data.name ? data : run));
    show();
    return;
  }
  // Each new stream begins with the table.
  if (JSON.stringify(data) === JSON.stringify(runs)) return;
  runs = data;
  for (const run of [...chosen.keys()]) if (!runs.runs.some((one) => one.name === run)) chosen.delete(run);
  // At first what is in training, then the latest.
  if (!wasChosen && runs.runs.length > 0) {
    const active = runs.runs.filter((run) => run.state === "training");
    for (const run of active.concat(runs.runs.filter((one) => one.state !== "training").reverse()).slice(0, 3)) choose(run.name);
    wasChosen = true;
    listen();
  }
  show();
  draw();
}

function choose(run) {
  const used = new Set(chosen.values());
  const free = colours.findIndex((_, number) => !used.has(number));
  chosen.set(run, free < 0 ? chosen.size % colours.length : free);
}

function toggle(run, isOn) {
  if (isOn) choose(run); else chosen.delete(run);
  draw();
  show();
  listen();
}

function draw() {
  if (chosen.size === 0) {
    $("chart").replaceChildren(h("p", { class: "hint" }, word(runs.runs.length > 0 ? "runs.choose" : "runs.none")));
    return;
  }
  const figure = $("figure").value;
  const lines = [];
  for (const [run, colour] of chosen) {
    for (const kind of ["train", "val", "test"]) {
      const points = curves[run]?.[`${kind}_${figure}`];
      if (points) lines.push({ run, kind, colour: colours[colour], points });
    }
  }
  chart.draw(lines, $("log").checked);
}

const spaced = (setting) => setting.replace(/[A-Z]/g, (letter) => " " + letter.toLowerCase());
const accuracy = (figures) => (figures ? percent(figures.val_acc ?? figures.test_acc) : "–");

function show() {
  const wanted = $("filter").value.toLowerCase();
  const list = runs.runs.filter((run) => `${run.name} ${run.network} ${run.data} ${run.values.join(" ")}`.toLowerCase().includes(wanted));
  const head = ["", word("runs.run"), word("runs.state"), word("runs.progress"), word("runs.network"), word("runs.best"), word("runs.last"),
    word("runs.time"), ...runs.settings.map(spaced)];
  const rows = list.map((run) => h("tr", {},
    h("td", {}, h("input", {
      type: "checkbox", checked: chosen.has(run.name), "aria-label": word("runs.show", { run: run.name }), "data-run": run.name,
      onchange: (event) => toggle(run.name, event.target.checked),
    }), chosen.has(run.name) ? swatch(colours[chosen.get(run.name)]) : ""),
    h("td", {}, run.name),
    h("td", {}, h("span", { class: `state ${run.state}` }, word("state." + run.state))),
    h("td", {}, h("progress", { max: run.epochs, value: run.progress }), ` ${Number(run.progress.toFixed(2))}/${run.epochs}`),
    h("td", {}, run.network),
    h("td", { class: "number" }, accuracy(run.best)),
    h("td", { class: "number" }, accuracy(run.last)),
    h("td", { class: "number" }, run.last ? duration(run.last.seconds) : "–"),
    run.values.map((value) => h("td", {}, value))));
  const focused = document.activeElement?.dataset?.run;
  $("runs-table").replaceChildren(
    h("thead", {}, h("tr", {}, head.map((text, place) => h("th", { scope: "col", class: place > 4 && place < 8 ? "number" : "" }, text)))),
    h("tbody", {}, rows));
  if (focused) $("runs-table").querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
  $("runs-problems").replaceChildren(...runs.problems.map((problem) => h("li", {}, problem)));
}

function swatch(colour) {
  const mark = h("span", { class: "swatch" });
  mark.style.background = colour;
  return mark;
}
