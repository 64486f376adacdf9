// The page: which part is shown, of which model, and in which language.

import { $, get, language, notice, readWords, setLanguage, word, h } from "/studio/shared.js";
import * as runs from "/studio/runs.js";
import * as network from "/studio/network.js";
import * as tryIt from "/studio/try.js";
import * as errors from "/studio/errors.js";
import * as pictures from "/studio/pictures.js";
import * as training from "/studio/training.js";

const views = { runs, network, try: tryIt, errors, pictures, training };
let models = [];
let current = null;

const model = () => models.find((one) => one.name === $("model").value) ?? null;

function show() {
  const name = location.hash.slice(1) in views ? location.hash.slice(1) : "runs";
  if (name !== current) {
    if (current) {
      views[current].leave();
      notice();
    }
    for (const other of Object.keys(views)) $(`view-${other}`).hidden = other !== name;
    for (const link of $("tabs").children) {
      if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    $("model-choice").hidden = !["try", "errors", "pictures"].includes(name);
    current = name;
    views[name].enter(model());
  }
}

// The hash names a part of the page, and stays.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});

function setWords() {
  for (const view of Object.values(views)) view.words(models);
}

async function start() {
  await readWords();
  try {
    models = await get("/studio/api/models");
  } catch (error) {
    notice(error.message);
  }
  $("model").replaceChildren(...models.map((one) => h("option", { value: one.name }, one.name)));
  for (const view of Object.values(views)) view.start(models);
  $("model").addEventListener("change", () => {
    for (const view of [tryIt, errors, pictures]) view.select(model());
  });
  $("language").addEventListener("click", () => {
    setLanguage(language === "en" ? "zh" : "en");
    localStorage.setItem("language", language);
    showLanguage();
    setWords();
  });
  showLanguage();
  setWords();
  window.addEventListener("hashchange", show);
  show();
}

function showLanguage() {
  $("language").textContent = word("language");
  $("language").lang = language === "en" ? "zh" : "en";
}

start();
