// What happens when something is typed, chosen, hovered over or changed.

import { showCurve, showInside } from "./figures.js";
import { answer, CELLS, compute, data, examples, get, networkOf, state, undo } from "./state.js";
import { showAnswers, showNow, showWords } from "./texts.js";

const STEP_MILLISECONDS = 220; // of Play

// Read the text, and show everything anew.
function update() {
  compute();
  showAnswers();
  showWords();
  showCurve();
  showInside();
  showNow();
}

function setText(text) {
  get("text").value = text;
  examples.shown = null;
  get("which").textContent = "";
  update();
}

// Replace the chosen word, or delete it with the space beside it, and keep what was predicted before.
function edit(replacement) {
  const { start, end } = state.items[state.chosen];
  const text = get("text").value;
  undo.push(text);
  state.compared = { rnn: answer("rnn"), lstm: answer("lstm") };
  const after = replacement ? text.slice(end) : text.slice(end).replace(/^\s/, "");
  setText(text.slice(0, start) + replacement + after);
  get("replacement").value = "";
  get("replacement").focus();
}

function choose(at, focus = false) {
  state.chosen = at;
  state.hovered = null;
  showNow();
  if (focus) get("words-rnn").querySelectorAll(".word")[at].focus();
}

function stop() {
  clearInterval(state.timer);
  state.timer = null;
  get("play").textContent = "Play";
  get("play").setAttribute("aria-pressed", "false");
  showNow();
}

function play() {
  if (state.timer) return stop();
  if (!state.items.length) return;
  choose(0);
  get("play").textContent = "Stop";
  get("play").setAttribute("aria-pressed", "true");
  state.timer = setInterval(
    () => (state.chosen + 1 < state.items.length ? choose(state.chosen + 1) : stop()),
    STEP_MILLISECONDS,
  );
  showNow();
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
  state.compared = state.chosen = null;
  get("text").value = shown.text;
  examples.shown = shown;
  get("which").textContent =
    `${examples.place + 1} of ${fitting.length}: ${shown.words} words, labelled ${shown.positive ? "positive" : "negative"}`;
  update();
}

function chooseModel(place) {
  state.model = data.models[place];
  state.side = state.model.padding;
  state.zeros = state.model.maxlen;
  get("zeros").max = get("zeros").value = state.zeros;
  for (const radio of document.querySelectorAll("[name=side]")) {
    radio.checked = radio.value === state.side;
    radio.nextElementSibling.classList.toggle("trained", radio.checked);
  }
  state.compared = null;
  showZeros();
}

function showZeros() {
  get("zeros").disabled = state.side === "skipped";
  get("zeros-shown").textContent = state.side === "skipped" ? "none" : get("zeros").value;
}

function chooseUnit(row) {
  state.row = row >= 1 && row <= Number(get("unit").max) ? Math.round(row) : null;
  get("unit").value = state.row ?? "";
  showInside();
  showNow();
}

// What happens when.
get("text").addEventListener("input", () => {
  state.compared = state.chosen = null;
  setText(get("text").value);
});
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
for (const radio of document.querySelectorAll("[name=side]")) {
  radio.addEventListener("change", () => {
    state.side = radio.value;
    state.chosen = null;
    showZeros();
    update();
  });
}
get("zeros").addEventListener("input", ({ target }) => {
  state.zeros = Number(target.value);
  showZeros();
  update();
});
get("play").addEventListener("click", play);
for (const cell of Object.keys(CELLS)) {
  const box = get(`words-${cell}`);
  const token = ({ target }) => (target.dataset.at === undefined ? null : Number(target.dataset.at));
  box.addEventListener("pointerover", (event) => {
    state.hovered = token(event);
    showNow();
  });
  box.addEventListener("pointerleave", () => {
    state.hovered = null;
    showNow();
  });
  box.addEventListener("click", (event) => token(event) !== null && choose(token(event)));
  box.addEventListener("focusin", (event) => token(event) !== null && choose(token(event)));
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
  edit(get("replacement").value.trim());
});
get("delete").addEventListener("click", () => edit(""));
get("undo").addEventListener("click", () => {
  state.compared = null;
  setText(undo.pop());
});
for (const box of document.querySelectorAll(".maps .plot:has(canvas)")) {
  box.addEventListener("pointermove", (event) => {
    const share = event.offsetX / box.clientWidth;
    if (!state.items.length) return;
    state.hovered = Math.min(Math.max(Math.floor(share * state.items.length), 0), state.items.length - 1);
    showNow();
  });
  box.addEventListener("pointerleave", () => {
    state.hovered = null;
    showNow();
  });
  box.addEventListener("click", (event) =>
    chooseUnit(Math.floor((event.offsetY / box.clientHeight) * get("unit").max) + 1),
  );
}
get("sort").addEventListener("change", ({ target }) => {
  state.sort = target.value;
  showInside();
  showNow();
});
get("unit").addEventListener("change", ({ target }) => chooseUnit(Number(target.value)));
get("all").addEventListener("click", () => chooseUnit(0));
get("theme").addEventListener("change", ({ target }) => {
  document.documentElement.style.colorScheme = target.value;
  showInside();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showInside);
let width = 0;
new ResizeObserver(() => {
  if (innerWidth === width) return;
  width = innerWidth;
  showCurve();
  showInside();
  showNow();
}).observe(document.body);

for (const cell of Object.keys(CELLS)) get(`code-${cell}`).textContent = networkOf(cell).step.toString();
get("main").hidden = false;
chooseModel(0);
setText(get("text").value);
