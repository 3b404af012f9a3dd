// Shows tiles and asks for more as their end comes into view; see gallery.py.
// `data` is {key, start, total, tiles}: the tiles from number `start` on.

const AHEAD_PX = 600;
const PATIENCE_MS = 3000;

const STYLE = `
.gallery { display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fill, minmax(148px, 1fr)); }
.gallery button { all: unset; box-sizing: border-box; cursor: pointer; padding: 0.5rem;
  border: 1px solid var(--st-border-color); border-radius: 0.5rem;
  display: flex; flex-direction: column; gap: 0.25rem; min-width: 0;
  font: 0.85rem/1.3 var(--st-font); color: var(--st-text-color); }
.gallery button:hover { border-color: var(--st-primary-color); }
.gallery button:focus-visible { outline: 2px solid var(--st-primary-color); }
.gallery img { background: white; width: 128px; height: 128px; align-self: center;
  border-radius: 0.25rem; }
.gallery span { overflow-wrap: anywhere; }
.gallery .drawn { font-weight: 600; }
.gallery-end { min-height: 1px; }
`;

/** Moves the focus from tile to tile, so that the Tab key passes the gallery at once. */
function walk(event) {
  const tiles = [...event.currentTarget.children];
  const from = tiles.indexOf(event.target);
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ");
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns.length,
    ArrowDown: columns.length,
    Home: -from,
    End: tiles.length - 1 - from,
  };
  const target = tiles[from + steps[event.key]];
  if (from < 0 || !target) return;
  event.preventDefault();
  tiles[from].tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}

function tile(told, open) {
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1;
  button.setAttribute("aria-label", told.alt);
  if (told.image) {
    const image = document.createElement("img");
    image.src = told.image;
    image.alt = "";
    button.append(image);
  }
  for (const [kind, text] of Object.entries(told.lines)) {
    const line = document.createElement("span");
    line.className = kind;
    line.textContent = text;
    button.append(line);
  }
  button.addEventListener("click", () => open(told.id));
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery-root");
  if (!root.grid) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    root.grid = document.createElement("div");
    root.grid.className = "gallery";
    root.grid.addEventListener("keydown", walk);
    root.end = document.createElement("div");
    root.end.className = "gallery-end";
    root.replaceChildren(style, root.grid, root.end);
  }
  root.latest = data;
  const shown = () => root.grid.childElementCount;
  if (root.key !== data.key) {
    root.key = data.key;
    root.grid.replaceChildren();
    root.asked = -1;
  }
  // What has come already, or would leave a gap, is left out.
  if (data.start === shown()) {
    const open = (id) => setTriggerValue("open", id);
    root.grid.append(...data.tiles.map((told) => tile(told, open)));
    if (data.start === 0 && shown()) root.grid.firstElementChild.tabIndex = 0;
  }
  const more = () => {
    const count = shown();
    if (count < root.latest.total && root.asked !== count) {
      root.asked = count;
      setTriggerValue("more", count);
      // A page that runs anew meanwhile may pass over what was asked.
      setTimeout(() => {
        if (!root.isConnected || root.asked !== shown()) return;
        root.asked = -1;
        if (root.end.getBoundingClientRect().top < innerHeight + AHEAD_PX) more();
      }, PATIENCE_MS);
    }
  };
  root.observer?.disconnect();
  const observer = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && more(),
    { rootMargin: `${AHEAD_PX}px` },
  );
  observer.observe(root.end);
  root.observer = observer;
  // Its own, for another call may have followed.
  return () => observer.disconnect();
}
