// The one toolbar of the canvas, which also fits the canvas into its column.
//
// streamlit-drawable-canvas has a toolbar of its own, in English and seen only under a
// mouse. It is hidden; its buttons are pressed from here.

const SEND = "Update the app with this drawing";
const TELLS_AFTER_MS = 200;
// By then the verdict on the line that was told while it was drawn stands.
const TOLD_MS = 100;
const ICONS = {
  brush:
    "M4 20c3 0 4-1 4-3 0-1.5 1-2.5 2.5-2.5S13 15.500 13 17c0 3-4 4-9 3M11.500 13.500 19 4.500c.8-.8 2 .2 1.500 1L13.500 14.500",
  eraser:
    "M9 20h11M5 14.500 13.500 6c.8-.8 2-.8 2.800 0l3.200 3.200c.8.8.8 2 0 2.800L12 19.500H9.500L5 15.500c-.3-.3-.3-.7 0-1M10 9.500l6 6",
  undo: "M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-3",
  redo: "m16 5 4 4-4 4M20 9H10a5.500 5.500 0 0 0 0 11h3",
  clear: "M5 7h14M9.500 7V5h5v2M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
};
const FITTED = `
.dc-toolbar { display: none !important; }
:host, div { width: 100% !important; }
.dc-root, .dc-container, .canvas-container {
  height: auto !important; max-width: none; aspect-ratio: 1;
}
.dc-scroll { overflow: hidden; }
.dc-textarea-host { width: 0 !important; }
canvas { width: 100% !important; height: 100% !important; }
`;

/** Returns the canvas component's tree, which may be in a shadow. */
function canvasTree(name) {
  const host = document.querySelector(`.st-key-${name}`);
  if (!host) return null;
  for (const element of [host, ...host.querySelectorAll("*")]) {
    const tree = element.shadowRoot ?? element;
    if (tree.querySelector(".dc-toolbar")) return tree;
  }
  return null;
}

/** Presses a button of the canvas's own; returns whether it could be pressed. */
function press(name, label) {
  const button = canvasTree(name)?.querySelector(`button[aria-label="${label}"]`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

function fit(name, words) {
  const tree = canvasTree(name);
  const canvas = tree?.querySelector("canvas.upper-canvas");
  if (!canvas) return false;
  if (!tree.querySelector("style.fitted")) {
    const style = document.createElement("style");
    style.className = "fitted";
    style.textContent = FITTED;
    tree.append(style);
  }
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words.canvas);
  return true;
}

function button(part, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.part = part;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[part]}"/></svg>`;
  return made;
}

function build(bar, { words, most }) {
  bar.setAttribute("aria-label", words.tools);
  const width = document.createElement("input");
  Object.assign(width, { type: "range", min: 2, max: most, title: words.width });
  width.setAttribute("aria-label", words.width);
  bar.replaceChildren(
    button("brush", words.brush),
    button("eraser", words.eraser),
    width,
    button("undo", words.undo),
    button("redo", words.redo),
    button("clear", words.clear),
  );
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const bar = parentElement.querySelector(".tools");
  const name = data.canvas;
  if (bar.words !== data.words.tools) build(bar, data);
  bar.words = data.words.tools;
  const part = (which) => bar.querySelector(`[data-part="${which}"]`);
  const undo = () => press(name, "Undo") || setTriggerValue("restore", Date.now());
  const redo = () => press(name, "Redo");
  for (const tool of ["brush", "eraser"]) {
    part(tool).setAttribute("aria-pressed", String(data.tool === tool));
    part(tool).onclick = () => setStateValue("tool", tool);
  }
  const width = bar.querySelector("input");
  width.value = data.width;
  width.onchange = () => setStateValue("width", Number(width.value));
  part("undo").onclick = undo;
  part("redo").onclick = redo;
  part("clear").onclick = () => setTriggerValue("clear", Date.now());

  const tree = () => canvasTree(name);
  let waiting = null;
  const untilFitted = () => {
    if (!fit(name, data.words)) waiting = requestAnimationFrame(untilFitted);
  };
  untilFitted();

  // The canvas takes note of a stroke in a microtask after the same event, and tells
  // of it 200 ms later, unless its button is pressed. It must not tell after another
  // screen was asked for: Streamlit would stay on this one. A stroke may begin before
  // and end after this script runs again.
  bar.stroke ??= { isDrawn: false, endedAt: Number.NEGATIVE_INFINITY, timer: null };
  const { stroke } = bar;
  const sendNow = () => {
    clearTimeout(stroke.timer);
    if (performance.now() - stroke.endedAt < TELLS_AFTER_MS) press(name, SEND);
    stroke.endedAt = Number.NEGATIVE_INFINITY;
  };
  const begin = (event) => {
    const canvas = tree()?.querySelector("canvas.upper-canvas");
    stroke.isDrawn = Boolean(canvas) && event.composedPath().includes(canvas);
    if (stroke.isDrawn) clearTimeout(stroke.timer);
    else sendNow();
  };
  const end = () => {
    if (!stroke.isDrawn) return;
    stroke.isDrawn = false;
    stroke.endedAt = performance.now();
    stroke.timer = setTimeout(sendNow, data.sends ? 0 : TOLD_MS);
  };
  const type = (event) => {
    if (event.key === "Enter") sendNow();
    if (!(event.ctrlKey || event.metaKey) || event.target.closest?.("input, textarea"))
      return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) undo();
    else if (key === "y" || key === "z") redo();
    else return;
    event.preventDefault();
  };
  const listeners = {
    mousedown: begin,
    touchstart: begin,
    mouseup: end,
    touchend: end,
  };
  // Streamlit may draw a component anew without having cleaned up after it, and a key
  // that two listeners hear would undo two strokes.
  document.toolsListener?.abort();
  const listening = new AbortController();
  const { signal } = listening;
  document.toolsListener = listening;
  for (const [kind, listener] of Object.entries(listeners)) {
    document.addEventListener(kind, listener, { capture: true, passive: true, signal });
  }
  document.addEventListener("keydown", type, { signal });
  signal.addEventListener("abort", () => cancelAnimationFrame(waiting));
  return () => listening.abort();
}
