// Today's demand: bars of 15 minutes, the running one distinct, the contract's lines named.

import { clock, kw, number, percent, t } from "./text.js";

const QUARTER = 900;
let plot = null;
let shown = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function columns(live) {
  const { today } = live;
  const start = Date.parse(today.start) / 1000;
  const size = Math.round((Date.parse(today.stop) / 1000 - start) / QUARTER);
  const xs = Array.from({ length: size }, (_, i) => start + i * QUARTER);
  const [closed, part, running] = [1, 2, 3].map(() => new Array(size).fill(null));
  for (const each of today.demand) {
    const i = Math.round((Date.parse(each.start) / 1000 - start) / QUARTER);
    (each.publishable ? closed : part)[i] = each.demand_kw;
  }
  if (today.running) {
    running[Math.round((Date.parse(today.running.start) / 1000 - start) / QUARTER)] = today.running.mean_kw;
  }
  return [xs, closed, part, running];
}

export function line(u, value, words, dash, name) {
  const { ctx, bbox } = u;
  const y = Math.round(u.valToPos(value, "y", true));
  const px = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour(name);
  ctx.lineWidth = 1.5 * px;
  ctx.setLineDash(dash.map((each) => each * px));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `600 ${12 * px}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  ctx.setLineDash([]);
  ctx.lineWidth = 4 * px;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colour("--card"); // a halo, readable over bars
  ctx.strokeText(words, bbox.left + 6 * px, y - 3 * px);
  ctx.fillText(words, bbox.left + 6 * px, y - 3 * px);
  ctx.restore();
}

// where the running window is expected to end, and the band of such windows
function forecast(u) {
  const told = shown.forecast;
  if (!told || told.expected_kw === null) return;
  const { ctx } = u;
  const px = devicePixelRatio;
  const x = u.valToPos(Date.parse(told.start) / 1000 + QUARTER / 2, "x", true);
  const y = (value) => u.valToPos(value, "y", true);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--ink");
  ctx.lineWidth = 2 * px;
  if (told.low_kw !== null && told.high_kw !== null) {
    ctx.beginPath();
    ctx.moveTo(x, y(told.low_kw));
    ctx.lineTo(x, y(told.high_kw));
    ctx.stroke();
  }
  ctx.beginPath();
  ctx.arc(x, y(told.expected_kw), 4 * px, 0, 2 * Math.PI);
  ctx.fill();
  ctx.restore();
}

function range(live) {
  const all = live.today.demand.map((each) => each.demand_kw);
  all.push(live.forecast?.high_kw ?? live.forecast?.expected_kw ?? 0);
  all.push(live.today.running?.mean_kw ?? 0, live.contract_demand_kw ?? 0, 1);
  return [Math.min(0, ...all) * 1.1, Math.max(...all) * 1.1];
}

function options(element) {
  const bars = uPlot.paths.bars({ size: [0.82, 60], align: 1, radius: 0.15 });
  const axis = { stroke: colour("--soft"), font: `12px ${getComputedStyle(document.body).fontFamily}` };
  const series = (fill, stroke) => ({ paths: bars, fill, stroke, width: stroke ? 1.5 : 0, points: { show: false } });
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), shown.park.zone),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [Date.parse(shown.today.start) / 1000, Date.parse(shown.today.stop) / 1000] },
      y: { range: () => range(shown) },
    },
    axes: [
      {
        ...axis, size: 30, grid: { show: false }, ticks: { stroke: colour("--line"), width: 1, size: 5 },
        splits: (u) => {
          const step = (u.width < 520 ? 4 : 2) * 3600;
          const [low, high] = [u.scales.x.min, u.scales.x.max];
          return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);
        },
        values: (u, splits) => splits.map((at, i) =>
          i && at >= u.scales.x.max ? "24:00" : clock(at * 1000, shown.park.zone)),
      },
      {
        ...axis, size: 58, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
        values: (u, splits) => splits.map((each) => number(each, u.scales.y.max < 10 ? 1 : 0)),
      },
    ],
    series: [
      {}, series(colour("--accent")), series(colour("--accent-part")),
      series(colour("--accent-pale"), colour("--accent")),
    ],
    hooks: {
      draw: [(u) => {
        forecast(u);
        const contract = shown.contract_demand_kw;
        if (contract === null) return;
        line(u, contract, `${t("contract")} ${kw(contract)} kW`, [], "--contract");
        line(u, 0.9 * contract, `${t("ninety")} ${kw(0.9 * contract)} kW`, [5, 4], "--ninety");
      }],
      setCursor: [(u) => readout(u.cursor.idx)],
    },
  };
}

function readout(index) {
  const place = document.getElementById("readout");
  const start = index === null || index === undefined ? null : plot?.data[0][index];
  const { demand, running } = shown.today;
  const at = (each) => Date.parse(each.start) / 1000 === start;
  const row = demand.find(at) ?? (running && at(running) ? running : null);
  place.textContent = row
    ? `${clock(start * 1000, shown.park.zone)} – ${clock((start + QUARTER) * 1000, shown.park.zone)}  ·  `
      + `${kw(row.demand_kw ?? row.mean_kw)} kW  ·  ${t("known")} ${percent(row.coverage)}`
    : "";
}

export function describe(live) {
  const { today, power, contract_demand_kw: contract, contract_share: share } = live;
  const parts = [t("demand"), `${t("power")} ${kw(power.kw)} kW`];
  if (share !== null) parts.push(t("ofContract", percent(share), kw(contract)));
  if (today.peak_demand_kw !== null) {
    parts.push(`${t("peak")} ${kw(today.peak_demand_kw)} kW ${t("at", clock(today.peak_start, live.park.zone))}`);
  }
  if (live.forecast && live.forecast.expected_kw !== null) {
    parts.push(`${t("expectedEnd")} ${kw(live.forecast.expected_kw)} kW`);
  }
  parts.push(`${t("known")} ${percent(today.coverage)}`);
  return parts.join("; ");
}

export function draw(element, live, anew = false) {
  shown = live;
  element.setAttribute("aria-label", describe(live));
  if (element.hidden) return;
  if (anew || !plot) {
    plot?.destroy();
    plot = new uPlot(options(element), columns(live), element);
  } else {
    plot.setData(columns(live));
  }
}

export function resize(element) {
  if (plot && element.clientWidth) plot.setSize({ width: element.clientWidth, height: element.clientHeight });
}
