// The live page: one object per second, shown as numbers, bars and tables.

import { draw, resize } from "./chart.js";
import * as text from "./text.js";

const { t } = text;
const $ = (id) => document.getElementById(id);
const MOST_ROWS = 200;
let parks = [];
let live = null;
let received = 0; // local clock when `live` came
let source = null;
let state = "connecting";

const node = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const cell = (content, kind = "") => node("td", kind ? { class: kind } : {}, ...[content].flat());

function table(into, caption, heads, rows) {
  const made = node("table", { "aria-label": caption },
    node("thead", {}, node("tr", {}, ...heads.map(([words, kind]) =>
      node("th", { scope: "col", ...(kind && { class: kind }) }, words)))),
    node("tbody", {}, ...rows));
  into.replaceChildren(made);
}

const code = (words) => node("span", { class: "code" }, words);
const elapsed = () => (performance.now() - received) / 1000;

function say(message) {
  $("banner").hidden = !message;
  $("banner").textContent = message ?? "";
}

async function ask(path) {
  const answer = await fetch(path);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

function showWords() {
  document.documentElement.lang = text.current() === "zh" ? "zh-CN" : "en";
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll("[data-language]")) {
    each.setAttribute("aria-pressed", String(each.dataset.language === text.current()));
  }
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
  if (!$("demand-table").hidden) showDemandTable();
}

function showDemandTable() {
  const { today, park } = live;
  const rows = today.demand.map((each) => [each, each.demand_kw, ""]);
  if (today.running) rows.push([today.running, today.running.mean_kw, ` (${t("sofar")})`]);
  table($("demand-table"), t("demand"), [[t("window")], ["kW", "n"], [t("known"), "n"]],
    rows.reverse().map(([each, value, words]) => node("tr", {},
      cell(text.clock(each.start, park.zone) + words), cell(text.kw(value), "n"),
      cell(text.percent(each.coverage), "n"))));
}

function showShares() {
  const most = Math.max(...live.enterprises.map((each) => each.kw ?? 0), 1);
  table($("shares"), t("shares"), [[t("enterprise")], ["kW", "n"], [t("share"), "n"]],
    live.enterprises.map((each) => {
      const fill = node("i");
      fill.style.width = `${100 * Math.max(0, each.kw ?? 0) / most}%`;
      const silent = each.meters_heard < each.meters_counted;
      const name = [code(each.enterprise), each.name];
      if (silent) name.push(node("span", { class: "chip" }, `${each.meters_heard}/${each.meters_counted}`));
      return node("tr", { "data-enterprise": each.enterprise },
        cell([...name, node("div", { class: "bar" }, fill)]),
        cell(text.kw(each.kw), "n"), cell(text.percent(each.share, 1), "n"));
    }));
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
  showShares();
  showReadings();
  draw($("chart"), live, anew);
  document.body.dataset.ready = live.park.code;
}

function take(next) {
  live = next;
  received = performance.now();
  say(null);
  show();
}

async function watch(park) {
  source?.close();
  const base = `/api/v1/parks/${encodeURIComponent(park)}`;
  const mine = new EventSource(`${base}/stream`);
  source = mine;
  let wasLost = false;
  mine.addEventListener("live", (event) => {
    state = "live";
    take(JSON.parse(event.data));
  });
  mine.addEventListener("open", async () => {
    state = "live";
    showState();
    if (wasLost) take(await ask(`${base}/live`)); // what was missed meanwhile
    wasLost = false;
  });
  mine.addEventListener("error", () => {
    if (source !== mine) return;
    wasLost = true;
    state = "lost";
    showState();
    // a browser gives up on an answer that is an error; we do not
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => source === mine && watch(park), 3000);
  });
}

async function open(park) {
  live = null;
  state = "connecting";
  $("park").value = park;
  $("to-entry").href = `/parks/${encodeURIComponent(park)}/entry`;
  show();
  try {
    take(await ask(`/api/v1/parks/${encodeURIComponent(park)}/live`));
  } catch (error) {
    say(error.message);
    if (parks.every((each) => each.code !== park)) return;
  }
  watch(park);
}

async function begin() {
  showWords();
  try {
    parks = (await ask("/api/v1/parks")).rows;
  } catch (error) {
    say(error.message);
    setTimeout(begin, 5000);
    return;
  }
  $("park").replaceChildren(...parks.map((each) => node("option", { value: each.code }, `${each.name} (${each.code})`)));
  const asked = /^\/parks\/([^/]+)/.exec(location.pathname);
  if (asked) open(decodeURIComponent(asked[1]));
  else if (parks.length) open(parks[0].code);
  else say(t("noParks"));
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
for (const each of document.querySelectorAll("[data-language]")) {
  each.addEventListener("click", () => { text.choose(each.dataset.language); show(true); });
}
addEventListener("popstate", begin);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(true));
new ResizeObserver(() => resize($("chart"))).observe($("chart"));
setInterval(() => live && showPower(), 1000);
begin();
