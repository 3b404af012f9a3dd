// Tells of the line that is being drawn, while it is drawn.
//
// A line is told again as soon as the last one was answered, so that many visitors or a
// slow machine get fewer answers, not late ones. What the canvas has not told of yet
// goes with it: `data.strokes` is how many strokes the answer knew. Lines say the same,
// since the canvas may tell of one while they are on their way.

const LEAST_MS = 80;
const LOST_MS = 3000;
const STEP_PX = 3;

/** Finds the canvas's upper layer, which may be in a shadow. */
function upperCanvas(name) {
  const host = document.querySelector(`.st-key-${name}`);
  for (const element of host ? [host, ...host.querySelectorAll("*")] : []) {
    const found = (element.shadowRoot ?? element).querySelector("canvas.upper-canvas");
    if (found) return found;
  }
  return null;
}

function thinned(line, most) {
  const every = Math.ceil(line.length / (most - 1));
  return line.filter((_, place) => place % every === 0 || place === line.length - 1);
}

function ask(pen) {
  clearTimeout(pen.timer);
  if (!pen.isNew || !pen.lines.length) return;
  const now = performance.now();
  const waits = pen.answered === pen.number ? LEAST_MS : LOST_MS;
  const left = pen.askedAt + waits - now;
  if (left > 0) {
    pen.timer = setTimeout(() => ask(pen), left);
    return;
  }
  pen.isNew = false;
  pen.askedAt = now;
  pen.number += 1;
  performance.mark("pen line");
  const lines = pen.lines.map((line) => thinned(line, pen.data.most));
  pen.tell("line", { number: pen.number, lines, strokes: pen.strokes });
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!parentElement.pen) {
    parentElement.pen = { lines: [], number: 0, answered: 0, askedAt: 0, strokes: 0 };
  }
  const pen = parentElement.pen;
  pen.tell = setTriggerValue;
  // What the canvas has told by now is no line of ours any more.
  const known = data.strokes - pen.strokes;
  if (pen.data?.canvas !== data.canvas || known < 0)
    pen.lines = pen.line ? [pen.line] : [];
  else pen.lines.splice(0, pen.line ? Math.min(known, pen.lines.length - 1) : known);
  // A run of the whole page drops what was asked meanwhile.
  if (known || pen.data?.canvas !== data.canvas) pen.answered = pen.number;
  pen.strokes = data.strokes;
  pen.data = data;
  pen.answered = Math.max(pen.answered, data.answered || 0);
  ask(pen);

  const place = (event, canvas) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * data.size) / box.width,
      ((event.clientY - box.top) * data.size) / box.height,
    ].map((value) => Math.round(value * 10) / 10);
  };
  const begin = (event) => {
    const canvas = upperCanvas(data.canvas);
    if (!canvas || !event.isPrimary || !event.composedPath().includes(canvas)) {
      // What is pressed may ask for another screen; a line told later would undo that.
      clearTimeout(pen.timer);
      pen.isNew = false;
      return;
    }
    pen.canvas = canvas;
    pen.line = [place(event, canvas)];
    pen.lines.push(pen.line);
  };
  const move = (event) => {
    if (!pen.line || !event.isPrimary) return;
    const [x, y] = place(event, pen.canvas);
    const [lastX, lastY] = pen.line.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < STEP_PX) return;
    pen.line.push([x, y]);
    pen.isNew = true;
    ask(pen);
  };
  const end = (event) => {
    if (!pen.line || !event.isPrimary) return;
    pen.line.push(place(event, pen.canvas));
    pen.line = null;
    pen.isNew = true;
    ask(pen);
  };
  const listeners = {
    pointerdown: begin,
    pointermove: move,
    pointerup: end,
    pointercancel: end,
  };
  // Streamlit may draw a component anew without having cleaned up after it, and a line
  // that two listeners hear would be two lines.
  document.penListener?.abort();
  const listening = new AbortController();
  const { signal } = listening;
  document.penListener = listening;
  for (const [kind, listener] of Object.entries(listeners)) {
    document.addEventListener(kind, listener, { capture: true, passive: true, signal });
  }
  signal.addEventListener("abort", () => clearTimeout(pen.timer));
  return () => listening.abort();
}
