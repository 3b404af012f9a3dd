// Gives a chart the colours of its page. Stands before the script that draws it, of the
// dashboard (chart.js) and of a report (report.js), as one script with it.

/**
 * Returns a Plotly layout in a page's colours and font.
 *
 * `look` is {text, line, ground, font, size}: colours as CSS writes them, the font's
 * family and its size in pixels. Axes that the layout does not name look like the others.
 */
// biome-ignore lint/correctness/noUnusedVariables: the scripts behind this one call it.
function themed(layout, { text, line, ground, font, size }) {
  const axis = {
    gridcolor: line,
    linecolor: line,
    zerolinecolor: line,
    tickcolor: line,
    automargin: true,
  };
  const result = {
    xaxis: axis,
    yaxis: axis,
    margin: { l: 8, r: 8, t: layout.title ? 36 : 12, b: 8 },
    ...layout,
    modebar: {
      ...layout.modebar,
      bgcolor: "rgba(0,0,0,0)",
      color: text,
      activecolor: text,
    },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, family: font, size },
    hoverlabel: {
      bgcolor: ground,
      bordercolor: line,
      font: { color: text, family: font },
    },
  };
  for (const name of axesOf(layout)) result[name] = { ...axis, ...layout[name] };
  return result;
}

/** Returns the names of a layout's axes. */
function axesOf(layout) {
  return Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
}
