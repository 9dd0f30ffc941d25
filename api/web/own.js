// An enterprise's own page: its figures and its quarter of the industry; it asks nothing of others.

import { switched } from "./ordinal.js";
import { $, ask, base, busy, cell, node, onLanguage, say, showWords, t, table } from "./page.js";
import { choices, clearAnswers, intensity, lastOver, load, month, showAnswers, showMonths, showPollutants } from "./ratios.js";
import * as text from "./text.js";

const [, park, enterprise] = /^\/parks\/([^/]+)\/enterprises\/([^/]+)/.exec(location.pathname).map(decodeURIComponent);
let found = null;
let benchmark = null;
let label = () => {};

function showBands() {
  $("bands-note").textContent = [benchmark.year, benchmark.industry === null ? t("noIndustry") : t("industryWords", benchmark.industry)].join(" · ");
  table($("bands"), t("ownBand"), [[t("figure")], [t("intensityHead"), "n"], [t("known"), "n"], [t("ownBand")]], benchmark.rows.map((each) =>
    node("tr", { "data-figure": each.figure }, cell(t(`bench ${each.figure}`)), cell(intensity(each.value), "n"), cell(`${text.known(each.coverage)}\u00a0%`, "n"), cell(t(`band ${each.band}`)))));
}

function show() {
  showWords();
  document.title = `${enterprise} · ${t("intensity")} · Parkwatt`;
  $("who").textContent = `${enterprise} · ${park}`;
  choices();
  label();
  if (!found) return;
  $("zone").textContent = t("zone", found.budgets.zone, enterprise);
  showAnswers(found, $("until").value, base(park), enterprise);
  showMonths(found);
  showPollutants(found);
  showBands();
}

async function askAll() {
  if (!$("until").value) return;
  delete document.body.dataset.ready;
  busy(true);
  try {
    found = await load(base(park), $("until").value, enterprise);
    say(null);
  } catch (error) {
    found = null;
    clearAnswers();
    say(error.message);
    return;
  } finally {
    busy(false);
  }
  const until = $("until").value;
  $("to-csv").href = `${base(park)}/intensity/history?enterprise=${encodeURIComponent(enterprise)}&from=${month(until, -12)}&to=${month(until, 1)}&format=csv`;
  show();
  document.body.dataset.ready = enterprise;
}

async function begin() {
  onLanguage(show);
  label = switched("months", show);
  show();
  benchmark = await ask(`${base(park)}/enterprises/${encodeURIComponent(enterprise)}/benchmark`);
  const { zone } = await ask(`${base(park)}/budgets?enterprise=${encodeURIComponent(enterprise)}`);
  $("until").value = new URLSearchParams(location.search).get("until") ?? lastOver(zone);
  $("asked").addEventListener("submit", (event) => event.preventDefault());
  $("until").addEventListener("change", askAll);
  $("figure").addEventListener("change", show);
  return askAll();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
begin().catch((error) => say(error.message));
