// What is typed and chosen, and what the networks make of it.

import { network, read } from "./cells.js";
import { encode, pad, split, vocabulary } from "./words.js";

export const CELLS = { rnn: "RNN", lstm: "LSTM" };
export const GATES = { f: "forget", i: "input", o: "output" };

export const get = (id) => document.getElementById(id);
export const data = JSON.parse(get("data").textContent);
const vocabularyTokens = vocabulary(data.words);
const networks = new Map(); // model, cell → network, once it was needed
const former = new Map(); // network → what it read last
export const examples = { shown: null, place: -1 };
export const undo = []; // former texts
export const state = {
  model: data.models[0],
  side: data.models[0].padding,
  zeros: data.models[0].maxlen,
  sort: "answer",
  row: null, // of the unit that is shown alone, from 1; as long as there is one, units keep their rows
  chosen: null, // the token that was clicked or went to
  hovered: null, // the token under the pointer
  compared: null, // what was predicted before the last edit, by cell
  items: [], // the tokens that are read
  runs: {}, // cell → network, steps and order of units
  room: 0, // for zeros
};

export const of = (cell) => state.runs[cell];
export const answer = (cell) => of(cell).steps.at(-1)?.p ?? null;
export const fixed = (p) => (p === null ? "–" : p.toFixed(3));
export const now = () => state.hovered ?? state.chosen;

export function networkOf(cell) {
  const key = `${state.model.title} ${cell}`;
  if (!networks.has(key)) networks.set(key, network(cell, state.model.cells[cell], state.model));
  return networks.get(key);
}

// Read the text with both networks.
export function compute() {
  const looked = state.items[state.chosen];
  const words = split(get("text").value);
  const { read: own, cut } = encode(words, vocabularyTokens, state.model);
  state.room = state.model.maxlen - own.length;
  state.items = words.length ? pad(own, state.side, Math.min(state.zeros, state.room)) : [];
  state.cut = state.model.truncating === "pre" ? words.slice(0, cut) : words.slice(words.length - cut);
  for (const cell of Object.keys(CELLS)) {
    const reader = networkOf(cell);
    const tokens = state.items.map(({ token }) => token);
    const result = read(reader, tokens, former.get(reader));
    former.set(reader, result);
    const order = state.row === null ? null : state.runs[cell].order;
    state.runs[cell] = { network: reader, steps: result.steps, signs: reader.output.map(Math.sign), order };
  }
  state.chosen = looked ? placeOf(looked) : null;
  state.hovered = null;
}

// The place of a token that was read before: where its word is, or was; null where there is none.
function placeOf({ start, kind }) {
  const same = (item) => (start === undefined ? item.kind === kind : item.start >= start);
  const at = state.items.findIndex(same);
  const place = at < 0 ? state.items.findLastIndex((item) => item.start !== undefined) : at;
  return place < 0 ? null : place;
}
