// Peaks: the running window's forecast as it is told, and who made the peak of a period.

import { draw, line, resize } from "./chart.js";
import { demandTable, powerTable } from "./now.js";
import { $, ask, bar, base, cell, chooseFrom, code, follow, node, onLanguage, say, showWords, t, table } from "./page.js";
import * as text from "./text.js";

const CANDIDATES_S = 60;
let parks = [];
let live = null;
let received = 0; // local clock when `live` came
let found = null; // the peaks of the period
let candidates = [];
let asked = 0; // local clock when the candidates were
let state = "connecting";
let leave = () => {};
let plot = null;

const zone = () => live?.park.zone ?? "UTC";
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function showState() {
  $("state").className = `state ${state}`;
  const at = live && state === "live" ? ` · ${text.clock(live.at, zone(), true)}` : "";
  $("state-words").textContent = t(state) + at;
}

const minutesLeft = () => {
  const told = live?.forecast;
  if (!told) return null;
  const left = (Date.parse(told.stop) - Date.parse(live.at) - (performance.now() - received)) / 60_000;
  return left > 0 ? left : null; // over: the next one is not told yet
};

// what is to be dropped from this instant on: the less is left, the more it is
function toShed(told, left) {
  if (told?.shed_state !== "needed" || left === null) return told;
  const known = (Date.parse(told.stop) - Date.parse(told.start)) / 60_000 - told.known_s / 60;
  const whole = (Date.parse(told.stop) - Date.parse(told.start)) / 3_600_000;
  const running = (told.expected_kw * whole - told.energy_kwh) * 60 / known;
  const kw = told.shed_kw * Math.min(told.minutes_left, known) / Math.min(left, known);
  return kw > running ? { ...told, shed_state: "impossible", shed_kw: null } : { ...told, shed_kw: kw };
}

// what is to be done, in one sentence
function action(told, left) {
  if (!told || left === null) return ["", ""];
  if (told.shed_state === "needed") return [t("drop", text.kw(told.shed_kw), text.number(left, 1)), "bad"];
  if (told.shed_state === "impossible") return [t("tooLate"), "bad"];
  return told.shed_state === "not needed" ? [t("nothingToDrop"), "good"] : ["", ""];
}

function showWindow() {
  const left = minutesLeft();
  const told = left === null ? null : toShed(live.forecast, left);
  $("expected").textContent = text.kw(told?.expected_kw ?? null);
  $("so-far").textContent = text.number(told?.energy_kwh ?? null, 1);
  $("left").textContent = text.number(left, 1);
  $("shed").textContent = told?.shed_state === "not needed" ? "0" : text.kw(told?.shed_kw ?? null);
  $("so-far-note").textContent = told ? t("knownMinutes", text.number(told.known_s / 60)) : "";
  $("left-note").textContent = told ? `${text.clock(told.start, zone())} – ${text.clock(told.stop, zone())}` : "";
  $("shed-note").textContent = told && told.shed_state !== "not needed" ? t(`shed ${told.shed_state}`) : "";
  const band = told && told.low_kw !== null && told.high_kw !== null;
  const seen = told && !told.known_s ? ` · ${t("noMinutes")}` : "";
  $("window-note").textContent = (band ? t("band", text.kw(told.low_kw), text.kw(told.high_kw)) : told ? t("noBand") : t("noForecast")) + seen;
  const share = told?.contract_kw && told.expected_kw !== null ? told.expected_kw / told.contract_kw : null;
  $("gauge").hidden = share === null;
  const words = $("window-words");
  words.className = "words";
  words.textContent = told && share === null && told.expected_kw !== null ? t("noContract") : "";
  if (share !== null) {
    const [status, kind] = share > 1 ? ["over", "bad"] : share >= 0.9 ? ["near", "warn"] : ["ok", "good"];
    words.className = `words ${kind}`;
    words.textContent = `${t("ofContract", text.percent(share), text.kw(told.contract_kw))} · ${t(status)}`;
    $("gauge-fill").style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  }
  const [said, kind] = action(told, left);
  $("window-action").className = `words action ${kind}`;
  $("window-action").textContent = said;
}

function showNow(anew = false) {
  if (!live) return;
  const { power, today } = live;
  const notes = [t("heard", power.meters_heard, power.meters_counted)];
  if (!power.complete && power.meters_counted) notes.push(t("incomplete"));
  if (power.age_s !== null) notes.push(t("ago", text.age(power.age_s)));
  $("now-note").textContent = `${text.kw(power.kw)} kW · ${notes.join(" · ")}`;
  powerTable($("now"), live);
  $("today-note").textContent = [t("knownToday", text.known(today.coverage)),
    ...(live.contract_demand_kw === null ? [t("noContract")] : [])].join(" · ");
  draw($("today"), live, anew);
  if (!$("today-table").hidden) demandTable($("today-table"), live);
}

function showCandidates() {
  if (!candidates.length) {
    $("candidates").replaceChildren(node("p", { class: "note" }, t("noCandidates")));
    return;
  }
  table($("candidates"), t("askFirst"), [[t("enterprise")], [t("reducible"), "n"], [t("together"), "n"]],
    candidates.slice(0, 8).map((each) => node("tr", {},
      cell([code(each.enterprise), each.name]), cell(text.kw(each.reducible_kw), "n"),
      cell(text.kw(each.together_kw), "n"))));
}

function showMade() {
  const made = found.made_by;
  const known = made !== null && made.kw !== null;
  $("made-note").textContent = known
    ? t("madeNote", text.kw(made.kw), text.moment(made.start, found.zone), text.number(made.coincidence, 3), text.number(made.diversity, 3), made.window_min)
    : t("tooLittle", `${text.known(found.coverage)}\u00a0%`);
  const oneYear = found.from.slice(0, 4) === found.to.slice(0, 4);
  const charged = made?.charge_cny !== null && known;
  const heads = [[t("enterprise")], [t("inPeak"), "n"], [t("share"), "n"], [t("ownPeak"), "n"], [t("ownAt")], [t("known"), "n"]];
  if (charged) heads.push([t("byCoincident"), "n"], [t("byOwn"), "n"], [t("byShapley"), "n"]);
  const parts = [...(made?.parts ?? [])];
  parts.sort((one, other) => (one.enterprise === null) - (other.enterprise === null) || (other.kw ?? -1) - (one.kw ?? -1));
  const most = Math.max(...parts.map((each) => each.kw ?? 0), 1);
  table($("made"), t("madeBy"), heads, parts
    .filter((each) => each.enterprise !== null || Math.abs(each.kw ?? 0) > 1e-6)
    .map((each) => {
      const name = each.enterprise === null ? [t("unmetered")] : [code(each.enterprise), each.name];
      const cells = [cell([...name, bar(each.kw, most)]), cell(text.kw(each.kw), "n"), cell(text.percent(each.share, 1), "n"),
        cell(text.kw(each.own_kw), "n"), cell(each.own_start === null ? "–" : text.moment(each.own_start, found.zone).slice(oneYear ? 5 : 0)),
        cell(`${text.known(each.coverage)}\u00a0%`, "n")];
      if (charged) for (const way of ["coincident", "own", "shapley"]) cells.push(cell(text.number(each.charge_cny[way], 2), "n"));
      return node("tr", { "data-enterprise": each.enterprise ?? "" }, ...cells);
    }));
}

function showTop() {
  table($("top"), t("topPeaks"), [[t("window")], ["kW", "n"], [t("ofContractHead"), "n"]],
    found.top.map((each) => node("tr", {}, cell(text.moment(each.start, found.zone)), cell(`${found.lower_bound ? "≥ " : ""}${text.kw(each.kw)}`, "n"),
      cell(text.percent(each.control_rate, 1), `n ${each.control_rate > 1 ? "bad" : each.control_rate >= 0.9 ? "warn" : ""}`))));
  if (!found.top.length) $("top").replaceChildren(node("p", { class: "note" }, t("tooLittle", `${text.known(found.coverage)}\u00a0%`)));
}

function transformerWords() {
  const loaded = found.transformer;
  if (!loaded) return "";
  return t("transformer", text.percent(loaded.highest_rate, 1), text.percent(loaded.mean_rate, 1), text.number(loaded.capacity_kva),
    text.known(loaded.coverage), text.number(loaded.hours.overload, 1));
}

function showDuration() {
  const contract = found.top[0]?.contract_kw ?? null;
  const data = [found.duration.map((each) => each.hours), found.duration.map((each) => each.kw)];
  $("chart").setAttribute("aria-label", found.duration.length
    ? t("durationWords", text.kw(data[1][0]), text.kw(data[1].at(-1)), text.number(data[0].at(-1)))
    : t("tooLittle", `${text.known(found.coverage)}\u00a0%`));
  $("duration-note").textContent = found.duration.length ? t("durationNote", `${text.known(found.coverage)}\u00a0%`) : "";
  $("transformer").textContent = transformerWords();
  table($("duration-table"), t("duration"), [[t("atLeast"), "n"], [t("hours"), "n"], [t("ofContractHead"), "n"]],
    found.duration.map((each) => node("tr", {}, cell(text.kw(each.kw), "n"), cell(text.number(each.hours, 2), "n"),
      cell(text.percent(contract === null ? null : each.kw / contract, 1), "n"))));
  plot?.destroy();
  plot = null;
  $("chart").replaceChildren();
  if ($("chart").hidden) return;
  if (!found.duration.length) {
    $("chart").append(node("p", { class: "note" }, t("tooLittle", `${text.known(found.coverage)}\u00a0%`)));
    return;
  }
  const axis = { stroke: colour("--soft"), font: `12px ${getComputedStyle(document.body).fontFamily}`, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  plot = new uPlot({
    width: $("chart").clientWidth, height: $("chart").clientHeight, legend: { show: false },
    padding: [12, 20, 0, 0], cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (u, low, high) => [Math.min(0, low), Math.max(high, contract ?? 0) * 1.08] } },
    axes: [{ ...axis, size: 34, values: (u, splits) => splits.map((each) => `${text.number(each, each % 1 ? 1 : 0)} h`) },
      { ...axis, size: 58, values: (u, splits) => splits.map((each) => text.number(each)) }],
    series: [{}, { stroke: colour("--accent"), fill: colour("--accent-pale"), width: 2, points: { show: false } }],
    hooks: { draw: [(u) => {
      if (contract === null) return;
      line(u, contract, `${t("contract")} ${text.kw(contract)} kW`, [], "--contract");
      line(u, 0.9 * contract, `${t("ninety")} ${text.kw(0.9 * contract)} kW`, [5, 4], "--ninety");
    }] },
  }, data, $("chart"));
}

function showMap() {
  const { days, kw } = found.map;
  const all = kw.flat().filter((each) => each !== null);
  const most = Math.max(...all, 0);
  const words = all.length ? t("mapWords", days.length, text.kw(most)) : t("none");
  $("map-scale").textContent = all.length ? t("mapScale", text.kw(most)) : t("none");
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
  const square = (day, value, hour) => {
    const said = value === null ? t("unknownCell") : `${text.kw(value)} kW`;
    const made = node("td", { title: `${day} ${hours[hour]}:00 · ${said}`, "aria-label": said }, node("i"));
    if (value === null) made.firstChild.className = "unknown";
    else made.firstChild.style.opacity = most > 0 ? 0.06 + 0.94 * Math.max(0, value) / most : 0.06;
    return made;
  };
  $("map").replaceChildren(node("table", { class: "map", "aria-label": words },
    node("thead", {}, node("tr", {}, node("th", { scope: "col" }, node("span", { class: "hidden" }, t("window"))),
      ...hours.map((hour) => node("th", { scope: "col" }, hour)))),
    node("tbody", {}, ...days.map((day, i) => node("tr", {}, node("th", { scope: "row" }, day.slice(5)),
      ...kw[i].map((value, hour) => square(day, value, hour)))))));
}

function showPeriod() {
  if (!found) return;
  const [, kind, minutes] = found.demand_method.match(/^demand_([a-z]+)(\d+)$/);
  const windows = `${t("knownShare", `${text.known(found.coverage)}\u00a0%`)} ${t(`windows ${kind}`, minutes)}`;
  $("period-note").textContent = [windows, ...(found.lower_bound ? [t("lowerBound")] : []),
    found.sliding_kw === null ? t("noSliding") : found.sliding_coverage < 0.95
      ? t("littleSliding", `${text.known(found.sliding_coverage)}\u00a0%`) : t("sliding", text.kw(found.sliding_kw), text.moment(found.sliding_start, found.zone),
      text.percent(found.sliding_coverage, 0))].join(" · ");
  showMade();
  showTop();
  showDuration();
  showMap();
}

function show() {
  showWords();
  document.title = `${t("peaks")} · Parkwatt`;
  for (const each of ["today", "duration"]) {
    $(`${each}-as-table`).textContent = t($(`${each}-table`).hidden ? "showTable" : "showChart");
  }
  showState();
  showWindow();
  showNow(true);
  showCandidates();
  showPeriod();
  if (live) $("zone").textContent = t("zone", live.park.zone, live.park.name);
}

const query = () => {
  const asking = new URLSearchParams({ from: $("from").value, to: next($("until").value), count: "10" });
  if ($("charge").value !== "") asking.set("charge", $("charge").value);
  return asking;
};

// the day after, as the API's periods are half-open
const next = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

async function load() {
  const park = $("park").value;
  if (!$("from").value || !$("until").value) return;
  delete document.body.dataset.ready;
  try {
    found = await ask(`${base(park)}/peaks?${query()}`);
    $("to-csv").href = `${base(park)}/peaks?${query()}&format=csv`;
    say(null);
  } catch (error) {
    say(error.message);
    return;
  }
  show();
  document.body.dataset.ready = park;
}

async function askCandidates(park) {
  if (performance.now() - asked < CANDIDATES_S * 1000) return;
  asked = performance.now();
  try {
    candidates = (await ask(`${base(park)}/forecast`)).candidates;
    showCandidates();
  } catch (error) { say(error.message); }
}

async function open(park) {
  leave();
  live = found = null;
  candidates = [];
  asked = -Infinity;
  state = "connecting";
  $("park").value = park;
  $("back").href = $("to-live").href = `/parks/${encodeURIComponent(park)}`;
  const take = (news) => {
    live = news;
    received = performance.now();
    showState();
    showWindow();
    showNow();
    askCandidates(park);
  };
  try {
    take(await ask(`${base(park)}/live`));
  } catch (error) {
    say(error.message);
    return;
  }
  if (!$("until").value) {
    $("until").value = live.today.day;
    $("from").value = `${live.today.day.slice(0, 8)}01`;
  }
  leave = follow(park, (next) => { state = "live"; take(next); }, () => { state = "lost"; showState(); });
  load();
}

async function begin() {
  showWords();
  const days = new URLSearchParams(location.search);
  $("from").value = days.get("from") ?? "";
  $("until").value = days.get("until") ?? "";
  try {
    const chosen = await chooseFrom();
    parks = chosen.parks;
    if (chosen.code === null) say(t("noParks"));
    else open(chosen.code);
  } catch (error) {
    say(error.message);
    setTimeout(begin, 5000);
  }
}

$("park").addEventListener("change", (event) => {
  history.pushState(null, "", `/parks/${encodeURIComponent(event.target.value)}/peaks`);
  open(event.target.value);
});
$("period").addEventListener("submit", (event) => { event.preventDefault(); load(); });
for (const [name, chart] of [["today", "today"], ["duration", "chart"]]) {
  $(`${name}-as-table`).addEventListener("click", () => {
    $(chart).hidden = !$(chart).hidden;
    $(`${name}-table`).hidden = !$(chart).hidden;
    $(`${name}-as-table`).setAttribute("aria-expanded", String($(chart).hidden));
    show();
    if (name === "today" && live) demandTable($("today-table"), live);
  });
}
onLanguage(show);
addEventListener("popstate", begin);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
new ResizeObserver(() => $("chart").clientWidth && plot?.setSize({ width: $("chart").clientWidth, height: $("chart").clientHeight })).observe($("chart"));
new ResizeObserver(() => resize($("today"))).observe($("today"));
setInterval(() => live && showWindow(), 1000);
begin();
