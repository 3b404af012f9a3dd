// A box that is dragged on a picture, told as shares of its sides.

const STEP = 0.02;
const LEAST = 0.02;
const WHOLE = [0, 0, 1, 1];
const WAYS = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

const within = (share) => Math.min(Math.max(share, 0), 1);

/** Returns a box moved, or with Shift its lower right corner, no further than the picture. */
function moved([left, top, right, bottom], [x, y], resizes) {
  if (resizes)
    return [
      left,
      top,
      Math.max(within(right + x), left + LEAST),
      Math.max(within(bottom + y), top + LEAST),
    ];
  const dx = Math.min(Math.max(x, -left), 1 - right);
  const dy = Math.min(Math.max(y, -top), 1 - bottom);
  return [left + dx, top + dy, right + dx, bottom + dy];
}

export default function ({ data, parentElement, setStateValue }) {
  const part = parentElement.querySelector(".part");
  const frame = part.querySelector("span");
  part.setAttribute("aria-label", data.label);
  part.querySelector("img").src = data.picture;
  const show = (box) => {
    part.box = box.map(within);
    const [left, top, right, bottom] = part.box.map((share) => 100 * share);
    frame.style.inset = `${top}% ${100 - right}% ${100 - bottom}% ${left}%`;
  };
  show(part.box ?? WHOLE);
  const at = (event) => {
    const { left, top, width, height } = part.getBoundingClientRect();
    return [
      within((event.clientX - left) / width),
      within((event.clientY - top) / height),
    ];
  };
  let begun = null;
  part.onpointerdown = (event) => {
    begun = at(event);
    show([...begun, ...begun]);
    part.setPointerCapture(event.pointerId);
  };
  part.onpointermove = (event) => {
    if (!begun) return;
    const [x, y] = at(event);
    show([
      Math.min(begun[0], x),
      Math.min(begun[1], y),
      Math.max(begun[0], x),
      Math.max(begun[1], y),
    ]);
  };
  part.onpointerup = part.onpointercancel = () => {
    if (!begun) return;
    begun = null;
    const [left, top, right, bottom] = part.box;
    // A tap takes the box away.
    if (right - left < LEAST || bottom - top < LEAST) show(WHOLE);
    setStateValue("box", part.box);
  };
  part.onkeydown = (event) => {
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    show(moved(part.box, way, event.shiftKey));
  };
  part.onkeyup = (event) => {
    if (WAYS[event.key]) setStateValue("box", part.box);
  };
}
