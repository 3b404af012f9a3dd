// Draws a Plotly figure, keeps its zoom while its data grow, and reports clicks.
// `data` is {figure, alt, uirevision, height, points}; see chart.py. What `points` asks
// for is in points.js, which stands behind this in one script, and theming.js before it.

const UNWANTED_BUTTONS = ["sendChartToCloud"];
const GATHERING_BUTTONS = ["lasso2d", "select2d"];

/** Waits for the library, which another element of the page loads. */
function plotly() {
  if (globalThis.Plotly) return Promise.resolve(globalThis.Plotly);
  return new Promise((resolve) =>
    globalThis.addEventListener("plotly-loaded", () => resolve(globalThis.Plotly), {
      once: true,
    }),
  );
}

/** Returns what a figure takes from the dashboard's theme. */
function look(element) {
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return {
    text: value("text-color"),
    line: value("border-color"),
    ground: value("background-color"),
    font: value("font"),
    size: 13,
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  root.setAttribute("aria-label", data.alt);
  // Points that keep their proportions leave half of a narrow window empty.
  root.style.height = data.points ? `min(${data.height}px, 115vw)` : `${data.height}px`;
  root.latest = data;
  root.setTriggerValue = setTriggerValue;

  const draw = async () => {
    const Plotly = await plotly();
    if (!root.isConnected) return;
    const { figure, uirevision, points } = root.latest;
    const layout = { ...themed(figure.layout, look(root)), uirevision, autosize: true };
    if (points) layout.selectionrevision = `${points.revision} ${root.emptied ?? 0}`;
    root.draws = (root.draws ?? 0) + 1;
    await Plotly.react(root, points ? drawable(figure.data) : figure.data, layout, {
      displaylogo: false,
      displayModeBar: points ? true : "hover",
      modeBarButtonsToRemove: [
        ...UNWANTED_BUTTONS,
        ...(points ? [] : GATHERING_BUTTONS),
      ],
      responsive: false,
      scrollZoom: Boolean(points),
    });
    root.draws -= 1;
    if (points) explore(root);
    if (root.isListening) return;
    root.isListening = true;
    root.on("plotly_click", ({ points: [point] }) =>
      root.setTriggerValue("click", {
        x: point.x,
        y: point.y,
        index: point.pointNumber,
        trace: point.curveNumber,
      }),
    );
  };
  root.draw = draw;
  draw();

  if (!root.observers) {
    const resized = new ResizeObserver(() => {
      if (root.isListening && root.clientWidth) globalThis.Plotly.Plots.resize(root);
    });
    resized.observe(root);
    // A change of theme changes variables on an ancestor's style.
    const restyled = new MutationObserver(draw);
    for (let up = root.parentElement; up; up = up.parentElement) {
      restyled.observe(up, { attributeFilter: ["class", "style"] });
    }
    root.observers = [resized, restyled];
  }

  return () => {
    for (const observer of root.observers ?? []) observer.disconnect();
    root.observers = null;
    root.isListening = false;
    globalThis.Plotly?.purge(root);
  };
}
