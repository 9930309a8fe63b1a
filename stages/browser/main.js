// What happens when something is typed, chosen, hovered over or changed.

import { drawCharts, showCurve, showGradient, showInside } from "./figures.js";
import { answer, CELLS, compute, data, examples, get, networkOf, state, undo } from "./state.js";
import { showAnswers, showNow, showWords, showZeros } from "./texts.js";

const STEP_MILLISECONDS = 220; // of Play

// Read the text, and show everything anew.
function update() {
  compute();
  showZeros();
  showAnswers();
  showWords();
  showCurve();
  showInside();
  showGradient();
  showNow();
}

function setText(text, shown = null) {
  get("text").value = text;
  examples.shown = shown;
  get("which").textContent = shown
    ? `${examples.place + 1} of ${shown.of}: ${shown.words} words, labelled ${shown.positive ? "positive" : "negative"}`
    : "";
  update();
}

// Forget what was chosen in another text, and how to go back to it.
function start(text, shown) {
  state.compared = state.chosen = null;
  undo.length = 0;
  setText(text, shown);
}

// Replace the chosen word, or delete it with the space beside it, and keep what was predicted before.
function edit(replacement) {
  const { start: from, end } = state.items[state.chosen];
  const text = get("text").value;
  undo.push(text);
  state.compared = { rnn: answer("rnn"), lstm: answer("lstm") };
  const after = replacement ? text.slice(end) : text.slice(end).replace(/^\s/, "");
  setText(text.slice(0, from) + replacement + after);
  get("replacement").value = "";
  get(replacement ? "replacement" : get("delete").disabled ? "text" : "delete").focus();
}

function hover(at) {
  state.hovered = at;
  showNow();
}

function choose(at, focus = false) {
  state.chosen = at;
  hover(null);
  if (focus) get("words-rnn").querySelectorAll(".word")[at].focus();
}

function stop() {
  clearInterval(state.timer);
  state.timer = null;
  get("play").textContent = "Play";
  showNow();
}

function play() {
  if (state.timer) return stop();
  if (!state.items.length) return;
  get("play").textContent = "Stop";
  state.timer = setInterval(
    () => (state.chosen + 1 < state.items.length ? choose(state.chosen + 1) : stop()),
    STEP_MILLISECONDS,
  );
  choose(0);
}

function showExample() {
  const [least, most] = get("length").value.split(" ").map(Number);
  const fitting = data.examples.filter(
    ({ kind, words }) => kind === get("kind").value && words >= least && words <= most,
  );
  if (!fitting.length) {
    get("which").textContent = "There is no such review.";
    return;
  }
  examples.place = (examples.place + 1) % fitting.length;
  const shown = fitting[examples.place];
  start(shown.text, { ...shown, of: fitting.length });
}

function chooseModel(place) {
  state.model = data.models[place];
  state.side = state.model.padding;
  state.zeros = state.model.maxlen;
  state.compared = state.row = null;
  get("unit").value = "";
  for (const radio of document.querySelectorAll("[name=side]")) {
    radio.checked = radio.value === state.side;
    radio.nextElementSibling.classList.toggle("trained", radio.checked);
  }
}

function chooseUnit(row) {
  state.row = row >= 1 && row <= Number(get("unit").max) ? Math.round(row) : null;
  get("unit").value = state.row ?? "";
  showInside();
  showGradient();
  showNow();
}

// What happens when.
get("text").addEventListener("input", () => start(get("text").value));
get("example").addEventListener("click", showExample);
for (const id of ["kind", "length"]) {
  get(id).addEventListener("change", () => {
    examples.place = -1;
  });
}
get("model").append(...data.models.map(({ title }, place) => new Option(title, place)));
get("model").addEventListener("change", ({ target }) => {
  chooseModel(target.value);
  update();
});
get("sides").addEventListener("change", ({ target }) => {
  state.side = target.value;
  state.compared = null;
  update();
});
get("zeros").addEventListener("input", ({ target }) => {
  state.zeros = target.value === target.max ? state.model.maxlen : Number(target.value);
  state.compared = null;
  update();
});
get("play").addEventListener("click", play);
for (const cell of Object.keys(CELLS)) {
  const box = get(`words-${cell}`);
  const token = ({ target }) => (target.dataset.at === undefined ? null : Number(target.dataset.at));
  box.addEventListener("pointerover", (event) => hover(token(event)));
  box.addEventListener("pointerleave", () => hover(null));
  for (const kind of ["click", "focusin"])
    box.addEventListener(kind, (event) => token(event) !== null && choose(token(event)));
}
get("words-rnn").addEventListener("keydown", (event) => {
  const last = state.items.length - 1;
  const at = state.chosen ?? 0;
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
  if (event.key === "Enter" && !get("replacement").disabled) get("replacement").focus();
  else if (to === undefined) return;
  else choose(Math.min(Math.max(to, 0), last), true);
  event.preventDefault();
});
get("edit").addEventListener("submit", (event) => {
  event.preventDefault();
  const replacement = get("replacement").value.trim();
  if (replacement) edit(replacement);
});
get("delete").addEventListener("click", () => edit(""));
get("undo").addEventListener("click", () => {
  state.compared = null;
  setText(undo.pop());
});
for (const box of document.querySelectorAll(".maps .plot:has(canvas)")) {
  const last = () => state.items.length - 1;
  box.addEventListener("pointermove", ({ offsetX }) => {
    const at = Math.floor((offsetX / box.clientWidth) * (last() + 1));
    if (last() >= 0) hover(Math.min(Math.max(at, 0), last()));
  });
  box.addEventListener("pointerleave", () => hover(null));
  box.addEventListener("click", ({ offsetY }) =>
    chooseUnit(Math.floor((offsetY / box.clientHeight) * get("unit").max) + 1),
  );
}
get("sort").addEventListener("change", ({ target }) => {
  state.sort = target.value;
  chooseUnit(0);
});
get("unit").addEventListener("change", ({ target }) => chooseUnit(Number(target.value)));
get("all").addEventListener("click", () => chooseUnit(0));
get("theme").addEventListener("change", ({ target }) => {
  document.documentElement.style.colorScheme = target.value;
  showInside();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showInside);
addEventListener("resize", () => {
  drawCharts();
  showNow();
});

for (const cell of Object.keys(CELLS)) get(`code-${cell}`).textContent = networkOf(cell).step.toString();
get("main").hidden = false;
chooseModel(0);
start(get("text").value);
