// Two pictures: how alike they look to the network, and the first painted in the manner of the second.

import { $, ask, h, notice, query, readEvents, svg, word } from "/studio/shared.js";

let model = null;
/** The two pictures, each a file and an address for it. */
const slots = [null, null];
/** Which one a picture that is pasted becomes. */
let next = 0;
let distances = null;
let comparing = null;
/** What is painted, or was: its steps, losses and the picture so far. */
let painting = null;
const options = { size: "256", steps: "100", optimizer: "adam", style: "1", start: "content", colours: "style" };

export function start() {
  $("swap").addEventListener("click", () => {
    slots.reverse();
    changed();
  });
  $("paint-form").addEventListener("submit", (event) => {
    event.preventDefault();
    paint();
  });
  document.addEventListener("paste", (event) => {
    if ($("view-pictures").hidden) return;
    const picture = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (picture) put(next, picture);
  });
}

export function enter(current) { select(current); }

export function leave() {}

export function select(current) {
  if ($("view-pictures").hidden || model?.name === current?.name) return;
  model = current;
  compare();
}

export function words() {
  showSlots();
  showDistances();
  form();
  showPainting();
}

// MARK: The pictures

function put(place, file) {
  if (slots[place]) URL.revokeObjectURL(slots[place].address);
  slots[place] = { file, address: URL.createObjectURL(file) };
  next = 1 - place;
  changed();
}

function changed() {
  showSlots();
  showStart();
  compare();
}

function showSlots() {
  const focused = document.activeElement?.dataset?.slot;
  $("slots").replaceChildren(...slots.map((slot, place) => {
    const card = h("div", { class: "card drop" },
      h("h3", {}, word(place === 0 ? "pictures.first" : "pictures.second")),
      slot ? h("img", { src: slot.address, alt: slot.file.name ?? "" }) : h("p", { class: "hint" }, word("pictures.drop")),
      h("label", { class: "button" }, word("try.file"), h("input", {
        type: "file", accept: "image/*", "data-slot": String(place), "aria-label": word("pictures.choose", { place: place + 1 }),
        onchange: (event) => { if (event.target.files[0]) put(place, event.target.files[0]); },
        onfocus: () => { next = place; },
      })));
    for (const name of ["dragover", "dragleave", "drop"]) {
      card.addEventListener(name, (event) => {
        event.preventDefault();
        card.classList.toggle("over", name === "dragover");
        const picture = name === "drop" ? event.dataTransfer.files[0] : null;
        if (picture) put(place, picture);
      });
    }
    return card;
  }));
  if (focused) $("slots").querySelector(`[data-slot="${focused}"]`)?.focus();
  $("swap").disabled = !slots[0] || !slots[1];
}

function pair(one, other) {
  const body = new FormData();
  body.append(one, slots[0].file);
  body.append(other, slots[1].file);
  return body;
}

const address = (what, wish = {}) => `/v1/models/${encodeURIComponent(model.name)}/${what}?${query(wish)}`;

// MARK: Distances

async function compare() {
  comparing?.abort();
  distances = null;
  showDistances();
  if (!model || !slots[0] || !slots[1]) return;
  comparing = new AbortController();
  const { signal } = comparing;
  $("distance").setAttribute("aria-busy", "true");
  try {
    const answer = await (await ask(address("distance"), { method: "POST", body: pair("a", "b"), signal })).json();
    if (signal.aborted) return;
    distances = answer;
    notice();
    showDistances();
  } catch (error) {
    if (!signal.aborted) notice(error.message);
  } finally {
    if (!signal.aborted) $("distance").removeAttribute("aria-busy");
  }
}

function showDistances() {
  const parts = [h("h3", {}, word("pictures.distance"))];
  if (distances) {
    for (const name of ["lpips", "features"]) {
      const found = distances[name];
      if (!found) continue;
      const most = Math.max(...found.layers.map((layer) => layer.distance), 1e-30);
      parts.push(
        h("p", { class: "soft" }, word(`pictures.${name}`)),
        h("p", { class: "figures", "data-distance": name }, found.distance.toPrecision(4)),
        h("ol", { class: "bars plain" }, found.layers.map(({ layer, distance }) => {
          const bar = h("i");
          bar.style.setProperty("--share", distance / most);
          return h("li", {}, h("span", {}, layer), h("span", { class: "bar" }, bar), h("output", {}, distance.toPrecision(3)));
        })));
    }
    parts.push(h("p", { class: "hint" }, word("pictures.size", distances)));
  } else {
    parts.push(h("p", { class: "hint" }, word("pictures.none")));
  }
  $("distance").replaceChildren(...parts);
}

// MARK: Painting

function form() {
  const field = (name, control) => h("div", { class: "field" },
    h("label", {}, h("span", {}, word(name === "size" ? "pictures.side" : `pictures.${name}`)), control));
  const select = (name, choices) => field(name, h("select", { id: `paint-${name}`, onchange: keep(name) },
    choices.map(([value, text]) => h("option", { value, selected: options[name] === value }, text))));
  const number = (name, most) => field(name, h("input", {
    id: `paint-${name}`, type: "number", min: 1, max: most, value: options[name], oninput: keep(name) }));
  $("paint-form").replaceChildren(
    select("size", ["64", "128", "256", "384", "512", "768", "1024"].map((size) => [size, size])),
    number("steps", 1000),
    select("optimizer", [["adam", "Adam"], ["lbfgs", "L-BFGS"]]),
    select("style", ["0.01", "0.1", "1", "10", "100"].map((factor) => [factor, `× ${factor}`])),
    select("start", [["content", word("pictures.content")], ["noise", word("pictures.noise")]]),
    select("colours", [["style", word("pictures.of-style")], ["content", word("pictures.of-content")]]),
    h("p", { class: "row" },
      h("button", { id: "paint-button", type: "submit", class: "main" }, word("pictures.start-painting")),
      h("button", { id: "stop-button", type: "button", onclick: stop }, word("pictures.stop"))));
  showStart();
}

const keep = (name) => (event) => { options[name] = event.target.value; };

function showStart() {
  const isRunning = painting?.control !== undefined;
  if (!$("paint-button")) return;
  $("paint-button").disabled = isRunning || !slots[0] || !slots[1];
  $("stop-button").disabled = !isRunning;
}

async function paint() {
  if (painting?.control || !model || !slots[0] || !slots[1]) return;
  if (painting?.address) URL.revokeObjectURL(painting.address);
  const own = { control: new AbortController(), losses: [], step: 0, steps: Number(options.steps) };
  painting = own;
  showStart();
  showPainting();
  try {
    const answer = await ask(address("stylize", { ...options, every: Math.max(1, Math.round(options.steps / 40)) }), {
      method: "POST", body: pair("content", "style"), signal: own.control.signal });
    notice();
    await readEvents(answer, (name, data) => hear(own, name, data));
  } catch (error) {
    // Whoever stops it keeps the picture so far.
    if (!own.control.signal.aborted) notice(error.message);
  }
  own.control = undefined;
  showStart();
  showPainting();
}

function stop() { painting?.control?.abort(); }

function hear(own, name, data) {
  if (name === "problem") return notice(data.error);
  if (data.steps) own.steps = data.steps;
  if (data.step) own.step = data.step;
  if (name === "step") own.losses.push(data.loss);
  if (data.picture) {
    if (own.address) URL.revokeObjectURL(own.address);
    own.address = URL.createObjectURL(new Blob([bytes(data.picture)], { type: "image/png" }));
    own.shown = data.step;
  }
  if (!own.isDrawing) {
    // Small pictures take hundreds of steps a second, a screen shows sixty.
    own.isDrawing = true;
    requestAnimationFrame(() => {
      own.isDrawing = false;
      showPainting();
    });
  }
  return undefined;
}

const bytes = (address) => Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));

function showPainting() {
  if (!painting) return;
  const { address: picture, losses, step, steps, control } = painting;
  const loss = losses.at(-1);
  $("painting").replaceChildren(
    h("p", { class: "row", role: "status" }, h("progress", { max: steps, value: step, "aria-label": word("pictures.steps") }),
      h("span", {}, step > 0 ? word("pictures.at", { step, steps, loss: loss?.toPrecision(4) ?? "–" }) : control ? word("pictures.preparing") : "")),
    picture ? h("img", { class: "painted", src: picture, alt: word("pictures.painted", { step: painting.shown }), "data-step": painting.shown }) : "",
    losses.length > 1 ? curve(losses) : "",
    picture ? h("p", { class: "row" }, h("a", { class: "button", href: picture, download: "painted.png" }, word("pictures.save"))) : "");
}

/** The losses over the steps, the highest at the top, as a logarithmic axis has them. */
function curve(losses) {
  const [width, height] = [300, 60];
  const logs = losses.map((loss) => Math.log(Math.max(loss, 1e-30)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const points = logs.map((log, place) =>
    `${((place / (logs.length - 1)) * width).toFixed(1)},${(4 + (1 - (log - low) / (high - low || 1)) * (height - 8)).toFixed(1)}`);
  return svg("svg", { class: "losses", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": word("pictures.losses") },
    svg("polyline", { points: points.join(" "), fill: "none" }));
}
