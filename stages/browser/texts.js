// The answers and the text, coloured by what each network would predict after each word.

import { middle } from "./drawing.js";
import { answer, CELLS, examples, fixed, GATES, get, now, of, state, undo } from "./state.js";

const CUT_SHOWN = 20; // words that do not count, of which so many are shown
const HINT = "Hover over a word, or click it, or go to it with the arrow keys.";

export function showAnswers() {
  for (const cell of Object.keys(CELLS)) {
    const p = answer(cell);
    const row = get(`answer-${cell}`);
    const value = row.querySelector("data");
    value.value = p ?? "";
    value.textContent = fixed(p);
    row.querySelector("i").style.left = p === null ? "" : `${100 * p}%`;
    row.querySelector(".meter").classList.toggle("none", p === null);
    row.querySelector(".said").textContent = said(cell, p);
  }
  const { maxlen, truncating } = state.model;
  const which = truncating === "pre" ? "last" : "first";
  const cut = state.cut.length;
  const unread = `${cut.toLocaleString("en")} ${cut === 1 ? "word is" : "words are"} not read`;
  get("cut").textContent = cut ? `Only the ${which} ${maxlen} tokens count: ${unread}.` : "";
}

export function showZeros() {
  const none = state.side === "skipped";
  const slider = get("zeros");
  slider.disabled = none;
  slider.max = state.room;
  slider.value = state.zeros;
  get("zeros-shown").textContent = none ? "none" : slider.value;
  get("unseen").textContent =
    !none && state.model.padding === "skipped" ? "In training, these models read no zeros." : "";
}

// What a probability says, whether that is right, and what it was before an edit.
function said(cell, p) {
  if (p === null) return "nothing to read";
  const { shown } = examples;
  const right = shown && p > 0.5 === shown.positive ? ", right" : ", wrong";
  const before = state.compared && `; before: ${fixed(state.compared[cell])}`;
  return `${p > 0.5 ? "positive" : "negative"}${shown ? right : ""}${before ?? ""}`;
}

export function showWords() {
  for (const cell of Object.keys(CELLS)) {
    const box = get(`words-${cell}`);
    const shown = state.items.map((item, at) => wordElement(cell, item, at));
    const before = state.model.truncating === "pre";
    const cut = document.createElement("span");
    cut.className = "cut";
    const kept = before ? state.cut.slice(-CUT_SHOWN) : state.cut.slice(0, CUT_SHOWN);
    cut.textContent = kept.map(({ word }) => word).join(" ");
    if (state.cut.length > CUT_SHOWN)
      cut.textContent = before ? `… ${cut.textContent}` : `${cut.textContent} …`;
    box.replaceChildren(...(before ? [cut, ...shown] : [...shown, cut]));
  }
}

function wordElement(cell, { word, kind }, at) {
  const { p } = of(cell).steps[at];
  const element = document.createElement(cell === "rnn" ? "button" : "span");
  element.className = `word ${kind} ${p > 0.5 ? "for" : "against"}`;
  element.style.setProperty("--share", `${Math.abs(200 * p - 100).toFixed(1)}%`);
  element.textContent = kind === "zero" ? "" : word;
  element.dataset.at = at;
  element.dataset.p = p;
  if (cell === "rnn") {
    element.type = "button";
    element.tabIndex = -1;
    const name = kind === "zero" ? "zero" : `${word}${kind === "unknown" ? ", unknown" : ""}`;
    element.setAttribute("aria-label", `${name}: RNN ${fixed(p)}, LSTM ${fixed(of("lstm").steps[at].p)}`);
  }
  return element;
}

// Mark the token that is looked at, everywhere, and say what it is.
export function showNow() {
  const at = now();
  const item = at === null ? null : state.items[at];
  for (const cell of Object.keys(CELLS)) {
    for (const word of get(`words-${cell}`).querySelectorAll(".word")) {
      const place = Number(word.dataset.at);
      word.classList.toggle("now", place === at);
      word.classList.toggle("later", Boolean(state.timer) && place > at);
      if (cell === "rnn") word.tabIndex = place === (state.chosen ?? 0) ? 0 : -1;
      if (place === at) bring(word);
    }
  }
  for (const box of document.querySelectorAll(".plot")) {
    const cursor = box.querySelector(".cursor");
    cursor.hidden = item === null;
    if (item) cursor.style.left = `${100 * middle(box, at, state.items.length)}%`;
    const row = box.querySelector(".row");
    if (!row) continue;
    row.hidden = state.row === null;
    row.style.top = `${(100 * (state.row - 0.5)) / get("unit").max}%`;
  }
  get("about").textContent = item ? about(item, at) : HINT;
  const editable = state.chosen !== null && state.items[state.chosen].start !== undefined;
  for (const id of ["replace", "delete", "replacement"]) get(id).disabled = !editable;
  get("undo").disabled = !undo.length;
}

// Scroll a word's box so far that the word is seen.
function bring(word) {
  const box = word.parentElement;
  const out = word.offsetTop < box.scrollTop || word.offsetTop > box.scrollTop + box.clientHeight - 30;
  if (out) box.scrollTop = word.offsetTop - box.clientHeight / 2;
}

function about({ word, kind }, at) {
  const step = of("lstm").steps[at];
  const mean = (gate) => step[gate].reduce((sum, each) => sum + each, 0) / step[gate].length;
  const gates = Object.entries(GATES).map(([gate, name]) => `${name} ${mean(gate).toFixed(2)}`);
  const what = { zero: "a zero", start: "the start token", unknown: `“${word}”, unknown`, word: `“${word}”` }[
    kind
  ];
  const after = Object.entries(CELLS).map(([cell, name]) => `${name} ${fixed(of(cell).steps[at].p)}`);
  return `Token ${at + 1} of ${state.items.length}, ${what}: ${after.join(", ")}. LSTM gates, on average: ${gates.join(", ")}.`;
}
