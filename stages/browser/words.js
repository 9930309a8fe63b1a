// A text as the models read it: its words, split as `predict` splits them, and their tokens.

export const PADDING = 0;
const START = 1;
const UNKNOWN = 2;
const INDEX_FROM = 3; // a word's token is its rank, from 1, plus this

// Everything but white space and ASCII punctuation; the apostrophe is part of a word.
const WORD = /[^!-&(-/:-@[-`{-~ \t\n\r\v\f]+/g;

// Each word of a text with its place there. Only A to Z become lower-case, as in the training reviews.
export function split(text) {
  return [...text.matchAll(WORD)].map((found) => ({
    word: found[0].replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
    start: found.index,
    end: found.index + found[0].length,
  }));
}

// The words, the most frequent first, as word → token.
export function vocabulary(words) {
  return new Map(words.map((word, place) => [word, place + 1 + INDEX_FROM]));
}

// The tokens that a model reads: the start token and the words, of which `maxlen` count. `cut` words do not.
export function encode(words, tokens, { num_words, maxlen, truncating }) {
  const known = (word) => (tokens.get(word) < num_words ? tokens.get(word) : UNKNOWN);
  const all = [
    { word: "start", token: START, kind: "start" },
    ...words.map((each) => {
      const token = known(each.word);
      return { ...each, token, kind: token === UNKNOWN ? "unknown" : "word" };
    }),
  ];
  const read = truncating === "pre" ? all.slice(-maxlen) : all.slice(0, maxlen);
  return { read, cut: words.length - read.filter(({ kind }) => kind !== "start").length };
}

// The tokens with so many zeros before or after them, or with none where padding is skipped.
export function pad(read, side, zeros) {
  const padding = Array(side === "skipped" ? 0 : zeros).fill({ word: "0", token: PADDING, kind: "zero" });
  return side === "before" ? [...padding, ...read] : [...read, ...padding];
}
