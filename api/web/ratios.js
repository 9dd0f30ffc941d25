// Intensities of a park or of one enterprise: three answers, a target, and months up to the year.

import { draw } from "./ordinal.js";
import { $, ask, cell, node, t, table } from "./page.js";
import * as text from "./text.js";
import { whyButton } from "./why.js";

export const FIGURES = [["tce", "calorific"], ["tce", "equal_value"], ["co2_t", "location_national"], ["co2_t", "location_region"]];
export const SPANS = ["month", "year_to_date", "rolling_12"];
const PER = "added_value_10k_cny";
const MONTHS = 13;

export const unitOf = (kind) => `${kind === "tce" ? "tce" : "tCO₂"}/${t("tenThousand")}`;
export const intensity = (value) => text.number(value, value !== null && Math.abs(value) < 10 ? 4 : 2);

export function month(name, shift = 0) {
  const [year, number] = name.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + shift, 1)).toISOString().slice(0, 10);
}

export const lastOver = (zone) => {
  const now = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(new Date());
  return month(now.slice(0, 7), -1).slice(0, 7);
};

export function choices() {
  const before = $("figure").value || "tce/calorific";
  $("figure").replaceChildren(...FIGURES.map((each) => node("option", { value: each.join("/") }, t(`figure ${each.join("/")}`))));
  $("figure").value = before;
}

export const chosen = () => $("figure").value.split("/");

// first day of a span that ends with a month
export const begins = (span, until) => ({ month: `${until}-01`, year_to_date: `${until.slice(0, 4)}-01-01`, rolling_12: month(until, -11) })[span];

export async function load(root, until, enterprise = null) {
  const found = {};
  for (const length of SPANS) {
    const asked = new URLSearchParams({ from: month(until, 1 - MONTHS), to: month(until, 1), length, ...(enterprise && { enterprise }) });
    found[length] = (await ask(`${root}/intensity/history?${asked}`)).rows;
  }
  const year = new URLSearchParams({ year: until.slice(0, 4), ...(enterprise && { enterprise }) });
  found.budgets = await ask(`${root}/budgets?${year}`);
  return found;
}

const valueOf = (row) => row.per[PER][chosen()[0]][chosen()[1]];

function whyNone(row) {
  const below = row.per[PER];
  if (below.amount === null) return below.missing.length ? t("missingValue", below.missing.join(", ")) : t("addedValueNone");
  if (below.amount <= 0) return t("reason denominator_not_positive");
  if (valueOf(row) === null) return t("reason numerator_unknown");
  return "";
}

function notes(row) {
  const below = row.per[PER];
  const said = [row.period, t("coverageWords", `${text.known(row.coverage)}\u00a0%`)];
  if (below.estimated) said.push(t("estimatedValue"));
  if (below.provisional) said.push(t("provisionalValue"));
  if (!row.publishable) said.push(t(row.complete ? "coveredTooLittle" : "notOverYet"));
  return [...said, whyNone(row)].filter(Boolean);
}

export function showAnswers(found, until, root, enterprise) {
  const [kind, method] = chosen();
  for (const each of document.querySelectorAll("[data-unit]")) each.textContent = unitOf(kind);
  for (const span of SPANS) {
    const row = found[span].at(-1);
    $(span).textContent = intensity(row.publishable ? valueOf(row) : null);
    $(span).dataset.value = valueOf(row) ?? "";
    $(`${span}-note`).textContent = [...notes(row), ...(row.publishable || valueOf(row) === null ? [] : [t("knownPartIs", intensity(valueOf(row)))])].join(" · ");
    const title = `${t(span === "month" ? "monthOne" : span === "year_to_date" ? "yearToDate" : "rolling12")} · ${t(`figure ${kind}/${method}`)}`;
    whyButton(`${span}-why`, title, () => [title, { base: root, figure: kind, method, from: begins(span, until), to: month(until, 1), enterprise },
      { unit: unitOf(kind), value: valueOf(row), below: row.per[PER] }]);
  }
  const target = targetOf(found);
  const now = found.year_to_date.at(-1);
  $("target").textContent = intensity(target?.value ?? null);
  $("target-words").textContent = "";
  $("target-note").textContent = target ? `${found.budgets.year} · ${target.source}` : t("noTarget");
  if (target && now.publishable && valueOf(now) !== null) {
    const over = valueOf(now) > target.value;
    $("target-words").className = `words ${over ? "bad" : "good"}`;
    $("target-words").textContent = t(over ? "aboveTarget" : "belowTarget", text.percent(Math.abs(valueOf(now) / target.value - 1), 1));
  }
}

// nothing of an earlier month stays beside a refusal
export function clearAnswers() {
  for (const id of [...SPANS, "target"]) { $(id).textContent = "–"; $(`${id}-note`).textContent = ""; }
  for (const span of SPANS) { delete $(span).dataset.value; $(`${span}-why`).replaceChildren(); }
  $("target-words").textContent = "";
  for (const id of ["months", "months-table", "pollutants"]) $(id).replaceChildren();
  $("pollutants-card").hidden = true;
}

// of month, year to date and rolling twelve months: who told it, monitors or a statement
export function showPollutants(found) {
  const last = SPANS.map((span) => [span, found[span].at(-1)]);
  const names = [...new Set(last.flatMap(([, row]) => Object.keys(row.pollutant_kg)))].sort();
  $("pollutants-card").hidden = names.length === 0;
  const rows = names.flatMap((name) => last.filter(([, row]) => name in row.pollutant_kg).map(([span, row]) => {
    const of = row.pollutant_kg[name];
    const said = !of.basis.includes("measured") ? (of.basis.length ? t("statedYear") : "") : of.basis.length === 1 ? t("byMonitors") : t("partByMonitors", text.percent(of.measured_share));
    const gone = of.missing.length ? t("nothingOf", of.missing.slice(0, 3).join(", ") + (of.missing.length > 3 ? ` … (${of.missing.length})` : "")) : "";
    const part = of.amount === null && of.known !== null ? t("knownPartIs", `${text.number(of.known, 1)} kg`) : "";
    return node("tr", { "data-pollutant": `${name}/${span}` }, cell(text.quantity(name)), cell(row.period), cell(text.number(of.amount, 1), "n"),
      cell(intensity(row.per[PER].pollutant_kg[name]), "n"), cell([said, part, gone].filter(Boolean).join(" · ")), cell(`${text.known(of.coverage)}\u00a0%`, "n"));
  }));
  table($("pollutants"), t("pollutants"), [[""], [""], ["kg", "n"], [`kg/${t("tenThousand")}`, "n"], [t("itIs")], [t("known"), "n"]], rows);
}

const targetOf = (found) => {
  const [kind, method] = chosen();
  return found.budgets.rows.find((each) => each.kind === (kind === "tce" ? "energy_intensity" : "co2_intensity") && each.method === method && each.value !== null) ?? null;
};

export function showMonths(found) {
  const rows = found.month;
  const good = (span) => found[span].map((row) => (row.publishable ? valueOf(row) : null));
  const target = targetOf(found);
  const [kind, method] = chosen();
  draw($("months"), rows.map((row) => row.period), [
    { kind: "bar", colour: "--accent", values: good("month") },
    { kind: "hatch", colour: "--soft", values: rows.map((row) => (row.publishable ? null : valueOf(row))) },
    { kind: "line", colour: "#8b5cf6", values: good("year_to_date") },
    { kind: "line", colour: "--good", values: good("rolling_12") },
    { kind: "dash", colour: "--bad", values: rows.map((row) => (target && row.from.startsWith(String(found.budgets.year)) ? target.value : null)) },
  ], { digits: 3, words: `${t("monthToYear")}, ${t(`figure ${kind}/${method}`)}: ${rows.map((row) => `${row.period} ${intensity(valueOf(row))}`).join("; ")}` });
  table($("months-table"), t("monthToYear"), [[t("monthOne")], [t("monthOne"), "n"], [t("yearToDate"), "n"], [t("rolling12"), "n"], [t("addedValue"), "n"], [t("known"), "n"], [t("itIs")]],
    rows.map((row, i) => {
      const figure = (each) => cell(intensity(valueOf(each)), each.publishable ? "n" : "n refused");
      return node("tr", { "data-period": row.period }, cell(row.period), figure(row), figure(found.year_to_date[i]), figure(found.rolling_12[i]),
        cell(text.number(row.per[PER].amount, 1), "n"), cell(`${text.known(row.coverage)}\u00a0%`, "n"), cell(notes(row).slice(2).join(" · ")));
    }).reverse());
}
