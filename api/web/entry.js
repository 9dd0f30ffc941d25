// Readings typed by hand: the meter's last ones, a doubt before storing, the outcome.

import { $, ask, base, chooseFrom, fill, node, onLanguage, say, send, showWords as showPlainWords, t } from "./page.js";
import * as text from "./text.js";

let park = null;
let parks = [];
let meters = [];
let quantities = []; // registers that can be typed, with their units
let last = null;
let outcome = null; // [words' key, kind, values]

const chosen = () => meters[Number($("meter").value)];

// the offset [min] that a zone has at an instant
function offset(zone, instant) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
    hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(instant).map((each) => [each.type, Number(each.value)]));
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return Math.round((local - Math.floor(instant / 1000) * 1000) / 60000);
}

// a local time of the park as ISO 8601; null where its clock skips or repeats it
function instant(local, zone) {
  const wall = Date.parse(`${local}Z`);
  const near = [wall - 86400000, wall + 86400000].map((each) => offset(zone, each));
  const found = [...new Set(near)].map((minutes) => wall - minutes * 60000)
    .filter((at) => at + offset(zone, at) * 60000 === wall);
  return found.length === 1 ? new Date(found[0]).toISOString() : null;
}

function now(zone) {
  const at = Math.floor(Date.now() / 60000) * 60000;
  return new Date(at + offset(zone, at) * 60000).toISOString().slice(0, 16);
}

const when = (iso) => text.moment(iso, park.zone);

const plain = (value) => (value === null ? "–" : text.number(value, 3).replace(/([.,]\d*?)0+$/, "$1").replace(/[.,]$/, ""));

function showLast() {
  const mine = (each) => each.quantity === $("quantity").value; // on top, however long the list
  const rows = (last?.rows ?? []).filter((each) => each.kind === "register");
  rows.sort((one, other) => mine(other) - mine(one));
  const heads = [["quantity"], ["readAt"], ["value", "n"]].map(([words, kind]) =>
    node("th", { scope: "col", ...(kind && { class: kind }) }, t(words)));
  const body = rows.map((each) => node("tr", {},
    node("td", {}, text.quantity(each.quantity)), node("td", {}, when(each.at)),
    node("td", { class: "n" }, `${plain(each.value)} ${text.unit(each.unit)}`,
      ...(each.revised ? [node("span", { class: "chip" }, t("revised"))] : []))));
  $("lasts").replaceChildren(rows.length
    ? node("table", { "aria-label": t("last") }, node("thead", {}, node("tr", {}, ...heads)), node("tbody", {}, ...body))
    : node("p", { class: "note" }, t("none")));
}

function showOutcome() {
  const [words, kind, ...values] = outcome ?? ["", ""];
  $("outcome").className = `words ${kind}`;
  fill($("outcome"), (...each) => (outcome ? t(words, ...each) : ""), ...values);
}

function showWords() {
  showPlainWords();
  document.title = `${t("entry")} · Parkwatt`;
  for (const each of $("quantity").options) each.textContent = text.quantity(each.value);
  const known = quantities.find((each) => each.name === $("quantity").value);
  $("value-label").textContent = known ? `${t("value")} [${text.unit(known.unit)}]` : t("value");
  $("zone-note").textContent = park ? t("zoneOf", park.zone) : "";
  showOutcome();
  if (park) showLast();
}

async function load() {
  last = null;
  const meter = chosen();
  if (meter) {
    const query = new URLSearchParams({ enterprise: meter.enterprise, meter: meter.code, limit: "6" });
    last = await ask(`${base(park.code)}/readings/last?${query}`);
  }
}

async function choose() {
  clear();
  try {
    await load();
    const first = last?.rows.find((each) => each.kind === "register");
    if (first) $("quantity").value = first.quantity;
    say(null);
  } catch (error) { say(error.message); }
  showWords();
}

function clear() {
  $("doubt").hidden = true;
  outcome = null;
  showOutcome();
}

async function store(confirm) {
  clear();
  const at = instant($("at").value, park.zone);
  const typed = $("value").value.trim();
  if (at === null) outcome = ["noSuchTime", "bad", park.zone];
  else if (!/^[+-]?\d+(\.\d+)?$/.test(typed)) outcome = ["noNumber", "bad"];
  if (outcome) { showOutcome(); return; }
  $("store").disabled = true;
  try {
    const meter = chosen();
    const { status, body } = await send(`${base(park.code)}/readings`, {
      enterprise: meter.enterprise, meter: meter.code, quantity: $("quantity").value, at,
      value: Number(typed), who: $("who").value, confirm,
    });
    const code = body.error?.code;
    if (code === "implausible") {
      $("doubts").replaceChildren(...body.error.detail.map((each) => node("li", {}, doubt(each))));
      $("doubt").hidden = false;
      $("confirm").focus();
      return;
    }
    if (code === "conflict") outcome = ["clash", "warn", plain(body.error.detail.stored)];
    else if (code) outcome = ["refused", "bad", body.error.message];
    else outcome = [status === 201 ? "stored" : "known2", "good", `${plain(body.value)} ${text.unit(body.unit)}`];
    if (status === 201) $("value").value = "";
    await load();
  } catch (error) {
    outcome = ["refused", "bad", error.message];
  } finally {
    $("store").disabled = false;
    showWords();
  }
}

function doubt({ kind, at, value, rate, usual }) {
  if (kind === "falls") return t("falls", plain(value), when(at));
  return t("rises", plain(rate), plain(usual));
}

async function open(code) {
  park = parks.find((each) => each.code === code) ?? null;
  if (!park) { say(t("noParks")); return; }
  $("park").value = code;
  $("back").href = `/parks/${encodeURIComponent(code)}`;
  $("at").value = now(park.zone);
  meters = (await ask(`${base(park.code)}/meters?confirmed=true`)).rows;
  $("meter").replaceChildren(...meters.map((each, i) =>
    node("option", { value: String(i), ...(each.virtual ? { disabled: "" } : {}) },
      `${each.enterprise} / ${each.code}${each.name === each.code ? "" : ` ${each.name}`}${each.virtual ? ` · ${t("virtual")}` : ""}`)));
  $("meter").value = String(Math.max(0, meters.findIndex((each) => !each.virtual)));
  await choose();
  document.body.dataset.ready = code;
}

async function begin() {
  showWords();
  try {
    quantities = (await ask("/api/v1/quantities")).rows.filter((each) => each.kind === "register");
    $("quantity").replaceChildren(...quantities.map((each) => node("option", { value: each.name })));
    const found = await chooseFrom();
    parks = found.parks;
    await open(found.code);
  } catch (error) { say(error.message); }
}

$("park").addEventListener("change", (event) => {
  history.pushState(null, "", `/parks/${encodeURIComponent(event.target.value)}/entry`);
  open(event.target.value).catch((error) => say(error.message));
});
$("meter").addEventListener("change", choose);
$("quantity").addEventListener("change", () => { clear(); showWords(); });
for (const id of ["at", "value", "who"]) $(id).addEventListener("input", clear);
$("form").addEventListener("submit", (event) => { event.preventDefault(); store(false); });
$("confirm").addEventListener("click", () => store(true));
$("cancel").addEventListener("click", clear);
onLanguage(() => { clear(); showWords(); });
addEventListener("popstate", begin);
begin();
