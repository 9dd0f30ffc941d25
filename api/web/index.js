// The live page: one object per second, shown as numbers, bars and tables.

import { draw, resize } from "./chart.js";
import { demandTable, powerTable } from "./now.js";
import { $, ask, base, cell, chooseFrom, code, follow, node, onLanguage, say, showWords as showPlainWords, t, table } from "./page.js";
import * as text from "./text.js";

const MOST_ROWS = 200;
let parks = [];
let live = null;
let received = 0; // local clock when `live` came
let leave = () => {};
let state = "connecting";

const elapsed = () => (performance.now() - received) / 1000;

function showWords() {
  showPlainWords();
  $("filter").placeholder = t("filterHint");
  $("as-table").textContent = t($("chart").hidden ? "showChart" : "showTable");
}

function showState() {
  $("state").className = `state ${state}`;
  const at = live && state === "live" ? ` · ${text.clock(live.at, live.park.zone, true)}` : "";
  $("state-words").textContent = t(state) + at;
}

function showPower() {
  const { power, contract_demand_kw: contract, contract_share: share } = live;
  const since = power.newest_at === null ? null : (Date.parse(live.at) - Date.parse(power.newest_at)) / 1000 + elapsed();
  const late = power.late || since > 3 * (power.interval_s ?? 60);
  $("power").textContent = text.kw(power.kw);
  $("power-card").classList.toggle("stale", late);
  const words = $("contract-words");
  $("gauge").hidden = share === null;
  if (share === null) {
    words.className = "words";
    words.textContent = contract === null ? t("noContract") : t("none");
  } else {
    const [status, kind] = share > 1 ? ["over", "bad"] : share >= 0.9 ? ["near", "warn"] : ["ok", "good"];
    words.className = `words ${kind}`;
    words.textContent = `${t("ofContract", text.percent(share), text.kw(contract))} · ${t(status)}`;
    $("gauge-fill").style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  }
  const notes = [t("heard", power.meters_heard, power.meters_counted)];
  if (!power.complete && power.meters_counted) notes.push(t("incomplete"));
  if (since !== null) notes.push(t("ago", text.age(since)));
  if (late && since !== null) notes.unshift(t("late"));
  $("power-note").textContent = notes.join(" · ");
}

function showToday() {
  const { today, park } = live;
  const large = (today.energy_kwh ?? 0) >= 100_000;
  $("peak").textContent = text.kw(today.peak_demand_kw);
  const contract = live.contract_demand_kw;
  const peak = today.peak_start === null ? [t("none")] : [t("at", text.clock(today.peak_start, park.zone))];
  if (contract !== null && today.peak_demand_kw !== null) peak.push(t("short", text.percent(today.peak_demand_kw / contract)));
  $("peak-note").textContent = peak.join(" · ");
  $("energy").textContent = large ? text.number(today.energy_kwh / 1000, 1) : text.number(today.energy_kwh);
  $("energy-unit").textContent = large ? "MWh" : "kWh";
  $("coverage").textContent = text.known(today.coverage);
  $("coverage-note").textContent = today.coverage === null
    ? t("none") : today.measured_share === 1 ? t("allMeasured") : t("measured", `${text.known(today.measured_share)} %`);
  $("zone").textContent = t("zone", park.zone, text.day(today.day));
  if (!$("demand-table").hidden) demandTable($("demand-table"), live);
}

function showConflicts() {
  const waiting = live.open_conflicts;
  $("conflicts").hidden = waiting === 0;
  $("conflicts-link").href = `${base(live.park.code)}/conflicts?settled=false`;
  $("conflicts-link").textContent = t("conflicts", waiting);
}

function showReadings() {
  const wanted = $("filter").value.trim().toLowerCase();
  const names = Object.fromEntries(live.enterprises.map((each) => [each.enterprise, each.name]));
  const found = live.readings.filter((each) => !wanted || [each.enterprise, names[each.enterprise], each.meter,
    each.quantity, text.quantity(each.quantity)].some((words) => words?.toLowerCase().includes(wanted)));
  const shown = found.slice(0, MOST_ROWS);
  table($("readings"), t("last"),
    [[t("enterprise")], [t("meter")], [t("quantity")], [t("value"), "n"], [t("age"), "n"]],
    shown.map((each) => {
      const meter = [each.meter];
      if (!each.confirmed) meter.push(node("span", { class: "chip" }, t("unconfirmed")));
      else if (!each.counts) meter.push(node("span", { class: "code" }, ` ${t("notCounted")}`));
      const since = each.age_s + elapsed();
      return node("tr", since > 900 ? { class: "old" } : {},
        cell([code(each.enterprise), node("span", {}, names[each.enterprise] ?? "")]), cell(meter),
        cell(text.quantity(each.quantity)),
        cell(`${text.number(each.value, Math.abs(each.value) < 10 ? 3 : 1)} ${text.unit(each.unit)}`, "n"),
        cell(text.age(since), "n"));
    }));
  $("readings-note").textContent = shown.length < live.readings.length ? t("more", shown.length, live.readings.length) : "";
}

function show(anew = false) {
  showWords();
  showState();
  if (!live) return;
  document.title = `${text.kw(live.power.kw)} kW · ${live.park.name} · Parkwatt`;
  showPower();
  showToday();
  showConflicts();
  powerTable($("shares"), live);
  showReadings();
  draw($("chart"), live, anew);
  document.body.dataset.ready = live.park.code;
}

async function open(park) {
  leave();
  live = null;
  state = "connecting";
  $("park").value = park;
  for (const each of ["entry", "peaks", "bills"]) $(`to-${each}`).href = `/parks/${encodeURIComponent(park)}/${each}`;
  show();
  const take = (next) => {
    live = next;
    received = performance.now();
    say(null);
    show();
  };
  try {
    take(await ask(`${base(park)}/live`));
  } catch (error) {
    say(error.message);
    if (parks.every((each) => each.code !== park)) return;
  }
  leave = follow(park, (next) => { state = "live"; take(next); }, () => { state = "lost"; showState(); });
}

async function begin() {
  showWords();
  let asked = null;
  try {
    ({ parks, code: asked } = await chooseFrom());
  } catch (error) {
    say(error.message);
    setTimeout(begin, 5000);
    return;
  }
  if (asked === null) say(t("noParks"));
  else open(asked);
}

$("park").addEventListener("change", (event) => {
  history.pushState(null, "", `/parks/${encodeURIComponent(event.target.value)}`);
  open(event.target.value);
});
$("filter").addEventListener("input", () => live && showReadings());
$("as-table").addEventListener("click", () => {
  const asTable = !$("chart").hidden;
  $("chart").hidden = asTable;
  $("demand-table").hidden = !asTable;
  $("as-table").setAttribute("aria-expanded", String(asTable));
  show(true);
});
onLanguage(() => show(true));
addEventListener("popstate", begin);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(true));
new ResizeObserver(() => resize($("chart"))).observe($("chart"));
setInterval(() => live && showPower(), 1000);
begin();
