// The carbon peak: where the years stand and why, how the budget goes, what a zero-carbon park needs.

import { draw, switched } from "./ordinal.js";
import { $, ask, base, busy, cell, chooseFrom, node, onLanguage, say, showWords, t, table } from "./page.js";
import * as text from "./text.js";
import { whyButton } from "./why.js";

let methods = [];
let found = null; // trajectory, budgets, zero, accounts, split
let park = null;
const labels = [];

const tonnes = (value) => text.number(value, value !== null && Math.abs(value) < 100 ? 1 : 0);
const month = (name, shift = 0) => {
  const [year, number] = name.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + shift, 1)).toISOString().slice(0, 10);
};
const tons = (unit) => unit.replace("CO2", "CO₂");
const titled = (each) => (text.current() === "zh" && each.title_zh) || each.title;
const series = () => found.trajectory?.series.find((each) => each.method === $("method").value) ?? null;
const known = (kind, name) => { const words = t(`${kind} ${name}`); return words === undefined ? name : words; };

const stateYears = (state) => (state.to === null ? "" : t("stateYears", state.from, state.to));
// years that are over since the first that decides, and decide nothing
const missingYears = (of) => of.years.filter((each) => !each.decides && each.year > of.state.from && each.year < Number(found.to.slice(0, 4))).map((each) => each.year);

function stateWords() {
  const of = series();
  if (!of) return [t("state unknown"), t("noYears")];
  const { state } = of;
  const notes = [known("reason", state.reason), stateYears(state)];
  if (state.reason === "gap") notes.push(t("undecidedYears", missingYears(of).join(", ")));
  if (state.peak_year !== null) {
    notes.push(t("peakWords", state.peak_year, tonnes(state.peak_t), state.years_after));
    if (state.peak_is_first_known) notes.push(t("peakIsFirst"));
  }
  const after = state.after_peak;
  if (after.z !== null) notes.push(`n ${after.n}, S ${after.s}, Z ${text.number(after.z, 4)}, p ${text.number(after.p, 4)}, Sen ${text.number(after.sen_slope_t_per_year, 1)} t/a`);
  return [known("state", state.state), notes.filter(Boolean).join(" · ")];
}

function showRolling() {
  const of = series();
  const last = of?.rolling.findLast((each) => each.value_t !== null) ?? null;
  $("rolling").textContent = tonnes(last?.value_t ?? null);
  const peak = of?.state.peak_t ?? null;
  $("rolling-note").textContent = last === null ? t("noRolling") : [t("toTheEndOf", last.month),
    ...(peak === null ? [] : [t("ofHighest", text.percent(last.value_t / peak, 1), of.state.peak_year)])].join(" · ");
  $("rolling-why").replaceChildren();
  if (last !== null) {
    whyButton("rolling-why", t("lastTwelve"), () => [t("lastTwelve"), {
      base: base(park), figure: "co2_t", method: of.method, from: month(last.month, -11), to: month(last.month, 1),
    }, { unit: of.unit, notes: [titled(of)] }]);
  }
}

function showBudget() {
  const rows = (found.budgets?.rows ?? []).filter((each) => each.kind === "co2");
  const of = rows.find((each) => each.method === $("method").value) ?? rows[0] ?? null;
  const ahead = of?.outlook ?? null;
  $("budget").textContent = tonnes(ahead?.used ?? null);
  $("budget-words").className = "words";
  $("budget-words").textContent = "";
  $("budget-why").replaceChildren();
  if (!of) { $("budget-note").textContent = t("noBudget"); return; }
  const fast = ahead.ahead_of_pace;
  if (fast !== null) {
    $("budget-words").className = `words ${fast > 0 ? "bad" : "good"}`;
    $("budget-words").textContent = fast > 0 ? t("tooFast", tonnes(fast)) : t("withinPace", tonnes(-fast));
  }
  const notes = [t("ofBudget", text.percent(ahead.used === null ? null : ahead.used / of.value, 1), tonnes(of.value), found.budgets.year), of.method];
  if (ahead.year_end !== null) notes.push(t("yearEnd", tonnes(ahead.year_end)));
  notes.push(ahead.spent_on !== null ? t("spentOn", ahead.spent_on) : ahead.year_end === null ? t("noForecastYet") : t("notSpent"));
  if (!ahead.publishable) notes.push(t("coveredTooLittle"));
  $("budget-note").textContent = notes.join(" · ");
  if (found.budgets.months_over) {
    whyButton("budget-why", t("carbonBudget"), () => [t("carbonBudget"), {
      base: base(park), figure: "co2_t", method: of.method, from: `${found.budgets.year}-01-01`, to: month(`${found.budgets.year}-01`, found.budgets.months_over),
    }, { unit: "tCO2", notes: [of.source] }]);
  }
}

const yearWords = (each) => (each.value_t === null ? t("rule nothing_known") : t(`rule ${each.rule}`));

function showYears() {
  const of = series();
  const years = (of?.years ?? []).filter((each) => each.value_t !== null);
  const of_ = (wanted) => years.map((each) => (wanted(each) ? each.value_t : null));
  draw($("years"), years.map((each) => String(each.year)), [
    { kind: "bar", colour: "--accent", values: of_((each) => each.decides && each.rule !== "stated_year") },
    { kind: "bar", colour: "#8b5cf6", values: of_((each) => each.rule === "stated_year") },
    { kind: "hatch", colour: "--soft", values: of_((each) => !each.decides) },
  ], { words: years.length ? `${t("years")}: ${years.map((each) => `${each.year} ${tonnes(each.value_t)} t${each.decides ? "" : ` (${t("provisionalYear")})`}`).join("; ")}` : t("noYears") });
  yearsTable($("years-table"));
}

function yearsTable(into) {
  const of = series();
  table(into, t("years"), [[t("year")], [tons(of?.unit ?? "t"), "n"], [t("itIs")], [t("metered"), "n"], [t("statedYear"), "n"], [t("known"), "n"], [""]],
    (of?.years ?? []).map((each) => {
      const button = node("span");
      if (each.metered_t !== null) {
        whyButton(button, String(each.year), () => [`${t("years")} ${each.year}`, { base: base(park), figure: "co2_t", method: of.method, from: `${each.year}-01-01`, to: `${each.year + 1}-01-01` }, { unit: of.unit }]);
      }
      return node("tr", { "data-year": each.year }, cell(String(each.year)), cell(tonnes(each.value_t), "n"), cell(yearWords(each)),
        cell(tonnes(each.metered_t), "n"), cell(tonnes(each.stated_t), "n"), cell(each.coverage === null ? "–" : `${text.known(each.coverage)}\u00a0%`, "n"), cell(button));
    }));
}

function showTwelve() {
  const of = series();
  const rows = of?.rolling ?? [];
  const peak = of?.state.peak_t ?? null;
  draw($("twelve"), rows.map((each) => each.month), [
    { kind: "line", colour: "--good", values: rows.map((each) => each.value_t) },
    { kind: "dash", colour: "--bad", values: rows.map(() => peak) },
  ], { words: rows.some((each) => each.value_t !== null) ? `${t("rollingTwelve")}: ${$("rolling").textContent} t, ${$("rolling-note").textContent}` : t("noRolling") });
  table($("twelve-table"), t("rollingTwelve"), [[t("monthOne")], [t("monthOne"), "n"], [t("rollingTwelve"), "n"], [t("itIs")]], rows.map((each) =>
    node("tr", {}, cell(each.month), cell(tonnes(each.month_t), "n"), cell(tonnes(each.value_t), "n"), cell(each.month_t === null ? "–" : t(each.metered ? "metered" : "statedYear")))).reverse());
}

function showMethods() {
  const totals = Object.fromEntries((found.accounts?.totals ?? []).map((each) => [each.method, each]));
  const shares = (found.accounts?.rows ?? []).filter((each) => each.enterprise === null).map((each) => each.known_share ?? 0);
  const lowest = shares.length ? Math.min(...shares) : null;
  const enough = lowest !== null && lowest >= (found.trajectory?.minimum_coverage ?? 0.95);
  $("methods-note").textContent = [t("twelveMonths", found.from, found.to), t("coverageWords", `${text.known(lowest)}\u00a0%`), ...(enough ? [] : [t("notTheWhole")]), t("neverAdd")].join(" · ");
  table($("methods"), t("sideBySide"), [[t("methodHead")], [t("totalHead"), "n"], [t("scope1"), "n"], [t("scope2"), "n"], ["tCO₂"], [t("peakState")], [t("powerFactor")], [""]],
    (found.trajectory?.series ?? []).map((each) => {
      const total = totals[each.method];
      const button = node("span");
      const row = methods.find((one) => one.name === each.method);
      whyButton(button, titled(each), () => [titled(each), { base: base(park), figure: "co2_t", method: each.method, from: found.from, to: found.to }, { unit: each.unit, notes: [row?.source] }]);
      const figure = (value) => (value === null || value === undefined ? cell(t("refusedFigure"), "n refused") : cell(`${enough ? "" : "≥ "}${tonnes(value)}`, "n"));
      return node("tr", { "data-method": each.method, ...(each.method === $("method").value && { class: "total" }) },
        cell([titled(each), " ", node("span", { class: "code" }, each.method)]), figure(total?.park), figure(total?.park_scope_1), figure(total?.park_scope_2),
        cell(tons(each.unit)), cell([known("state", each.state.state), stateYears(each.state)].filter(Boolean).join(" · ")), cell(factorOf(row)), cell(button));
    }));
}

const factorOf = (row) => {
  const power = row?.factors?.electricity;
  return power ? `${known("basis", power.basis)} · ${t(`year ${power.year}`)}` : "";
};

function showZero() {
  const of = found.zero;
  $("zero").textContent = of.publishable ? text.number(of.value, 3) : "–";
  const kind = { met: "good", missed: "bad" }[of.state] ?? "";
  $("zero-words").className = `words ${kind}`;
  $("zero-words").textContent = t(`zero ${of.state}`, text.number(of.aim, 1));
  $("zero-note").textContent = [t("twelveMonths", of.from, of.to), t("coverageWords", `${text.known(of.coverage)}\u00a0%`),
    ...(of.publishable || of.value === null ? [] : [t("knownPartIs", text.number(of.value, 3))]), t("zeroFormula")].join(" · ");
  const rows = !of.publishable ? [] : [
    [t("zeroSize"), t(`size ${of.size_class}`)], ["tCO₂ / tce", `${tonnes(of.co2_t)} / ${tonnes(of.tce)}`],
    [t("toSave"), `${tonnes(of.gap_t)} tCO₂`], [t("byGreen"), `${text.number(of.green_kwh === null ? null : of.green_kwh / 1000)} MWh`],
    [t("allGreen"), `${text.number(of.with_all_green, 3)} tCO₂/tce`], [t("thenFuels"), `${tonnes(of.rest_t)} tCO₂`],
  ];
  if (rows.length) table($("zero-reach"), t("wouldReach"), [[t("wouldReach")], ["", "n"]], rows.map(([name, value]) => node("tr", {}, cell(name), cell(value, "n"))));
  else $("zero-reach").replaceChildren();
  whyButton("zero-why", t("zeroCarbon"), () => [t("zeroCarbon"), { base: base(park), figure: "co2_t", method: of.method, from: of.from, to: of.to }, { unit: "tCO₂/tce", value: of.value, per: ["tce", of.energy] }]);
}

function showSplit() {
  const of = found.split;
  $("split").replaceChildren();
  if (!of) { $("split-note").textContent = t("noSplit"); return; }
  const rows = [["change_t", of.change_t], ...Object.entries(of.effects)];
  const most = Math.max(...rows.map(([, value]) => Math.abs(value ?? 0)), 1e-9);
  const missing = [...new Set(Object.values(of.missing_added_value ?? {}).flat())];
  $("split-note").textContent = [t("splitYears", of.before, of.after), of.method, ...(missing.length ? [t("missingValue", missing.join(", "))] : [])].join(" · ");
  table($("split"), t("whatMoved"), [[t("effectHead")], ["tCO₂", "n"], [""]], rows.map(([name, value]) => {
    const fill = node("i", value < 0 ? { class: "less" } : {});
    const width = 50 * Math.abs(value ?? 0) / most;
    fill.style.width = `${width}%`;
    fill.style.left = `${value < 0 ? 50 - width : 50}%`;
    return node("tr", { "data-effect": name }, cell(known("effect", name)), cell(value === null ? t("unknownCell") : `${value > 0.05 ? "+" : ""}${tonnes(value)}`, value === null ? "n refused" : "n"),
      cell(value === null ? "" : node("div", { class: "effect" }, fill)));
  }));
}

function show() {
  showWords();
  document.title = `${t("carbon")} · Parkwatt`;
  for (const each of labels) each();
  if (!found) return;
  const chosen = $("method").value;
  const names = found.trajectory?.series ?? [];
  $("method").replaceChildren(...names.map((each) => node("option", { value: each.method }, `${titled(each)} (${each.method})`)));
  $("method").value = chosen;
  const row = methods.find((each) => each.name === chosen);
  $("method-note").textContent = row ? `${factorOf(row)} · ${t("source")}: ${row.source}${row.verified ? "" : ` · ${t("notVerified")}`}` : "";
  const [words, notes] = stateWords();
  $("state").textContent = words;
  $("state-note").textContent = notes;
  whyButton("state-why", t("peakState"), () => {
    const rows = node("div", { class: "scroll", tabindex: "0" });
    yearsTable(rows);
    return [t("peakState"), [words, notes], rows];
  });
  for (const each of document.querySelectorAll("[data-unit]")) each.textContent = tons(series()?.unit ?? "tCO2");
  showRolling();
  showBudget();
  showYears();
  showTwelve();
  showMethods();
  showZero();
  showSplit();
}

const quietly = async (path) => { try { return await ask(path); } catch { return null; } };

async function askSplit() {
  const years = (series()?.years ?? []).filter((each) => each.rule === "metered_complete").map((each) => each.year);
  const [before, after] = years.slice(-2);
  if (after === undefined) return null;
  for (const prices of ["comparable", "current"]) {
    const split = await quietly(`${base(park)}/decomposition?before=${before}&after=${after}&method=${$("method").value}&prices=${prices}`);
    if (split && (prices === "current" || split.effects.activity_t !== null)) return split;
  }
  return null;
}

async function open(code) {
  park = code;
  $("back").href = `/parks/${encodeURIComponent(code)}`;
  const zero = await ask(`${base(code)}/zero-carbon`);
  const names = methods.filter((each) => each.kind === "co2").map((each) => each.name);
  const asked = new URLSearchParams(names.map((each) => ["method", each]));
  const [trajectory, budgets, accounts] = await Promise.all([
    quietly(`${base(code)}/trajectory?${asked}`), quietly(`${base(code)}/budgets`),
    quietly(`${base(code)}/accounts?from=${zero.from}&to=${zero.to}&method=${names[0]}`),
  ]);
  found = { trajectory, budgets, accounts, zero, from: zero.from, to: zero.to, split: null };
  $("to-csv").href = `${base(code)}/trajectory?${asked}&format=csv`;
  const decided = (each) => each.years.filter((year) => year.decides).length;
  const best = [...(trajectory?.series ?? [])].sort((one, other) => decided(other) - decided(one) || (other.method === "location_region") - (one.method === "location_region"))[0];
  const wanted = new URLSearchParams(location.search).get("method");
  const method = names.includes(wanted) ? wanted : best?.method ?? "";
  $("method").replaceChildren(node("option", { value: method }, method));
  $("method").value = method;
  found.split = await askSplit();
  show();
  document.body.dataset.ready = code;
}

async function begin() {
  onLanguage(show);
  for (const each of ["years", "twelve"]) labels.push(switched(each, show));
  showWords();
  $("park").addEventListener("change", () => { location.href = `/parks/${encodeURIComponent($("park").value)}/carbon`; });
  $("method").addEventListener("change", async () => {
    delete document.body.dataset.ready;
    busy(true);
    found.split = await askSplit();
    show();
    busy(false);
    document.body.dataset.ready = park;
  });
  $("asked").addEventListener("submit", (event) => event.preventDefault());
  methods = (await ask("/api/v1/methods")).rows;
  const { code } = await chooseFrom();
  if (code === null) return say(t("noParks"));
  return open(code);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
begin().catch((error) => say(error.message));
