// Trainings: what they are made of, what they will take, and those that there are.

import { $, bytes, duration, get, h, notice, post, query, report, word } from "/studio/shared.js";

let choices = null;
let runs = [];
let models = [];
let timer;
/** The request of runs whose answer is waited for; those of earlier ones are dropped. */
let refreshing = null;
/** What the form holds, kept when the language changes. */
const kept = { recipe: "quick", data: "", init: "", options: {} };
let estimate = null;
/** What of the form is on its way: its buttons wait. */
const sending = new Set();
let isOpen = false;

export function start(served) { models = served; }

export async function enter() {
  try {
    choices = choices ?? (await get("/studio/api/training"));
    words();
    refresh();
  } catch (error) {
    if (isHere()) notice(error.message);
  }
}

export function leave() {
  clearTimeout(timer);
  refreshing = null;
}

const isHere = () => !$("view-training").hidden;

export function words() {
  if (!choices) return;
  if (choices.program) form(); else $("training-form").replaceChildren(h("p", {}, word("training.no-program")));
  showEstimate();
  showRuns();
}

function form() {
  const select = (key, options, listener) => h("select", {
    id: `choice-${key}`,
    onchange: (event) => {
      kept[key] = event.target.value;
      estimate = null;
      showEstimate();
      listener?.();
    },
  }, options.map(([value, text]) => h("option", { value, selected: kept[key] === value }, text)));
  const field = (key, control, help) => h("div", { class: "field" },
    h("label", {}, h("span", {}, word("training." + key)), control), help ?? "");
  const about = h("p", { class: "help" });
  const describe = () => {
    const recipe = choices.recipes.find((one) => one.name === kept.recipe);
    about.textContent = recipe ? `${recipe.summary}${recipe.reaches ? `; ${recipe.reaches}` : ""}. ${recipe.options}` : "";
  };
  describe();
  const weights = [...new Set([...models.filter((model) => model.name === "fashion-mnist").map((model) => model.name),
    ...runs.filter((run) => run.has_model).map((run) => run.name)])];
  $("training-form").replaceChildren(
    field("recipe", select("recipe", [["", word("training.none")], ...choices.recipes.map((one) => [one.name, one.name])], describe), about),
    field("data", select("data", [["", word("training.default")], ...choices.data.map((name) => [name, name])])),
    field("init", select("init", [["", word("training.random")], ...weights.map((name) => [name, name])])),
    h("details", { open: isOpen, ontoggle: (event) => { isOpen = event.target.open; } },
      h("summary", {}, word("training.options")), choices.options.map(option)),
    h("p", { class: "row" },
      h("button", { type: "button", id: "estimate-button", onclick: measure }, word("training.estimate")),
      h("button", { type: "button", id: "start-button", class: "main", onclick: begin }, word("training.start"))));
  showSending();
}

function option({ name, is_flag: isFlag, help, default: usual }) {
  const change = (value) => {
    if (value === "" || value === false) delete kept.options[name]; else kept.options[name] = value;
    estimate = null;
    showEstimate();
  };
  const control = isFlag
    ? h("input", { type: "checkbox", checked: kept.options[name] === true, onchange: (event) => change(event.target.checked) })
    : h("input", { type: "text", size: 12, value: kept.options[name] ?? "", placeholder: usual ?? "", oninput: (event) => change(event.target.value.trim()) });
  return h("div", { class: "field" }, h("label", {}, h("code", {}, `--${name}`), control), h("p", { class: "help" }, help));
}

/** Sends what the form holds, `what` being estimate or start. */
async function send(what) {
  const hadFocus = document.activeElement === $(`${what}-button`);
  sending.add(what);
  showSending();
  try {
    return await post(`/studio/api/training/${what}`, JSON.stringify(kept));
  } finally {
    sending.delete(what);
    showSending();
    // A button that waits loses the focus.
    if (hadFocus && document.activeElement === document.body) $(`${what}-button`).focus();
  }
}

function showSending() {
  for (const what of ["estimate", "start"]) $(`${what}-button`).disabled = sending.has(what);
}

async function measure() {
  const asked = JSON.stringify(kept);
  const isLatest = () => asked === JSON.stringify(kept);
  $("estimate").replaceChildren(h("p", {}, word("training.measuring")));
  try {
    const found = await send("estimate");
    if (!isLatest()) return;
    estimate = found;
    showEstimate();
  } catch (error) {
    if (isLatest()) $("estimate").replaceChildren(h("p", {}, error.message));
  }
}

function showEstimate() {
  if (!estimate) {
    $("estimate").replaceChildren(h("p", { class: "hint" }, word("training.first")));
    return;
  }
  const memory = Object.values(estimate.memory).reduce((sum, part) => sum + (typeof part === "number" ? part : 0), 0);
  $("estimate").replaceChildren(
    h("p", { class: "soft" }, word("training.takes")), h("p", { class: "figures" }, duration(estimate.seconds)),
    h("dl", {}, [
      ["training.memory", bytes(memory)], ["training.steps", estimate.steps], ["training.step", `${estimate.seconds_per_step.toFixed(3)} s`],
      ["training.speed", Math.round(estimate.examples_per_sec)],
    ].flatMap(([name, value]) => [h("dt", {}, word(name)), h("dd", {}, value)])));
}

async function begin() {
  try {
    const { run } = await send("start");
    notice();
    $("estimate").replaceChildren(h("p", {}, word("training.started", { run })));
    refresh();
  } catch (error) {
    $("estimate").replaceChildren(h("p", {}, error.message));
  }
}

async function refresh() {
  clearTimeout(timer);
  if (!isHere()) return;
  const own = {};
  refreshing = own;
  try {
    const found = (await get("/studio/api/runs", { isBackground: true })).runs;
    if (own !== refreshing) return;
    report();
    if (JSON.stringify(found) !== JSON.stringify(runs)) {
      const isNew = found.length !== runs.length;
      runs = found;
      showRuns();
      if (isNew && choices.program && !$("training-form").contains(document.activeElement)) form();
    }
  } catch (error) {
    if (own !== refreshing) return;
    report(error.message);
  }
  timer = setTimeout(refresh, 2000);
}

const logs = new Map();

function showRuns() {
  const latest = runs.filter((run) => run.state !== "finished").concat(runs.filter((run) => run.state === "finished").slice(-5).reverse());
  const attempt = (work) => () => work().catch((error) => notice(error.message));
  const act = (path, run) => attempt(async () => {
    await post(`/studio/api/training/${path}`, JSON.stringify({ run }));
    refresh();
  });
  const showLog = (run) => attempt(async () => {
    if (logs.has(run)) logs.delete(run);
    else logs.set(run, (await get(`/studio/api/training/log?${query({ run })}`)).text || "–");
    showRuns();
  });
  const place = $("training-runs");
  const [kind, focused] = place.contains(document.activeElement) ? Object.entries(document.activeElement.dataset)[0] ?? [] : [];
  place.replaceChildren(...latest.slice(0, 30).map((run) => h("div", { class: "task" },
    h("strong", {}, run.name), " ", h("span", { class: `state ${run.state}` }, word("state." + run.state)),
    h("p", { class: "row" }, h("progress", { max: run.epochs, value: run.progress }),
      h("span", {}, `${Number(run.progress.toFixed(2))}/${run.epochs} ${word("training.epochs")}`),
      run.state === "training" ? h("button", { type: "button", "data-stop": run.name, onclick: act("stop", run.name) }, word("training.stop")) : "",
      run.state === "stopped" ? h("button", { type: "button", "data-resume": run.name, onclick: act("resume", run.name) }, word("training.resume")) : "",
      h("button", { type: "button", "data-log": run.name, "aria-expanded": String(logs.has(run.name)), onclick: showLog(run.name) }, word("training.log"))),
    logs.has(run.name) ? h("pre", {}, logs.get(run.name)) : "")));
  // The button of a run whose state has changed is gone; its log's stays.
  const button = (name) => place.querySelector(`[data-${name}="${CSS.escape(focused)}"]`);
  if (focused) (button(kind) ?? button("log"))?.focus();
}
