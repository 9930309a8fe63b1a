// How strongly each word moves the last hidden state: the chain rule, from the last word back to the first.

import { times } from "./cells.js";

// The squared norm of the gradient of one unit of the last hidden state in the embedding of each token.
export function squares({ cell, units, weights, activation }, steps, unit) {
  const result = new Float64Array(steps.length);
  let dh = new Float64Array(units);
  let dC = new Float64Array(units);
  dh[unit] = 1;
  for (let t = steps.length - 1; t >= 0; t--) {
    let backwards;
    if (cell === "rnn") {
      backwards = [[weights.W, times(dh, activation.slope(steps[t].h))]]; // h = tanh(W·[h,x] + b)
    } else {
      const { f, i, C̃, C, o } = steps[t];
      const tanhC = activation.of(C);
      const before = steps[t - 1]?.C ?? new Float64Array(units);
      const slope = activation.slope(tanhC);
      dC = dC.map((each, k) => each + dh[k] * o[k] * slope[k]); // h = o·tanh(C)
      backwards = [
        [weights.W_o, times(times(dh, tanhC), gateSlope(o))],
        [weights.W_f, times(times(dC, before), gateSlope(f))], // C = f·C + i·C̃
        [weights.W_i, times(times(dC, C̃), gateSlope(i))],
        [weights.W_C, times(times(dC, i), activation.slope(C̃))],
      ];
      dC = times(dC, f);
    }
    const dhx = transposed(backwards);
    dh = dhx.subarray(0, units);
    result[t] = dhx.subarray(units).reduce((sum, each) => sum + each * each, 0);
  }
  return result;
}

const gateSlope = (gate) => gate.map((y) => y * (1 - y));

// The sum of Wᵀ·v over some W and v: the gradient in [h,x], given those in W·[h,x].
function transposed(pairs) {
  const { columns } = pairs[0][0];
  const result = new Float64Array(columns);
  for (const [{ rows, values }, v] of pairs) {
    for (let row = 0, at = 0; row < rows; row++) {
      const factor = v[row];
      for (let column = 0; column < columns; column++) result[column] += values[at++] * factor;
    }
  }
  return result;
}
