// A network, drawn by the server, whose layers explain themselves.

import { $, bytes, get, h, notice, whole, word } from "/studio/shared.js";

const architectures = ["vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "alexnet"];
let facts = null;
let shown = "";
let chosen = null;
let file = null;

export function start(models) {
  $("network-choice").addEventListener("change", load);
  fill(models);
}

function fill(models) {
  const option = (value, text) => h("option", { value }, text);
  const kept = $("network-choice").value;
  $("network-choice").replaceChildren(
    h("optgroup", { label: word("network.served") }, models.map((model) => option(`models/${model.name}`, model.name))),
    h("optgroup", { label: word("network.known") }, architectures.map((name) => option(`architectures/${name}`, name))));
  if (kept) $("network-choice").value = kept;
}

export function enter() { load(); }

export function leave() {}

export function words(models) {
  fill(models);
  if (facts) draw();
}

async function load() {
  const wanted = $("network-choice").value;
  if (!wanted || wanted === shown) return;
  const isLatest = () => wanted === $("network-choice").value;
  try {
    const [kind, name] = wanted.split("/");
    const found = await get(`/studio/api/${kind}/${encodeURIComponent(name)}`);
    if (!isLatest()) return;
    facts = found;
    shown = wanted;
    chosen = null;
    notice();
    draw();
  } catch (error) {
    if (isLatest()) notice(error.message);
  }
}

/** The drawing's own words in the page's language. */
function translate(text) {
  const keys = {
    output: "network.output", parameters: "network.parameters", "multiply-adds": "network.macs", memory: "network.memory",
    "in all": "network.sum", image: "network.image",
  };
  const key = keys[text.textContent];
  const block = /^block (\d+)$/.exec(text.textContent);
  if (!key && !block) return;
  text.textContent = key ? word(key) : `${word("network.block")} ${block[1]}`;
  for (const attribute of ["textLength", "lengthAdjust"]) text.removeAttribute(attribute);
}

function draw() {
  if (file) URL.revokeObjectURL(file);
  file = URL.createObjectURL(new Blob([facts.drawing], { type: "image/svg+xml" }));
  $("network-file").href = file;
  $("network-file").download = `${facts.title}.svg`;
  const picture = document.importNode(new DOMParser().parseFromString(facts.drawing, "image/svg+xml").documentElement, true);
  picture.setAttribute("role", "group");
  picture.querySelector("text").classList.add("heading");
  picture.querySelectorAll("text").forEach(translate);
  for (const group of picture.querySelectorAll("g[id^=layers-]")) {
    const [first, last] = group.id.split("-").slice(1).map(Number);
    const layers = facts.layers.slice(first, last + 1);
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.setAttribute("aria-pressed", String(chosen === group.id));
    group.setAttribute("aria-label", layers.map((layer) => layer.alias).join(", "));
    const choose = () => {
      chosen = group.id;
      for (const other of picture.querySelectorAll("g[aria-pressed]")) other.setAttribute("aria-pressed", String(other === group));
      explain(layers);
    };
    group.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose();
      }
    });
    if (chosen === group.id) explain(layers);
  }
  $("drawing").replaceChildren(picture);
  if (!chosen) summarise();
}

const shape = (dimensions) => dimensions.join("×");
const list = (pairs) => h("dl", {}, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function summarise() {
  $("layer").replaceChildren(h("h3", {}, word("network.all")), list([
    [word("network.input"), shape(facts.input)], [word("network.parameters"), whole(facts.parameters)],
    [word("network.macs"), whole(facts.macs)],
    ...(facts.memory ? [[word("network.inference"), bytes(facts.memory)]] : []),
  ]));
}

function explain(layers) {
  $("layer").replaceChildren(...layers.flatMap((layer) => [
    h("h3", {}, layer.alias, " ", h("span", { class: "soft" }, `${layer.kind} ${layer.alias === layer.name ? "" : layer.name}`)),
    h("p", {}, word("kind." + layer.kind)),
    list([
      [word("network.input"), shape(layer.input)], [word("network.output"), shape(layer.output)],
      ...(layer.parameters ? [[word("network.parameters"), whole(layer.parameters)]] : []),
      ...(layer.macs ? [[word("network.macs"), whole(layer.macs)]] : []),
      [word("network.memory"), bytes(layer.bytes)],
    ]),
  ]));
}
