// What a chart of many points can do besides: names where there is room, a card for the
// point below the mouse, and gathering points by lasso. `data.points` is {labels, cards,
// revision}; see chart.py. Stands behind chart.js in one script.

const LABEL_ROOM = { x: 18, y: 12 };
const LINE_PX = 29;
const POINTS_STYLE = `
.chart-names, .chart-card { position: absolute; pointer-events: none; }
.chart-names { inset: 0; overflow: hidden; font: 600 12px/1.2 var(--st-font);
  color: var(--st-text-color); }
.chart-names span { position: absolute; transform: translate(-50%, -50%);
  white-space: nowrap; text-shadow: 0 0 2px var(--st-background-color),
  0 0 3px var(--st-background-color), 0 0 4px var(--st-background-color),
  0 0 5px var(--st-background-color); }
.chart-names .chosen { font-size: 14px; }
.chart-card { z-index: 3; max-width: 200px; padding: 0.5rem; border-radius: 0.5rem;
  border: 1px solid var(--st-border-color); background: var(--st-background-color);
  font: 0.85rem/1.35 var(--st-font); color: var(--st-text-color);
  box-shadow: 0 2px 8px rgba(0, 0, 0, 0.25); overflow-wrap: anywhere; }
.chart-card i { display: block; background-color: white; margin-bottom: 0.35rem;
  border-radius: 0.25rem; }
.chart-card b, .chart-card span { display: block; }
.chart-card span:last-child { opacity: 0.7; font-size: 0.75rem; }
`;

/** Draws points as SVG where the browser has no WebGL, rather than not at all. */
// biome-ignore lint/correctness/noUnusedVariables: chart.js calls it.
function drawable(traces) {
  globalThis.hasWebGL ??= Boolean(document.createElement("canvas").getContext("webgl"));
  if (globalThis.hasWebGL) return traces;
  return traces.map((trace) =>
    trace.type === "scattergl" ? { ...trace, type: "scatter" } : trace,
  );
}

/** Reads an array of Python's, which `{dtype, bdata}` holds as Plotly's do. */
function unpacked({ dtype, bdata }) {
  const bytes = Uint8Array.from(atob(bdata), (sign) => sign.charCodeAt(0));
  return new { u1: Uint8Array, u2: Uint16Array }[dtype](bytes.buffer);
}

/** Adds to a chart that has been drawn what `points` asks for. */
// biome-ignore lint/correctness/noUnusedVariables: chart.js calls it.
function explore(root) {
  if (!root.names) {
    const style = document.createElement("style");
    style.textContent = POINTS_STYLE;
    root.names = document.createElement("div");
    root.names.className = "chart-names";
    root.names.setAttribute("aria-hidden", "true");
    root.card = document.createElement("div");
    root.card.className = "chart-card";
    root.card.hidden = true;
    root.after(style, root.names, root.card);
    // Plotly adds to an outline, which is gone by then: the page adds to the set.
    root.addEventListener(
      "mousedown",
      (event) => {
        root.adds = event.shiftKey;
      },
      { capture: true },
    );
  }
  const { points } = root.latest;
  if (root.cardsOf !== points.cards) {
    root.cardsOf = points.cards;
    root.cards = points.cards && {
      ...points.cards,
      drawn: unpacked(points.cards.drawn),
      guess: unpacked(points.cards.guess),
      percent: unpacked(points.cards.percent),
    };
  }
  placeNames(root);
  if (root.isExplored) return;
  root.isExplored = true;
  root.on("plotly_afterplot", () => placeNames(root));
  root.on("plotly_relayouting", () => placeNames(root));
  root.on("plotly_hover", ({ points: [point], event }) =>
    showCard(root, point.customdata, event),
  );
  root.on("plotly_unhover", () => {
    root.card.hidden = true;
  });
  root.on("plotly_selected", (event) => gather(root, event?.points ?? []));
  root.on("plotly_deselect", () => gather(root, []));
}

/** Writes as many names as there is room for, the first ones first. */
function placeNames(root) {
  const { labels } = root.latest.points;
  const { xaxis, yaxis } = root._fullLayout;
  root.pen ??= document.createElement("canvas").getContext("2d");
  const { pen } = root;
  const taken = [];
  const spans = [];
  for (const { x, y, text, chosen } of labels) {
    const left = xaxis.d2p(x);
    let top = yaxis.d2p(y);
    if (left < 0 || top < 0 || left > xaxis._length || top > yaxis._length) continue;
    pen.font = `600 ${chosen ? 14 : 12}px ${getComputedStyle(root).fontFamily}`;
    const width = pen.measureText(text).width / 2 + LABEL_ROOM.x / 2;
    const height = 8 + LABEL_ROOM.y / 2;
    // A chosen one gives way by a line or two, any other to nothing.
    const shift = (chosen ? [0, 1, -1, 2, -2, 3, -3] : [0]).find(
      (lines) =>
        !taken.some(
          (other) =>
            Math.abs(other.left - left) < other.width + width &&
            Math.abs(other.top - top - LINE_PX * lines) < other.height + height,
        ),
    );
    if (shift === undefined && !chosen) continue;
    top += LINE_PX * (shift ?? 0);
    taken.push({ left, top, width, height });
    const span = document.createElement("span");
    span.textContent = text;
    span.className = chosen ? "chosen" : "";
    span.style.left = `${xaxis._offset + left}px`;
    span.style.top = `${yaxis._offset + top}px`;
    spans.push(span);
  }
  root.names.replaceChildren(...spans);
}

/** Shows what is known of the sketch of a row beside the mouse. */
function showCard(root, row, event) {
  const { cards, card } = root;
  if (!cards || row === undefined) return;
  const lines = [];
  const sheets = globalThis.sketchSheets;
  if (sheets && sheets.key === cards.pictures) {
    const { px, columns, urls } = sheets;
    const [sheet, place] = [Math.floor(row / columns ** 2), row % columns ** 2];
    const picture = document.createElement("i");
    const at = (number) => `${-2 * px * number}px`;
    Object.assign(picture.style, {
      width: `${2 * px}px`,
      height: `${2 * px}px`,
      backgroundImage: `url(${urls[sheet]})`,
      backgroundSize: `${2 * px * columns}px`,
      backgroundPosition: `${at(place % columns)} ${at(Math.floor(place / columns))}`,
    });
    lines.push(picture);
  }
  const isRight = cards.drawn[row] === cards.guess[row];
  for (const [kind, text] of [
    ["b", cards.names[cards.drawn[row]]],
    [
      "span",
      `${isRight ? "✓" : "✗"} ${cards.names[cards.guess[row]]} ${cards.percent[row]} %`,
    ],
    ["span", cards.ids[row]],
  ]) {
    const line = document.createElement(kind);
    line.textContent = text;
    lines.push(line);
  }
  card.replaceChildren(...lines);
  card.hidden = false;
  const frame = root.parentElement.getBoundingClientRect();
  const [x, y] = [event.clientX - frame.x, event.clientY - frame.y];
  const fits = (from, size, room) =>
    from + size + 16 < room ? from + 16 : from - size - 16;
  card.style.left = `${Math.max(0, fits(x, card.offsetWidth, frame.width))}px`;
  card.style.top = `${Math.max(0, fits(y, card.offsetHeight, frame.height))}px`;
}

/** Reports the rows that a lasso or a box holds; none when it is taken back. */
function gather(root, points) {
  // Plotly tells of a lasso, too, whose outline goes as the chart is drawn anew.
  if (root.draws) return;
  const rows = points.map((point) => point.customdata);
  if (!rows.length) {
    // Else its outline stays, and all points faint, where there is no set to leave.
    root.emptied = (root.emptied ?? 0) + 1;
    root.draw();
  }
  root.setTriggerValue("gather", { rows, adds: Boolean(root.adds) });
}
