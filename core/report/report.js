// Draws the charts of a report in the colours of the page, on a screen or on paper.
"use strict";

const UNWANTED_BUTTONS = ["sendChartToCloud", "lasso2d", "select2d"];
const PAPER_WIDTH = "180mm";
const NAME_HEIGHT = 16;
const AXIS_SHARE = 0.6;

const charts = [...document.querySelectorAll(".chart")];

function colours() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: value("text"),
    line: value("line"),
    ground: value("ground"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

function themed(layout, chart) {
  const { text, line, ground, font } = colours();
  const axis = {
    gridcolor: line,
    linecolor: line,
    zerolinecolor: line,
    tickcolor: line,
    automargin: true,
  };
  const result = {
    margin: { l: 8, r: 8, t: layout.title ? 36 : 12, b: 8 },
    ...layout,
    width: chart.clientWidth,
    height: chart.clientHeight,
    autosize: false,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: text, activecolor: text },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, family: font, size: 12 },
    hoverlabel: { bgcolor: ground, bordercolor: line, font: { color: text, family: font } },
  };
  for (const name of Object.keys(layout)) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    const title = layout[name].title && { standoff: 14, ...layout[name].title };
    result[name] = { ...axis, ...layout[name], title };
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
  const layout = themed(chart.figure.layout, chart);
  return Plotly.react(chart, chart.figure.data, { ...layout, uirevision: "kept" }, {
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
