// What people state of an enterprise or the park: a form, and what counts so far.

import { $, ask, base, chooseFrom, fill, node, onLanguage, say, send, showWords as showPlainWords, t } from "./page.js";
import * as text from "./text.js";

let park = null;
let parks = [];
let kinds = [];
let rows = [];
let outcome = null; // [words' key, kind, values]

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const kind = () => kinds.find((each) => each.name === $("kind").value);
const meaning = (each) => (text.current() === "zh" ? each.zh : each.meaning);
const option = (value, words) => node("option", { value }, words);

const MOST_BAD = 20;

// every row that cannot be used, so that all are mended at once
function showRefused(message, bad) {
  fill($("outcome"), (each) => t("refused", each), message);
  for (const { row, message: why } of bad.slice(0, MOST_BAD)) {
    const line = node("span", { class: "line" });
    fill(line, (each) => t("rowSays", row, each), why);
    $("outcome").append(line);
  }
  if (bad.length > MOST_BAD) $("outcome").append(node("span", { class: "line" }, t("moreRows", bad.length - MOST_BAD)));
}

function showOutcome() {
  const [words, look, ...values] = outcome ?? ["", ""];
  $("outcome").className = `words ${look}`;
  if (words === "rowsRefused") return showRefused(...values);
  fill($("outcome"), (...each) => (outcome ? t(words, ...each) : ""), ...values);
}

// only what the chosen kind asks for
function showFields() {
  const of = kind();
  if (!of) return;
  $("product-row").hidden = !of.product;
  $("product").required = of.product;
  $("prices-row").hidden = !of.money;
  $("base-row").hidden = !of.money || $("prices").value !== "comparable";
  $("base").required = !$("base-row").hidden;
  $("unit").hidden = of.units.length === 0;
  $("own-unit").hidden = of.units.length > 0;
  $("own-unit").required = of.units.length === 0;
}

function chooseKind() {
  const of = kind();
  $("unit").replaceChildren(...of.units.map((each) => option(each, text.unit(each))));
  if (of.unit) $("unit").value = of.unit;
  showFields();
  showStated();
}

function showStated() {
  const mine = rows.filter((each) => each.kind === $("kind").value);
  const heads = [["statedPeriod"], ["statedAmount", "n"], ["stage"], ["source"]].map(([words, look]) =>
    node("th", { scope: "col", ...(look && { class: look }) }, t(words)));
  const body = mine.map((each) => node("tr", {},
    node("td", {}, [each.period, each.product].filter(Boolean).join(" · ")),
    node("td", { class: "n" }, `${text.number(each.amount, 2)} ${text.unit(each.unit)}`),
    node("td", {}, [t(each.stage), each.prices === "comparable" && t("pricesOf", each.price_base)].filter(Boolean).join(" · ")),
    node("td", {}, each.source)));
  $("stated").replaceChildren(body.length
    ? node("table", { "aria-label": t("statedSo") }, node("thead", {}, node("tr", {}, ...heads)), node("tbody", {}, ...body))
    : node("p", { class: "note" }, t("none")));
}

function showWords() {
  showPlainWords();
  document.title = `${t("statements")} · Parkwatt`;
  for (const each of $("kind").options) each.textContent = meaning(kinds.find((one) => one.name === each.value));
  for (const each of $("unit").options) each.textContent = text.unit(each.value);
  for (const each of $("stage").options) each.textContent = t(each.value);
  for (const each of $("prices").options) each.textContent = t(each.value);
  if ($("enterprise").options.length) $("enterprise").options[0].textContent = t("theParkItself");
  showOutcome();
  if (park) showStated();
}

async function load() {
  const enterprise = $("enterprise").value;
  const query = new URLSearchParams({ limit: "10000", ...(enterprise && { enterprise }) });
  const found = (await ask(`${base(park.code)}/statements?${query}`)).rows;
  rows = found.filter((each) => (each.enterprise ?? "") === enterprise);
}

function clear() {
  outcome = null;
  showOutcome();
}

async function store() {
  clear();
  const of = kind();
  const typed = $("amount").value.trim();
  if (!/^[+-]?\d+(\.\d+)?$/.test(typed)) {
    outcome = ["noNumber", "bad"];
    showOutcome();
    return;
  }
  $("store").disabled = true;
  try {
    const { body } = await send(`${base(park.code)}/statements`, {
      who: $("who").value,
      rows: [{
        enterprise: $("enterprise").value || null,
        kind: of.name,
        product: of.product ? $("product").value.trim() : null,
        unit: (of.units.length ? $("unit").value : $("own-unit").value.trim()) || null,
        period: $("period").value.trim(),
        amount: Number(typed),
        prices: of.money ? $("prices").value : null,
        price_base: $("base-row").hidden ? null : Number($("base").value),
        stage: $("stage").value,
        source: $("source").value,
      }],
    });
    const told = body.rows?.[0] ?? body.error?.detail?.[0];
    if (body.error || told?.outcome === "refused") outcome = ["refused", "bad", told?.message || body.error.message];
    else outcome = [told.outcome === "known" ? "statedKnown" : "stored", "good", `${text.number(Number(typed), 2)}`];
    if (told?.outcome === "new") $("amount").value = "";
    await load();
  } catch (error) {
    outcome = ["refused", "bad", error.message];
  } finally {
    $("store").disabled = false;
    showWords();
  }
}

// a workbook or CSV, all of its rows or none
async function storeFile() {
  const [file] = $("file").files;
  if (!file) return;
  clear();
  if (!$("who").reportValidity()) { $("file").value = ""; return; }
  try {
    const query = new URLSearchParams({ who: $("who").value });
    const answer = await fetch(`${base(park.code)}/statements/file?${query}`, {
      method: "POST", headers: { "Content-Type": file.name.endsWith(".csv") ? "text/csv" : XLSX }, body: file,
    });
    const body = await answer.json();
    const bad = body.error?.detail?.filter?.((each) => each.outcome === "refused") ?? [];
    if (body.error) outcome = bad.length ? ["rowsRefused", "bad", body.error.message, bad] : ["refused", "bad", body.error.message];
    else outcome = ["statedRows", "good", body.rows.length, body.rows.filter((each) => each.outcome === "new").length];
    await load();
  } catch (error) {
    outcome = ["refused", "bad", error.message];
  }
  $("file").value = "";
  showWords();
}

async function chooseEnterprise() {
  clear();
  try {
    await load();
    say(null);
  } catch (error) { say(error.message); }
  showWords();
}

async function open(code) {
  park = parks.find((each) => each.code === code) ?? null;
  if (!park) { say(t("noParks")); return; }
  $("park").value = code;
  $("template").href = `${base(code)}/statements/template`;
  $("back").href = `/parks/${encodeURIComponent(code)}`;
  const enterprises = (await ask(`${base(park.code)}/enterprises`)).rows;
  $("enterprise").replaceChildren(option("", t("theParkItself")), ...enterprises.map((each) =>
    option(each.code, each.name === each.code ? each.code : `${each.code} ${each.name}`)));
  if (enterprises.length) $("enterprise").value = enterprises[0].code;
  await chooseEnterprise();
  document.body.dataset.ready = code;
}

async function begin() {
  showWords();
  try {
    kinds = (await ask("/api/v1/statement-kinds")).rows;
    $("kind").replaceChildren(...kinds.map((each) => option(each.name, meaning(each))));
    const found = await chooseFrom();
    parks = found.parks;
    chooseKind();
    await open(found.code);
  } catch (error) { say(error.message); }
}

$("park").addEventListener("change", (event) => {
  history.pushState(null, "", `/parks/${encodeURIComponent(event.target.value)}/statements`);
  open(event.target.value).catch((error) => say(error.message));
});
$("enterprise").addEventListener("change", chooseEnterprise);
$("kind").addEventListener("change", () => { clear(); chooseKind(); });
$("prices").addEventListener("change", showFields);
for (const id of ["period", "amount", "source", "who"]) $(id).addEventListener("input", clear);
$("file").addEventListener("change", storeFile);
$("form").addEventListener("submit", (event) => { event.preventDefault(); store(); });
onLanguage(() => { clear(); showWords(); });
addEventListener("popstate", begin);
begin();
