// Draws a Plotly figure, keeps its zoom while its data grow, and reports clicks.
// `data` is {figure, alt, uirevision, height, points, library}; see chart.py. What
// `points` asks for is in points.js, which stands behind this in one script, and
// theming.js before it.

const UNWANTED_BUTTONS = ["sendChartToCloud"];
const GATHERING_BUTTONS = ["lasso2d", "select2d"];
const DOUBLE_CLICK_MS = 320;
const DETAIL_PX = 22;

/** Loads the library, once for all charts. */
function plotly(address) {
  globalThis.plotlyLoads ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // Streamlit's own scripts are at static/js, wherever a proxy has put that.
    const own = document.querySelector('script[src*="static/js/"]');
    script.src = new URL(`../../${address}`, own.src).href;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => {
      globalThis.plotlyLoads = undefined;
      reject(new Error(`${script.src} could not be loaded`));
    };
    document.head.append(script);
  });
  return globalThis.plotlyLoads;
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

/** Tells whether a chart shows another part than it did at first. */
function isZoomed(root) {
  const { xaxis, yaxis } = root._fullLayout;
  return [xaxis, yaxis].some((axis) => {
    if (!axis || axis.autorange) return false;
    const first = [axis._rangeInitial0, axis._rangeInitial1];
    return axis.range.some((end, side) => end !== first[side]);
  });
}

/** Writes the counts and every name of a matrix as soon as there is room. */
async function showDetail(root) {
  const { _fullData: traces, _fullLayout: layout } = root;
  const number = traces?.findIndex((trace) => trace.type === "heatmap") ?? -1;
  if (number < 0 || traces[number].texttemplate === "%{text}") return;
  const { xaxis, yaxis } = layout;
  const room = Math.min(
    ...[xaxis, yaxis].map(
      (axis) => axis._length / Math.abs(axis.range[1] - axis.range[0]),
    ),
  );
  const isDetailed = room >= DETAIL_PX;
  if (isDetailed === Boolean(root.isDetailed)) return;
  root.isDetailed = isDetailed;
  const { z, customdata } = traces[number];
  const counts = isDetailed
    ? Array.from(customdata ?? z, (row) => Array.from(row, (count) => count || ""))
    : null;
  const every = {
    tickmode: isDetailed ? "linear" : "auto",
    dtick: isDetailed ? 1 : null,
  };
  const changes = { text: [counts], texttemplate: [isDetailed ? "%{text} " : ""] };
  const axes = Object.fromEntries(
    ["xaxis", "yaxis"].flatMap((axis) =>
      layout[axis].tickvals
        ? []
        : Object.entries(every).map(([key, value]) => [`${axis}.${key}`, value]),
    ),
  );
  await globalThis.Plotly.update(root, changes, axes, [number]);
}

/** Lets a wheel scroll the page; with Ctrl, as when one pinches, it zooms. */
function scrollFirst(root) {
  root.addEventListener(
    "wheel",
    (event) => event.ctrlKey || event.metaKey || event.stopImmediatePropagation(),
    { capture: true, passive: true },
  );
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  root.setAttribute("aria-label", data.alt);
  // Points that keep their proportions leave half of a narrow window empty.
  const isSquare = data.points || data.figure.layout.yaxis?.scaleanchor;
  root.style.height = isSquare ? `min(${data.height}px, 115vw)` : `${data.height}px`;
  root.latest = data;
  root.calls = (root.calls ?? 0) + 1;
  const call = root.calls;
  root.isLeft = false;
  root.setTriggerValue = setTriggerValue;

  const draw = async () => {
    const Plotly = await plotly(root.latest.library);
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
      scrollZoom: true,
    });
    root.draws -= 1;
    if (root.isLeft) {
      if (!root.draws) Plotly.purge(root);
      return;
    }
    if (points) explore(root);
    root.isDetailed = false;
    await showDetail(root);
    if (root.isListening) return;
    root.isListening = true;
    root.on("plotly_relayout", () => showDetail(root));
    // A double-click takes a zoom back; neither of its two clicks opens anything. Each
    // is told of, the second one after it, as late as the chart is drawn.
    let pressed = 0;
    root.addEventListener(
      "pointerdown",
      () => {
        pressed += 1;
      },
      { capture: true },
    );
    let doubled = -1;
    root.on("plotly_doubleclick", () => {
      doubled = pressed;
    });
    root.on("plotly_click", ({ points: [point] }) => {
      const click = {
        x: point.x,
        y: point.y,
        index: point.pointNumber,
        trace: point.curveNumber,
      };
      const press = pressed;
      const isSingle = () => pressed === press && doubled < press;
      const open = () => isSingle() && root.setTriggerValue("click", click);
      if (isZoomed(root)) setTimeout(open, DOUBLE_CLICK_MS);
      else open();
    });
  };
  root.draw = draw;
  draw();

  if (!root.observers) {
    if (!root.isScrolled) scrollFirst(root);
    root.isScrolled = true;
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
    // Where data or theme change while this script loads, Streamlit calls it for both,
    // and then cleans up after the first.
    if (call !== root.calls) return;
    for (const observer of root.observers ?? []) observer.disconnect();
    root.observers = null;
    root.isListening = false;
    // Plotly looks at a chart once more when it has drawn it.
    root.isLeft = true;
    if (!root.draws) globalThis.Plotly?.purge(root);
  };
}
