// Intensity: the park from month to year against its target, and who stands where; for managers.

import { switched } from "./ordinal.js";
import { $, ask, bar, base, busy, cell, chooseFrom, code, node, onLanguage, say, showWords, t, table } from "./page.js";
import { begins, choices, chosen, clearAnswers, intensity, lastOver, load, month, showAnswers, showMonths, showPollutants, SPANS, unitOf } from "./ratios.js";
import * as text from "./text.js";
import { whyButton } from "./why.js";

let park = null;
let known = null;
let names = {};
let found = null;
let rank = null;
let label = () => {};
let turn = 0; // of questions; the answer of an earlier one comes too late

function showRanking() {
  const [kind, method] = chosen();
  const placed = rank.rows.filter((each) => each.place !== null);
  const most = Math.max(...placed.map((each) => each.value), 1e-12);
  $("ranking-note").textContent = [rank.period, t("rankedOf", rank.ranked, rank.rows.length), t("lowestFirst")].join(" · ");
  $("unranked-note").textContent = !rank.rows.length ? t("none") : rank.rows.length > placed.length ? t("nobodyDropped") : t("everybodyHasPlace");
  table($("ranking"), t("ranking"), [[t("place"), "n"], [t("enterprise")], [t("intensityHead"), "n"], [t("addedValue"), "n"], [t("itIs")], [t("known"), "n"], [""]],
    placed.map((each) => {
      const own = node("a", { href: `/parks/${encodeURIComponent(park)}/enterprises/${encodeURIComponent(each.enterprise)}/intensity` }, names[each.enterprise] ?? each.enterprise);
      const button = node("span");
      const title = `${names[each.enterprise] ?? each.enterprise} · ${t(`figure ${kind}/${method}`)}`;
      whyButton(button, title, () => [title, { base: base(park), figure: kind, method, from: begins($("span").value, $("until").value), to: month($("until").value, 1), enterprise: each.enterprise },
        { unit: unitOf(kind), value: each.value, below: { amount: each.denominator, how: each.how } }]);
      const state = each.estimated ? t("estimatedValue") : each.provisional ? t("provisionalValue") : t("statedYear");
      return node("tr", { "data-enterprise": each.enterprise }, cell(String(each.place), "n"), cell([code(each.enterprise), own, bar(each.value, most)]),
        cell(intensity(each.value), "n"), cell(text.number(each.denominator, 1), "n"), cell(state), cell(`${text.known(each.coverage)}\u00a0%`, "n"), cell(button));
    }));
  table($("unranked"), t("withoutPlace"), [[t("enterprise")], [t("whyHead")], [t("known"), "n"]], rank.rows.filter((each) => each.place === null).map((each) =>
    node("tr", { "data-enterprise": each.enterprise }, cell([code(each.enterprise), names[each.enterprise] ?? ""]), cell(t(`reason ${each.reason}`) ?? each.reason),
      cell(`${text.known(each.coverage)}\u00a0%`, "n"))));
  $("unranked").hidden = rank.rows.length === placed.length;
}

function show() {
  showWords();
  document.title = `${t("intensity")} · Parkwatt`;
  choices();
  const span = $("span").value || "month";
  $("span").replaceChildren(...SPANS.map((each) => node("option", { value: each }, t(each === "month" ? "monthOne" : each === "year_to_date" ? "yearToDate" : "rolling12"))));
  $("span").value = span;
  label();
  $("zone").textContent = known ? t("zone", known.zone, known.name) : "";
  if (!found) return;
  showAnswers(found, $("until").value, base(park), null);
  showMonths(found);
  showPollutants(found);
  if (rank) showRanking();
}

async function askAll() {
  const until = $("until").value;
  if (!until) return;
  delete document.body.dataset.ready;
  const mine = ++turn;
  busy(true);
  try {
    const news = await load(base(park), until);
    const [figure, method] = chosen();
    const first = begins($("span").value, until).slice(0, 7);
    const query = new URLSearchParams({ period: first === until ? until : `${first}..${until}`, figure, figure_method: method });
    const places = await ask(`${base(park)}/intensity/ranking?${query}`);
    if (mine !== turn) return;
    [found, rank] = [news, places];
    $("to-csv").href = `${base(park)}/intensity/ranking?${query}&format=csv`;
    say(null);
  } catch (error) {
    if (mine !== turn) return;
    found = rank = null;
    clearAnswers();
    for (const id of ["ranking", "unranked", "ranking-note", "unranked-note"]) $(id).replaceChildren();
    say(error.message);
    return;
  } finally {
    if (mine === turn) busy(false);
  }
  show();
  document.body.dataset.ready = park;
}

async function begin() {
  onLanguage(show);
  label = switched("months", show);
  show();
  const { parks, code: asked } = await chooseFrom();
  if (asked === null) return say(t("noParks"));
  park = asked;
  $("back").href = `/parks/${encodeURIComponent(park)}`;
  known = parks.find((each) => each.code === park);
  $("until").value = new URLSearchParams(location.search).get("until") ?? lastOver(known?.zone ?? "UTC");
  names = Object.fromEntries((await ask(`${base(park)}/enterprises`)).rows.map((each) => [each.code, each.name]));
  $("park").addEventListener("change", () => { location.href = `/parks/${encodeURIComponent($("park").value)}/intensity`; });
  $("asked").addEventListener("submit", (event) => event.preventDefault());
  for (const each of ["figure", "span", "until"]) $(each).addEventListener("change", askAll);
  return askAll();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
begin().catch((error) => say(error.message));
