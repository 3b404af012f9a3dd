// Shows a network's stages, each with its strongest channels as buttons; see diagram.py.
// `data` is {key, stages: [{title, layers, maps: [{id, alt, label, image}]}]}.

const STYLE = `
.stages { display: flex; flex-direction: column; font: 0.85rem/1.3 var(--st-font);
  color: var(--st-text-color); min-width: 0; }
.stage { border: 1px solid var(--st-border-color); border-radius: 0.5rem;
  padding: 0.5rem; min-width: 0; }
.stage + .stage { margin-top: 1.1rem; position: relative; }
.stage + .stage::before { content: "↓"; position: absolute; top: -1.25rem; left: 50%;
  opacity: 0.6; }
.stage b, .stage .layers { overflow-wrap: anywhere; }
.stage .layers { opacity: 0.75; }
.maps { display: flex; flex-wrap: wrap; gap: 0.35rem; margin-top: 0.35rem; }
.maps button { all: unset; cursor: pointer; text-align: center; width: 60px;
  border-radius: 0.25rem; font-size: 0.75rem; }
.maps button:hover img { border-color: var(--st-primary-color); }
.maps button:focus-visible { outline: 2px solid var(--st-primary-color); }
.maps img { display: block; width: 60px; height: 60px; box-sizing: border-box;
  background: white; image-rendering: pixelated; border-radius: 0.25rem;
  border: 1px solid var(--st-border-color); }
`;

function stageOf(told, open) {
  const box = document.createElement("div");
  box.className = "stage";
  const title = document.createElement("b");
  title.textContent = told.title;
  const layers = document.createElement("div");
  layers.className = "layers";
  layers.textContent = told.layers;
  const maps = document.createElement("div");
  maps.className = "maps";
  for (const map of told.maps) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", map.alt);
    const image = document.createElement("img");
    image.src = map.image;
    image.alt = "";
    button.append(image, map.label);
    button.addEventListener("click", () => open(map.id));
    maps.append(button);
  }
  box.append(title, layers, maps);
  return box;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".diagram-root");
  if (root.key === data.key) return;
  root.key = data.key;
  const style = document.createElement("style");
  style.textContent = STYLE;
  const stages = document.createElement("div");
  stages.className = "stages";
  const open = (id) => setTriggerValue("open", id);
  stages.append(...data.stages.map((told) => stageOf(told, open)));
  root.replaceChildren(style, stages);
}
