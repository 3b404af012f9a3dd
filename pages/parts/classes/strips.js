// Shows classes as rows of example sketches, each row a button; see strips.py.
// `data` is {sheet, px, columns, strips: [{name, figures, bars, cells}]}.

const STYLE = `
.strips { container-type: inline-size; margin: 0; padding: 0; list-style: none;
  display: flex; flex-direction: column; gap: 0.4rem; }
.strips button { all: unset; box-sizing: border-box; cursor: pointer; width: 100%;
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.35rem 0.75rem;
  align-items: center; padding: 0.4rem 0.5rem; border-radius: 0.5rem;
  border: 1px solid var(--st-border-color);
  font: 0.9rem/1.35 var(--st-font); color: var(--st-text-color); }
.strips button:hover { border-color: var(--st-primary-color); }
.strips button:focus-visible { outline: 2px solid var(--st-primary-color);
  outline-offset: 1px; }
.strips .name { display: block; font-weight: 600; overflow-wrap: anywhere; }
.strips .figures { display: block; font-variant-numeric: tabular-nums; }
.strips .cells { display: flex; gap: 4px; }
.strips .cell { position: relative; box-sizing: content-box; background-color: white;
  border: 2px solid; border-radius: 0.3rem; }
.strips .right { border-color: #1a7f37; }
.strips .wrong { border-color: #c62828; }
.strips .mark { position: absolute; bottom: 0; right: 0; padding: 0 3px; color: white;
  font-size: 0.7rem; line-height: 1rem; border-top-left-radius: 0.3rem; }
.strips .right .mark { background: #1a7f37; }
.strips .wrong .mark { background: #c62828; }
.strips .bars { display: flex; flex-direction: column; gap: 4px; width: 12rem; }
.strips .bar { height: 0.45rem; border-radius: 0.25rem;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.strips .bar span { display: block; height: 100%; border-radius: 0.25rem; }
@container (max-width: 500px) {
  .strips button { grid-template-columns: minmax(0, 1fr); }
  .strips .bars { width: 100%; }
  .strips .cells { flex-wrap: wrap; }
}
`;

function made(kind, name, text) {
  const element = document.createElement(kind);
  element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

function pictures(cells, { sheet, px, columns }) {
  const row = made("span", "cells");
  for (const { place, mark, right, told } of cells) {
    const cell = made("span", `cell ${right ? "right" : "wrong"}`);
    cell.title = told;
    cell.style.width = cell.style.height = `${px}px`;
    cell.style.backgroundImage = `url(${sheet})`;
    const [across, down] = [place % columns, Math.floor(place / columns)];
    cell.style.backgroundPosition = `${-px * across}px ${-px * down}px`;
    cell.append(made("span", "mark", mark));
    row.append(cell);
  }
  return row;
}

function bars(shares) {
  const all = made("span", "bars");
  for (const { share, colour } of shares) {
    const bar = made("span", "bar");
    const filled = document.createElement("span");
    filled.style.width = `${100 * share}%`;
    filled.style.background = colour;
    bar.append(filled);
    all.append(bar);
  }
  return all;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".strips");
  if (!parentElement.querySelector("style")) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    list.before(style);
  }
  list.replaceChildren(
    ...data.strips.map((strip, number) => {
      const button = document.createElement("button");
      button.type = "button";
      const words = document.createElement("span");
      words.append(
        made("span", "name", strip.name),
        ...strip.figures.map((line) => made("span", "figures", line)),
      );
      button.append(words, data.sheet ? pictures(strip.cells, data) : bars(strip.bars));
      button.addEventListener("click", () => setTriggerValue("open", number));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}
