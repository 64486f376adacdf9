// A picture for the network: dropped, pasted, photographed, drawn or of the test set.

import { $, get, h, notice, percent, post, query, word } from "/studio/shared.js";

let model = null;
/** What was asked last: a picture, {body} or {example}, of which model, and how. */
let question = null;
/** The question whose answer and maps are shown. */
let shown = null;
let opacityOfHeat = 0.5;
let count = null;

export function start() {
  for (const id of ["file", "photograph"]) {
    $(id).addEventListener("change", (event) => {
      if (event.target.files[0]) about({ body: event.target.files[0] });
      event.target.value = "";
    });
  }
  const drop = $("drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      const picture = name === "drop" ? event.dataTransfer.files[0] : null;
      if (picture) about({ body: picture });
    });
  }
  document.addEventListener("paste", (event) => {
    if ($("view-try").hidden) return;
    const picture = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (picture) about({ body: picture });
  });
  startSketch();
  $("test-previous").addEventListener("click", () => step(-1));
  $("test-next").addEventListener("click", () => step(1));
  $("test-show").addEventListener("click", () => step(0));
  $("test-number").addEventListener("change", () => step(0));
  $("garment").addEventListener("change", () => { if (question) about(question); });
}

export function enter(current) {
  model = current;
  $("test-set").hidden = !model?.data;
  $("garment-choice").hidden = !looksForGarments();
}

/** Whether the network knows garments in their data set's form alone, which photos have to be brought into. */
const looksForGarments = () => model?.data === "fashion-mnist";

export function leave() {}

export function select(current) {
  enter(current);
  count = null;
  if (question) about(question);
}

export function words() {
  $("sketch").setAttribute("aria-label", word("try.sketch"));
  $("test-previous").setAttribute("aria-label", word("try.previous"));
  $("test-next").setAttribute("aria-label", word("try.next"));
  if (shown) show();
}

// MARK: Drawing

function startSketch() {
  const canvas = $("sketch");
  const pen = canvas.getContext("2d");
  const clear = () => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  clear();
  Object.assign(pen, { lineWidth: 16, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...place(event));
    pen.lineTo(...place(event));
    pen.stroke();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...place(event));
    pen.stroke();
  });
  $("sketch-clear").addEventListener("click", clear);
  $("sketch-ask").addEventListener("click", () => canvas.toBlob((picture) => about({ body: picture }), "image/png"));
}

// MARK: The test set

async function step(by) {
  const asked = model;
  try {
    const wanted = Math.max(0, Number($("test-number").value) + by);
    if (count === null) {
      const found = (await get(`/studio/api/models/${encodeURIComponent(asked.name)}/examples/0`)).count;
      if (asked !== model) return;
      count = found;
      $("test-number").max = count - 1;
    }
    $("test-number").value = Math.min(wanted, count - 1);
    await about({ example: Number($("test-number").value) });
  } catch (error) {
    if (asked === model) notice(error.message);
  }
}

// MARK: Asking

const send = ({ body, example, name, preprocessing }, what, label) => post(
  `/studio/api/models/${encodeURIComponent(name)}/${what}?${query({ example, preprocessing, class: label })}`,
  body ?? "", "application/octet-stream");

async function about({ body, example }) {
  if (!model) return;
  const isGarment = body && looksForGarments() && $("garment").checked;
  const asked = { body, example, name: model.name, preprocessing: isGarment ? "garment" : undefined };
  question = asked;
  if (shown?.name !== asked.name) clear();
  $("answer").setAttribute("aria-busy", "true");
  try {
    Object.assign(asked, { answer: await send(asked, "explain"), maps: await send(asked, "maps") });
    if (asked !== question) return;
    shown = asked;
    notice();
    show();
  } catch (error) {
    if (asked !== question) return;
    clear();
    notice(error.message);
  } finally {
    if (asked === question) $("answer").removeAttribute("aria-busy");
  }
}

async function explainClass(label) {
  const asked = shown;
  // The answer to another question is on its way.
  if (asked !== question) return;
  asked.label = label;
  const isLatest = () => asked === question && asked.label === label;
  try {
    const answer = await send(asked, "explain", label);
    if (!isLatest()) return;
    Object.assign(asked.answer, answer);
    show();
    $("answer").querySelector("button[aria-pressed=true]")?.focus();
  } catch (error) {
    if (isLatest()) notice(error.message);
  }
}

// MARK: The answer

const heat = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

/** A map of numbers in colours from dark to bright, as large as itself; the page stretches it. */
function heatCanvas({ shape: [height, width], values }) {
  const canvas = h("canvas", { width, height });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(width, height);
  const most = Math.max(...values, 1e-30);
  values.forEach((value, place) => {
    const position = Math.min(value / most, 1) * (heat.length - 1);
    const low = Math.min(Math.floor(position), heat.length - 2);
    for (let channel = 0; channel < 3; channel += 1) {
      pixels.data[4 * place + channel] = heat[low][channel] + (heat[low + 1][channel] - heat[low][channel]) * (position - low);
    }
    pixels.data[4 * place + 3] = 255;
  });
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

function clear() {
  shown = null;
  $("answer").replaceChildren(h("p", { class: "hint", "data-word": "try.hint" }, word("try.hint")));
  $("maps").hidden = true;
}

function show() {
  const { answer, maps } = shown;
  const overlay = heatCanvas(answer.map);
  const opacity = opacityOfHeat;
  overlay.style.opacity = opacity;
  const slider = h("input", {
    type: "range", min: 0, max: 1, step: 0.05, value: opacity,
    oninput: (event) => {
      opacityOfHeat = Number(event.target.value);
      overlay.style.opacity = opacityOfHeat;
    },
  });
  const picture = h("img", { src: answer.seen, alt: "" });
  picture.addEventListener("load", () => picture.classList.toggle("small", picture.naturalWidth < 64));
  const name = answer.top.find((guess) => guess.label === answer.label)?.class ?? answer.label;
  $("answer").replaceChildren(
    h("h3", {}, `${word("try.says")} ${answer.top[0].class}`),
    answer.actual ? h("p", { class: "hint" }, `${word("try.truth")} ${answer.actual}`) : "",
    h("div", { class: "seen" }, picture, overlay),
    h("label", {}, `${word("try.heat")} `, slider),
    h("ol", { class: "bars" }, answer.top.map((guess) => {
      const bar = h("i");
      bar.style.setProperty("--share", guess.probability);
      return h("li", {}, h("button", {
        type: "button", "aria-pressed": String(guess.label === answer.label), title: guess.class, onclick: () => explainClass(guess.label),
      }, h("span", {}, guess.class), h("span", { class: "bar" }, bar), h("output", {}, percent(guess.probability))));
    })),
    h("p", { class: "hint" }, word("try.why", { class: name, layer: answer.layer })));
  $("maps").hidden = false;
  $("maps").replaceChildren(h("h3", {}, word("try.maps")), ...maps.flatMap((layer) => [
    h("p", { class: "hint" }, word("try.strongest", { name: layer.name, shape: layer.shape.join("×"), count: layer.channels.length })),
    h("div", { class: "maps" }, layer.channels.map((channel) => greyCanvas(layer.shape, channel))),
  ]));
}

function greyCanvas([, height, width], { number, bytes }) {
  const canvas = h("canvas", { width, height, title: number, role: "img", "aria-label": number });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(width, height);
  const text = atob(bytes);
  for (let place = 0; place < text.length; place += 1) pixels.data.set([...Array(3).fill(text.charCodeAt(place)), 255], 4 * place);
  pen.putImageData(pixels, 0, 0);
  return canvas;
}
