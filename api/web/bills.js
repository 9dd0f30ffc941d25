// Bills: what months cost, line by line, and what another tariff or method would have cost.

import { $, ask, base, cell, chooseFrom, node, onLanguage, say, showWords, t, table } from "./page.js";
import * as text from "./text.js";

const METHODS = ["capacity", "contract", "demand"];
let tariffs = [];
let enterprises = [];
let found = null;

const money = (cny) => text.number(cny, 2);

const options = (select, first, rows) => {
  const before = select.value;
  select.replaceChildren(node("option", { value: "" }, first),
    ...rows.map(([value, words]) => node("option", { value }, words)));
  select.value = rows.some(([value]) => value === before) ? before : "";
};

function showChoices() {
  const chinese = text.current() === "zh";
  options($("enterprise"), t("wholePark"), enterprises.map((each) => [each.code, `${each.name} (${each.code})`]));
  const codes = new Map(tariffs.map((each) => [each.code, (chinese && each.name_zh) || each.name]));
  options($("tariff"), t("asStated"), [...codes]);
  options($("method"), t("asStated"), METHODS.map((each) => [each, t(`by ${each}`)]));
}

function line(each) {
  const kind = each.kind === "energy" ? t(each.period === "peak" ? "peak_" : each.period) : t(`line ${each.kind}`);
  return node("tr", {}, cell(kind), cell(`${text.number(each.quantity, 2)} ${text.unit(each.unit)}`, "n"),
    cell(each.price_cny === null ? "" : String(each.price_cny), "n"), cell(money(each.amount_cny), "n"),
    cell(each.rule), cell(each.source));
}

function bill(each) {
  const body = node("div", { class: "scroll tall", tabindex: "0" });
  table(body, each.month, [[t("billLine")], [t("quantity"), "n"], [t("price"), "n"], ["CNY", "n"], [t("rule")], [t("source")]],
    [...each.lines.map(line), node("tr", { class: "total" }, cell(t("billTotal")), cell(""), cell(""),
      cell(money(each.total_cny), "n"), cell(each.total_cny === null ? t("knownPart", money(each.known_cny)) : ""), cell(""))]);
  const notes = [t("knownOfMonth", text.known(each.coverage))];
  if (!each.complete) notes.push(t("notOver"));
  if (each.days_without_terms) notes.push(t("noTerms"));
  if (each.outside_validity) notes.push(t("outside"));
  if (each.prices_are_examples) notes.push(t("examples"));
  return node("section", { class: "card", "data-month": each.month },
    node("div", { class: "head" }, node("h2", {}, each.month)), node("p", { class: "note" }, notes.join(" · ")), body);
}

function show() {
  showWords();
  showChoices();
  if (!found) return;
  $("total").textContent = money(found.total_cny);
  $("total-note").textContent = found.assumed ? t("assumed") : t("stated");
  const { totals_cny: totals, cheapest, best_contract_kw: best, lowest_contract_kw: lowest } = found.comparison;
  for (const name of METHODS) {
    $(`by-${name}`).textContent = money(totals[name]);
    $(`t-${name}`).textContent = t(`by ${name}`) + (name === cheapest ? ` · ${t("cheapest")}` : "");
  }
  $("contract-note").textContent = [
    ...(best === null ? [] : [t("bestContract", text.kw(best))]),
    ...(lowest === null ? [] : [t("lowestContract", text.kw(lowest))])].join(" · ");
  $("bills").replaceChildren(...found.bills.map(bill).reverse());
}

const following = (month) => {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10);
};

async function load() {
  const asked = new URLSearchParams({ from: `${$("from").value}-01`, to: following($("until").value) });
  for (const [name, id] of [["enterprise", "enterprise"], ["tariff", "tariff"], ["method", "method"], ["capacity_kva", "capacity"]]) {
    if ($(id).value) asked.set(name, $(id).value);
  }
  const path = `${base($("park").value)}/bills?${asked}`;
  $("to-csv").href = `${path}&format=csv`;
  try {
    found = await ask(path);
    say(null);
  } catch (error) {
    found = null;
    for (const id of ["total", ...METHODS.map((each) => `by-${each}`)]) $(id).textContent = "–";
    for (const id of ["total-note", "contract-note"]) $(id).textContent = "";
    $("bills").replaceChildren();
    say(error.message);
  }
  show();
}

async function open(code) {
  enterprises = (await ask(`${base(code)}/enterprises`)).rows;
  $("back").href = $("to-live").href = `/parks/${encodeURIComponent(code)}`;
  $("to-peaks").href = `/parks/${encodeURIComponent(code)}/peaks`;
  showChoices();
  const known = new URLSearchParams(location.search).get("enterprise");
  $("enterprise").value = enterprises.some((each) => each.code === known) ? known : enterprises[0]?.code ?? "";
  await load();
  document.body.dataset.ready = code;
}

async function begin() {
  onLanguage(show);
  showWords();
  const asked = new URLSearchParams(location.search);
  const month = new Date().toISOString().slice(0, 7);
  $("from").value = asked.get("from") ?? month;
  $("until").value = asked.get("until") ?? month;
  tariffs = (await ask("/api/v1/tariffs")).rows;
  const { code } = await chooseFrom();
  if (code === null) return say(t("noParks"));
  $("park").addEventListener("change", () => { location.href = `/parks/${encodeURIComponent($("park").value)}/bills`; });
  $("asked").addEventListener("submit", (event) => { event.preventDefault(); load(); });
  return open(code);
}

begin().catch((error) => say(error.message));
