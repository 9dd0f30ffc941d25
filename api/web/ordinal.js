// Bars and lines over years or months: one place on the axis each, whatever its length.

import { number } from "./text.js";
import { node, t } from "./page.js";

const colour = (name) => (name.startsWith("--")
  ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : name);

function hatched(name) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8 * devicePixelRatio;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour(name);
  pen.lineWidth = 1.6 * devicePixelRatio;
  const size = tile.width;
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

const drawn = new Map();

// series: { values, colour, kind: "bar" | "hatch" | "line" | "dash" }
export function draw(element, labels, series, { digits = 0, words }) {
  drawn.get(element)?.destroy();
  drawn.delete(element);
  element.replaceChildren();
  element.setAttribute("aria-label", words);
  if (element.hidden) return;
  const some = series.some((each) => each.kind !== "dash" && each.values.some((value) => value !== null));
  if (!labels.length || !some) {
    element.append(node("p", { class: "note" }, words));
    return;
  }
  const bars = uPlot.paths.bars({ size: [0.7, 70], radius: 0.1 });
  const axis = { stroke: colour("--soft"), font: `12px ${getComputedStyle(document.body).fontFamily}`, ticks: { show: false } };
  const of = (each) => {
    const stroke = colour(each.colour);
    if (each.kind === "bar") return { paths: bars, fill: stroke, width: 0, points: { show: false } };
    if (each.kind === "hatch") return { paths: bars, fill: () => hatched(each.colour), stroke, width: 1, points: { show: false } };
    return { stroke, width: 2, dash: each.kind === "dash" ? [6, 4] : undefined, points: { show: each.kind === "line", size: 5, fill: stroke } };
  };
  const highest = Math.max(...series.flatMap((each) => each.values.map((value) => value ?? 0)), 0) || 1;
  drawn.set(element, new uPlot({
    width: element.clientWidth, height: element.clientHeight, legend: { show: false }, padding: [12, 12, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false, range: () => [-0.6, labels.length - 0.4] }, y: { range: () => [0, highest * 1.08] } },
    axes: [
      {
        ...axis, size: 32, grid: { show: false },
        splits: (u) => {
          const step = Math.ceil(labels.length / Math.max(1, Math.floor((u.width - 84) / (16 + 8 * labels[0].length))));
          return labels.map((_, i) => i).filter((i) => i % step === 0);
        },
        values: (u, splits) => splits.map((i) => labels[i] ?? ""),
      },
      { ...axis, size: 70, grid: { stroke: colour("--line"), width: 1 }, values: (u, splits) => splits.map((each) => number(each, highest < 10 ? digits : 0)) },
    ],
    series: [{}, ...series.map(of)],
  }, [labels.map((_, i) => i), ...series.map((each) => each.values)], element));
}

export function resize(element) {
  if (element.clientWidth) drawn.get(element)?.setSize({ width: element.clientWidth, height: element.clientHeight });
}

// a chart and its table take each other's place
export function switched(name, show) {
  const [chart, rows, button] = [name, `${name}-table`, `${name}-as-table`].map((id) => document.getElementById(id));
  button.addEventListener("click", () => {
    chart.hidden = !chart.hidden;
    rows.hidden = !chart.hidden;
    button.setAttribute("aria-expanded", String(chart.hidden));
    show();
  });
  new ResizeObserver(() => resize(chart)).observe(chart);
  return () => { button.textContent = t(rows.hidden ? "showTable" : "showChart"); };
}
