// Both cells, a line for each equation, and how a model reads a text with one of them.
// h: hidden state, C: cell state, x: a word's embedding, [h,x]: h above x. W has a row for each unit.

export function rnn({ W, b }, tanh, x, { h }) {
  const hx = above(h, x); // [h,x]
  return { h: tanh(plus(dot(W, hx), b)) }; // h = tanh(W·[h,x] + b)
}

export function lstm({ W_f, b_f, W_i, b_i, W_C, b_C, W_o, b_o }, tanh, x, { h, C }) {
  const hx = above(h, x); // [h,x]
  const f = σ(plus(dot(W_f, hx), b_f)); // f = σ(W_f·[h,x] + b_f)
  const i = σ(plus(dot(W_i, hx), b_i)); // i = σ(W_i·[h,x] + b_i)
  const C̃ = tanh(plus(dot(W_C, hx), b_C)); // C̃ = tanh(W_C·[h,x] + b_C)
  const C_new = plus(times(f, C), times(i, C̃)); // C = f·C + i·C̃
  const o = σ(plus(dot(W_o, hx), b_o)); // o = σ(W_o·[h,x] + b_o)
  return { h: times(o, tanh(C_new)), C: C_new, f, i, C̃, o }; // h = o·tanh(C)
}

// What they are written in. Vectors are Float64Array, matrices { rows, columns, values } row by row.
const logistic = (z) => 1 / (1 + Math.exp(-z));
const σ = (v) => v.map(logistic);
const plus = (a, b) => a.map((each, k) => each + b[k]);
export const times = (a, b) => a.map((each, k) => each * b[k]);

function above(h, x) {
  const both = new Float64Array(h.length + x.length);
  both.set(h);
  both.set(x, h.length);
  return both;
}

function dot({ rows, columns, values }, v) {
  const result = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += values[at++] * v[column];
    result[row] = sum;
  }
  return result;
}

// A recipe's activation, and its slope, given what it returned.
export const ACTIVATIONS = {
  tanh: { of: (v) => v.map(Math.tanh), slope: (v) => v.map((y) => 1 - y * y) },
  relu: { of: (v) => v.map((z) => Math.max(z, 0)), slope: (v) => v.map((y) => (y > 0 ? 1 : 0)) },
  sigmoid: { of: σ, slope: (v) => v.map((y) => y * (1 - y)) },
};

// What the output unit gets: made of what it got a word before, the newest hidden state, and how many there were.
const POOLINGS = {
  last: (_, h) => h,
  mean: (before, h, number) => before.map((mean, k) => mean + (h[k] - mean) / number),
  max: (before, h) => before.map((most, k) => Math.max(most, h[k])),
};

// Read tokens one after another: the state and P(positive) after each. What was read before is not read again.
export function read(network, tokens, former = { tokens: [], steps: [] }) {
  let same = 0;
  while (same < tokens.length && tokens[same] === former.tokens[same]) same++;
  const steps = former.steps.slice(0, same);
  for (const token of tokens.slice(same)) {
    const before = steps.at(-1) ?? network.initial;
    const after = network.step(network.weights, network.activation.of, network.embedding(token), before);
    const pooled = network.pool(before.pooled, after.h, steps.length + 1);
    const logit = pooled.reduce((sum, each, k) => sum + each * network.output[k], network.offset);
    steps.push({ ...after, pooled, p: logistic(logit) });
  }
  return { tokens, steps };
}

// A model as `read` takes it, of the weights that Keras keeps: matrices with a column for each unit.
export function network(cell, packed, { activation, pooling }) {
  const [embedding, kernel, recurrent] = [packed.embedding, packed.kernel, packed.recurrent].map(matrix);
  const bias = numbers(packed.bias);
  const units = recurrent.rows;
  const zeros = () => new Float64Array(units);
  // Rows for the units of one gate: W, of the recurrent weights beside the others, and b.
  const gate = (place) => {
    const W = {
      rows: units,
      columns: units + kernel.rows,
      values: new Float32Array(units * (units + kernel.rows)),
    };
    for (let unit = 0, at = 0; unit < units; unit++) {
      for (const { rows, columns, values } of [recurrent, kernel]) {
        for (let row = 0; row < rows; row++) W.values[at++] = values[row * columns + place * units + unit];
      }
    }
    return [W, Float64Array.from(bias.subarray(place * units, (place + 1) * units))];
  };
  const weights = {};
  const names = cell === "rnn" ? [""] : ["_i", "_f", "_C", "_o"]; // in the order of Keras' columns
  for (const [place, name] of names.entries()) [weights[`W${name}`], weights[`b${name}`]] = gate(place);
  return {
    cell,
    units,
    weights,
    step: cell === "rnn" ? rnn : lstm,
    activation: ACTIVATIONS[activation],
    pool: POOLINGS[pooling],
    embedding: (token) =>
      embedding.values.subarray(token * embedding.columns, (token + 1) * embedding.columns),
    output: numbers(packed.output),
    offset: numbers(packed.offset)[0],
    initial: { h: zeros(), C: zeros(), pooled: zeros() },
  };
}

function bytes(base64) {
  const text = atob(base64);
  const result = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) result[place] = text.charCodeAt(place);
  return result;
}

const numbers = (base64) => new Float32Array(bytes(base64).buffer);

// A matrix is kept as it is, or in 12 bits: each row's weights are levels, -2047 to 2047, times its scale. Two levels
// are three bytes.
function matrix({ columns, values: exact, levels, scale }) {
  if (exact) return { rows: numbers(exact).length / columns, columns, values: numbers(exact) };
  const packed = bytes(levels);
  const scales = numbers(scale);
  const values = new Float32Array(scales.length * columns);
  for (let at = 0; at < values.length; at++) {
    const place = 3 * (at >> 1);
    const middle = packed[place + 1];
    const level = at % 2 ? (middle >> 4) | (packed[place + 2] << 4) : packed[place] | ((middle & 15) << 8);
    values[at] = (level - 2048) * scales[Math.floor(at / columns)];
  }
  return { rows: scales.length, columns, values };
}
