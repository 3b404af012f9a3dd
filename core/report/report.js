// Draws the charts of a report in the colours of the page, on a screen or on paper.
// Stands behind theming.js in one script.

const UNWANTED_BUTTONS = ["sendChartToCloud", "lasso2d", "select2d"];
const PAPER_WIDTH = "180mm";
const NAME_HEIGHT = 16;
const AXIS_SHARE = 0.6;

const charts = [...document.querySelectorAll(".chart")];

function look() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: value("text"),
    line: value("line"),
    ground: value("ground"),
    font: getComputedStyle(document.body).fontFamily,
    size: 12,
  };
}

/** Returns a chart's layout in the colours of the page and at the chart's size. */
function fitted(chart) {
  const { layout } = chart.figure;
  const result = {
    ...themed(layout, look()),
    width: chart.clientWidth,
    height: chart.clientHeight,
    autosize: false,
  };
  for (const name of axesOf(layout)) {
    const title = layout[name].title && { standoff: 14, ...layout[name].title };
    result[name] = { ...result[name], title };
    // Else the names that fit and the margin for them would chase one another.
    if (layout[name].type === "category") {
      const side = name[0] === "x" ? chart.clientWidth : chart.clientHeight;
      result[name].nticks = Math.floor((side * AXIS_SHARE) / NAME_HEIGHT);
    }
  }
  return result;
}

function draw(chart) {
  chart.figure ??= JSON.parse(
    document.getElementById(chart.dataset.figure).textContent,
  );
  const layout = { ...fitted(chart), uirevision: "kept" };
  return Plotly.react(chart, chart.figure.data, layout, {
    displaylogo: false,
    modeBarButtonsToRemove: UNWANTED_BUTTONS,
    scrollZoom: false,
  });
}

function drawAll() {
  for (const chart of charts) draw(chart);
}

// Paper is white and narrower than most windows.
function lay(onPaper) {
  document.documentElement.classList.toggle("paper", onPaper);
  document.body.style.width = onPaper ? PAPER_WIDTH : "";
  drawAll();
}

addEventListener("beforeprint", () => lay(true));
addEventListener("afterprint", () => lay(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
// A phone's window changes its height whenever its address bar comes and goes.
let width = innerWidth;
let waiting = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(drawAll);
});
drawAll();
