// What every page has: nodes, tables, questions to the API, the banner, the languages.

import { told } from "./problem.js";
import * as text from "./text.js";

export const { t } = text;
export const $ = (id) => document.getElementById(id);

export const node = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

export const cell = (content, kind = "") => node("td", kind ? { class: kind } : {}, ...[content].flat());
export const code = (words) => node("span", { class: "code" }, words);

export function table(into, caption, heads, rows) {
  const made = node("table", { "aria-label": caption },
    node("thead", {}, node("tr", {}, ...heads.map(([words, kind]) =>
      node("th", { scope: "col", ...(kind && { class: kind }) }, words)))),
    node("tbody", {}, ...rows));
  into.replaceChildren(made);
}

// a bar below a name, as long as its share of the longest
export function bar(value, most) {
  const fill = node("i");
  fill.style.width = `${100 * Math.max(0, value ?? 0) / most}%`;
  return node("div", { class: "bar" }, fill);
}

// words with those values that are messages in the reader's language, and their own words in small
export function fill(into, words, ...values) {
  const said = values.map((each) => (typeof each === "string" ? told(each) : [each, ""]));
  const own = said.flatMap(([, each]) => (each ? [" ", node("small", { class: "own-words", lang: "en" }, each)] : []));
  into.replaceChildren(words(...said.map(([each]) => each)), ...own);
}

let banner = null;

export function say(message) {
  banner = message || null;
  $("banner").hidden = banner === null;
  if (banner === null) $("banner").replaceChildren();
  else fill($("banner"), (each) => each, banner);
}

// while the figures of another choice are asked for, those that stand are old
export const busy = (waits) => document.querySelector("main").setAttribute("aria-busy", String(waits));

export async function send(path, body) {
  const answer = await fetch(path, body && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

export async function ask(path) {
  const { status, body } = await send(path);
  if (status !== 200) throw new Error(body.error.message);
  return body;
}

export const base = (park) => `/api/v1/parks/${encodeURIComponent(park)}`;

const PAGES = [["", "live"], ["/peaks", "peaks"], ["/carbon", "carbon"], ["/intensity", "intensity"], ["/bills", "bills"], ["/entry", "entry"], ["/statements", "statements"]];

// links to all pages of the park; an enterprise's own page has none
function showPages() {
  const place = $("pages");
  if (!place) return;
  place.setAttribute("aria-label", t("pages"));
  const asked = /^\/parks\/([^/]+)/.exec(location.pathname);
  const park = $("park")?.value ? encodeURIComponent($("park").value) : asked?.[1];
  const here = asked ? location.pathname.slice(asked[0].length) : location.pathname.replace(/^\/$/, "");
  place.replaceChildren(...PAGES.map(([path, words]) => node("a", {
    href: park ? `/parks/${park}${path}` : path || "/", ...(path === here && { "aria-current": "page" }),
  }, t(words))));
}

export function showWords() {
  showPages();
  say(banner);
  document.documentElement.lang = text.current() === "zh" ? "zh-CN" : "en";
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll("[data-language]")) {
    each.setAttribute("aria-pressed", String(each.dataset.language === text.current()));
  }
}

export function onLanguage(show) {
  for (const each of document.querySelectorAll("[data-language]")) {
    each.addEventListener("click", () => { text.choose(each.dataset.language); show(); });
  }
}

// the park that the address names, or the first; null where there is none
export async function chooseFrom() {
  const parks = (await ask("/api/v1/parks")).rows;
  $("park").replaceChildren(...parks.map((each) => node("option", { value: each.code }, `${each.name} (${each.code})`)));
  const asked = /^\/parks\/([^/]+)/.exec(location.pathname);
  const code = asked ? decodeURIComponent(asked[1]) : parks[0]?.code ?? null;
  if (code !== null) $("park").value = code;
  return { parks, code };
}

// calls `take` with each live object, and `lost` when the connection is
export function follow(park, take, lost) {
  let source = null;
  let again = 0;
  const begin = () => {
    const mine = new EventSource(`${base(park)}/stream`);
    source = mine;
    let wasLost = false;
    mine.addEventListener("live", (event) => take(JSON.parse(event.data)));
    mine.addEventListener("open", async () => {
      if (wasLost) take(await ask(`${base(park)}/live`)); // what was missed meanwhile
      wasLost = false;
    });
    mine.addEventListener("error", () => {
      if (source !== mine) return;
      wasLost = true;
      lost();
      // a browser gives up on an answer that is an error; we do not
      if (mine.readyState === EventSource.CLOSED) again = setTimeout(() => source === mine && begin(), 3000);
    });
  };
  begin();
  return () => { source?.close(); source = null; clearTimeout(again); };
}
