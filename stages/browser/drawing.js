// Heat maps and line charts, in the colours of the page.

// The page's colours, light or dark, as [red, green, blue].
export function colours(names) {
  const probe = document.body.appendChild(document.createElement("i"));
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number);
  });
  probe.remove();
  return found;
}

// The colour at a value between 0 and 1, from the first colour to the last, and evenly between them.
export function scale(stops) {
  return (value) => {
    const place = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
    const left = Math.min(Math.floor(place), stops.length - 2);
    return stops[left].map((each, k) => each + (stops[left + 1][k] - each) * (place - left));
  };
}

// A pixel for each column (token) and row (unit) of a canvas, which the style sheet makes larger.
export function heatMap(canvas, columns, rows, value, colour) {
  canvas.width = Math.max(columns, 1);
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, rows);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < canvas.width; column++) {
      const [red, green, blue] = column < columns ? colour(value(column, row)) : [0, 0, 0];
      image.data.set([red, green, blue, column < columns ? 255 : 0], at);
      at += 4;
    }
  }
  context.putImageData(image, 0, 0);
}

const MARGIN = { left: 44, right: 12, top: 8, bottom: 24 };

// Where the middle of a token lies in a chart or over a heat map, as a share of its width.
export function middle(box, token, count) {
  const { left, right } = box.dataset.kind === "chart" ? MARGIN : { left: 0, right: 0 };
  const width = box.clientWidth;
  return (left + ((token + 0.5) / count) * (width - left - right)) / width;
}

// A line for each of `lines`, { cell, name, values }, over the tokens; `ticks`: [value, label]; shade: [from, to).
export function chart(box, { lines, ticks, low, high, shade }) {
  const [width, height] = [box.clientWidth, box.clientHeight];
  if (!width) return; // not laid out yet
  const count = lines[0].values.length;
  const x = (token) => (middle(box, token, count) * width).toFixed(1);
  const y = (value) => {
    const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return (height - MARGIN.bottom - share * (height - MARGIN.top - MARGIN.bottom)).toFixed(1);
  };
  const parts = [];
  if (shade && shade[1] > shade[0]) {
    const [from, to] = shade.map((token) => x(token - 0.5));
    const inside = height - MARGIN.top - MARGIN.bottom;
    parts.push(`<rect class="shade" x="${from}" y="${MARGIN.top}" width="${to - from}" height="${inside}"/>`);
  }
  for (const [value, label] of ticks) {
    parts.push(
      `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y(value)}" y2="${y(value)}"/>`,
    );
    parts.push(`<text x="${MARGIN.left - 6}" y="${y(value)}" dy="0.32em" text-anchor="end">${label}</text>`);
  }
  parts.push(`<text x="${MARGIN.left}" y="${height - 6}">first</text>`);
  parts.push(`<text x="${width - MARGIN.right}" y="${height - 6}" text-anchor="end">last token</text>`);
  for (const { name, values } of lines) {
    const points = Array.from(values, (value, token) => `${x(token)},${y(value)}`).join(" ");
    parts.push(`<polyline class="line ${name}" points="${points}"/>`);
    if (count === 1) parts.push(`<circle class="dot ${name}" cx="${x(0)}" cy="${y(values[0])}" r="3"/>`);
  }
  box.querySelector("svg").setAttribute("viewBox", `0 0 ${width} ${height}`);
  box.querySelector("svg").innerHTML = parts.join("");
}
