// Undo and redo beside the canvas, and strokes that arrive at once.
//
// streamlit-drawable-canvas waits 200 ms after a stroke before it sends it. Its own
// toolbar, which shows only under a mouse, has a button that sends at once; this
// presses it. Without that button a stroke arrives later, and that is all.

const SEND = 'button[aria-label="Update the app with this drawing"]';

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

function press(name, selector) {
  const button = canvasTree(name)?.querySelector(selector);
  if (button && !button.disabled) button.click();
}

export default function ({ data, parentElement }) {
  const name = data.canvas;
  for (const button of parentElement.querySelectorAll("button[data-press]")) {
    button.textContent = data.words[button.dataset.press];
    button.onclick = () => press(name, `button[aria-label="${button.dataset.press}"]`);
  }
  let isDrawing = false;
  const begin = (event) => {
    isDrawing = event
      .composedPath()
      .some((element) => element.classList?.contains("upper-canvas"));
  };
  // The canvas takes note of a stroke in a microtask after the same event.
  const end = () => {
    if (isDrawing) setTimeout(() => press(name, SEND), 0);
    isDrawing = false;
  };
  const options = { capture: true, passive: true };
  const listeners = {
    mousedown: begin,
    touchstart: begin,
    mouseup: end,
    touchend: end,
  };
  for (const [type, listener] of Object.entries(listeners)) {
    document.addEventListener(type, listener, options);
  }
  return () => {
    for (const [type, listener] of Object.entries(listeners)) {
      document.removeEventListener(type, listener, options);
    }
  };
}
