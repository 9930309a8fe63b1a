// The curve, the look inside and the gradients.

import { chart, colours, heatMap, scale } from "./drawing.js";
import { squares } from "./gradients.js";
import { answer, CELLS, fixed, GATES, get, of, state } from "./state.js";

const FLOOR = -8; // gradients below 10 to this power are drawn there

function drawn(id, settings, label) {
  const box = get(id);
  const words = state.items.findIndex(({ kind }) => kind !== "zero");
  const end = state.items.findLastIndex(({ kind }) => kind !== "zero") + 1;
  const shade = state.side === "before" ? [0, words] : [end, state.items.length];
  if (state.items.length) chart(box, { shade, ...settings });
  else box.querySelector("svg").replaceChildren();
  box.querySelector("svg").setAttribute("aria-label", label);
}

export function showCurve() {
  const lines = Object.keys(CELLS).map((cell) => ({ name: cell, values: of(cell).steps.map(({ p }) => p) }));
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((each) => [each, each]);
  const ends = Object.entries(CELLS).map(([cell, name]) => `${name} ends at ${fixed(answer(cell))}`);
  drawn("curve", { lines, ticks, low: 0, high: 1 }, `P(positive) after each token: ${ends.join(", ")}`);
}

// The units from the one that speaks most for a positive review to the one that speaks most against, or as chosen.
function order(cell) {
  const { steps, network: reader } = of(cell);
  const key =
    state.sort === "forget" && cell === "lstm"
      ? (unit) => steps.reduce((sum, { f }) => sum + f[unit], 0)
      : (unit) => (steps.at(-1)?.pooled[unit] ?? 0) * reader.output[unit];
  const keys = Array.from({ length: reader.units }, (_, unit) => key(unit));
  return keys.map((_, unit) => unit).sort((a, b) => keys[b] - keys[a] || a - b);
}

export function showInside() {
  const [paper, ink, positive, negative] = colours(["low", "high", "positive", "negative"]);
  const hidden = scale([negative, paper, positive]);
  const gate = scale([paper, ink]);
  const turned = (run) => (token, unit) => (1 + run.steps[token].h[unit] * run.signs[unit]) / 2;
  const map = (id, run, value, colour, label) => {
    const canvas = get(`map-${id}`).querySelector("canvas");
    heatMap(
      canvas,
      run.steps.length,
      run.network.units,
      (token, row) => value(token, run.order[row]),
      colour,
    );
    canvas.setAttribute("aria-label", `${label}: ${run.network.units} units by ${run.steps.length} tokens`);
  };
  for (const [cell, name] of Object.entries(CELLS)) {
    const run = of(cell);
    if (state.row === null) run.order = order(cell);
    map(`${cell}-h`, run, turned(run), hidden, `${name}, hidden state`);
  }
  for (const [gateName, name] of Object.entries(GATES)) {
    const run = of("lstm");
    map(
      `lstm-${gateName}`,
      run,
      (token, unit) => run.steps[token][gateName][unit],
      gate,
      `LSTM, ${name} gate`,
    );
  }
  get("unit").max = Math.min(...Object.keys(CELLS).map((cell) => of(cell).network.units));
  get("all").disabled = state.row === null;
  showUnit();
}

// Draw the charts again, in the width that they have now.
export function drawCharts() {
  showCurve();
  showUnit();
  drawGradient();
}

// One unit of each network alone.
function showUnit() {
  for (const [cell, name] of Object.entries(CELLS)) {
    const figure = get(`unit-${cell}`);
    figure.hidden = state.row === null;
    if (state.row === null) continue;
    const { steps, signs, order: units } = of(cell);
    const unit = units[state.row - 1];
    const lines = [{ name: `${cell} state`, values: steps.map(({ h }) => h[unit] * signs[unit]) }];
    if (cell === "lstm") {
      const gates = Object.entries(GATES);
      lines.push(
        ...gates.map(([gate, each]) => ({ name: each, values: steps.map((step) => step[gate][unit]) })),
      );
    }
    const keys = lines.map((line) => `<b class="${line.name}">${line.name.split(" ").at(-1)}</b>`).join(" ");
    figure.querySelector("figcaption").innerHTML =
      `${name}, unit ${unit}, row ${state.row} <span class="key">${keys}</span>`;
    const box = figure.querySelector(".plot");
    box.id = `unit-${cell}-plot`;
    const ticks = [-1, 0, 1].map((each) => [each, String(each).replace("-", "−")]);
    drawn(box.id, { lines, ticks, low: -1, high: 1 }, `${name}, unit ${unit}`);
  }
}

// The gradients of a long text take some seconds: unit by unit, with pauses in which the page stays awake.
export async function showGradient() {
  state.job = {};
  const { job } = state;
  const box = get("gradient");
  box.setAttribute("aria-busy", "true");
  get("of").textContent = state.row === null ? "all units" : `the unit of row ${state.row}`;
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  await pause(100); // somebody may be typing
  const rows = state.row === null ? of("lstm").order.keys() : [state.row - 1];
  const sums = Object.fromEntries(Object.keys(CELLS).map((cell) => [cell, state.items.map(() => 0)]));
  state.gradients = sums;
  let since = performance.now();
  for (const row of rows) {
    for (const cell of Object.keys(CELLS)) {
      if (state.job !== job) return;
      const { network: reader, steps, order: units } = of(cell);
      for (const [token, each] of squares(reader, steps, units[row]).entries()) sums[cell][token] += each;
      if (performance.now() - since > 50) {
        drawGradient();
        await pause(0);
        since = performance.now();
      }
    }
  }
  if (state.job !== job) return;
  drawGradient();
  box.setAttribute("aria-busy", "false");
}

function drawGradient() {
  const sums = state.gradients;
  if (!sums || sums.rnn.length !== state.items.length) return; // they are being computed
  const norms = (cell) => sums[cell].map((sum) => Math.sqrt(sum / sums[cell].at(-1)) || 0);
  const lines = Object.keys(CELLS).map((cell) => ({ name: cell, values: norms(cell).map(Math.log10) }));
  const most = lines.flatMap(({ values }) => values).reduce((a, b) => Math.max(a, b), 0);
  const high = 2 * Math.ceil(Math.min(most, 8) / 2 + 0.01);
  const ticks = [];
  for (let power = FLOOR; power <= high; power += 2)
    ticks.push([power, power ? `${power === FLOOR ? "≤ " : ""}1e${power}`.replace("-", "−") : "1"]);
  const first = Object.entries(CELLS).map(
    ([cell, name]) => `${name} ${norms(cell)[0]?.toPrecision(2) ?? "–"}`,
  );
  const label = `Gradient in the first token, relative to the last: ${first.join(", ")}`;
  drawn("gradient", { lines, ticks, low: FLOOR, high }, label);
}
