// "Why this number?": a dialog with all that a figure rests on.

import { $, cell, fill, node, send, t, table } from "./page.js";
import * as text from "./text.js";

let place = null;

function dialog() {
  if (!place) {
    place = node("dialog", { id: "why", "aria-labelledby": "why-title" });
    document.body.append(place);
    place.addEventListener("click", (event) => event.target === place && place.close());
  }
  return place;
}

const amount = (value) => (value === null || value === undefined ? "–" : text.number(value, Math.abs(value) < 10 ? 5 : Math.abs(value) < 1e6 ? 2 : 0));

function lines(rows) {
  const into = node("div", { class: "scroll", tabindex: "0" });
  table(into, t("restsOn"), [[t("part_")], [t("origin")], [t("amountHead"), "n"], [t("factorHead"), "n"], [t("factorCode")], [t("result"), "n"], [t("rule")]],
    rows.map((each) => {
      const value = each.factor_value ?? null;
      const counted = each.counts === false ? t("listedBeside") : text.said(each.rule ?? "");
      return node("tr", {}, cell(text.quantity(each.carrier ?? "")), cell(t(`origin ${each.origin}`) ?? each.origin ?? ""),
        cell(`${amount(each.amount)} ${text.unit(each.unit ?? "")}`, "n"), cell(value === null ? "" : `${value} ${each.factor_unit ?? ""}`, "n"),
        cell(each.factor ?? ""), cell(amount(each.result_t), "n"), cell(counted));
    }));
  return into;
}

// a day as it is said; an instant, also as the database writes it, in the park's zone
const local = (at, zone) => (!at || at.length <= 10 ? at ?? "" : text.moment(at.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"), zone));

function grounds(title, rows, zone) {
  if (!rows?.length) return [];
  const into = node("div", { class: "scroll", tabindex: "0" });
  table(into, title, [[t("what")], [t("validFrom")], [t("source")], [t("recordedAt")]], rows.slice(0, 50).map((each) =>
    node("tr", {}, cell([...(each.enterprise ? [node("span", { class: "code" }, each.enterprise)] : []), t(`what ${each.what}`) ?? text.said(each.what ?? each.kind)]),
      cell(local(each.valid_from, zone)), cell([each.why, each.who].filter(Boolean).map(text.source).join(" · ")), cell(local(each.recorded_at, zone)))));
  return [node("h3", {}, `${title} (${rows[0].total ?? rows.length})`), into];
}

function arrived(readings) {
  if (!readings) return [];
  return [node("h3", {}, t("readingsHead")), node("p", { class: "note" },
    t("arrivedWords", text.number(readings.readings), text.number(readings.batches), (readings.sources ?? []).map(text.source).join(", ")))];
}

function explained(found, figure) {
  return [
    node("p", { class: "note" }, t(`formula ${figure}`) ?? found.formula), node("h3", {}, t("restsOn")), lines(found.lines ?? []),
    ...grounds(t("factorsHead"), found.factors, found.zone), ...grounds(t("statementsHead"), found.statements, found.zone), ...grounds(t("greenHead"), found.green, found.zone),
    ...grounds(t("membershipHead"), found.membership, found.zone), ...grounds(t("correctionsHead"), found.corrections, found.zone), ...arrived(found.readings),
  ];
}

// of a ratio: the added value below the line, as the page has it
function below(of) {
  if (!of) return [];
  const words = of.amount === null ? t("addedValueUnknown", (of.missing ?? []).join(", ")) : t("addedValueWords", text.number(of.amount, 2), (of.statement_ids ?? []).join(", "));
  const how = (of.how ?? []).map((each) => t(`how ${each}`) ?? each).join(", ");
  return [node("h3", {}, t("dividedBy")), node("p", { id: "why-below" }, [words, how].filter(Boolean).join(" · "))];
}

// of /figures: the lines of the account
function told(found, kind, method) {
  return [node("h3", {}, t("restsOn")), lines(found.parentage[kind][method] ?? []),
    node("p", { class: "note" }, t("coverageWords", `${text.known(found.coverage)}\u00a0%`)),
    ...found.errors.map((each) => node("p", { class: "words bad" }, each))];
}

// a figure with all that it rests on
async function rests(asked, figure, method) {
  const query = new URLSearchParams({ from: asked.from, to: asked.to, ...(asked.enterprise && { enterprise: asked.enterprise }) });
  const full = await send(`${asked.base}/explain?figure=${encodeURIComponent(`${figure}.${method}`)}&${query}`);
  if (full.status === 200) return [full.body.value, explained(full.body, figure)];
  const { status, body } = await send(`${asked.base}/figures?${query}&grain=month`);
  if (status !== 200) throw new Error(body.error.message);
  return [body[figure][method], told(body, figure, method)];
}

// asked: { base, figure: "co2_t", method, from, to, enterprise }; of a ratio `shown` has value, unit, and what is
// below the line: `below`, the added value, or `per`, [figure, method] with a parentage of its own
async function answer(asked, shown) {
  const tonnes = (figure) => (figure === "tce" ? "tce" : "tCO₂");
  const [whole, parts] = await rests(asked, asked.figure, asked.method);
  const above = node("p", { class: "note", id: "why-above" }, `${amount(whole)} ${tonnes(asked.figure)}`);
  if (shown.per) {
    const [figure, method] = shown.per;
    const [under, its] = await rests(asked, figure, method);
    return [shown.value, shown.unit, [above, ...parts, node("h2", {}, t("dividedByEnergy", method)), node("p", { class: "note", id: "why-below" }, `${amount(under)} ${tonnes(figure)}`), ...its]];
  }
  if (shown.below === undefined) return [whole, tonnes(asked.figure), parts];
  return [shown.value, shown.unit, [above, ...below(shown.below), ...parts]];
}

function framed(title, notes, body) {
  const box = dialog();
  const close = node("button", { type: "button", class: "plain", id: "why-close" }, t("close"));
  close.addEventListener("click", () => box.close());
  box.replaceChildren(node("div", { class: "head" }, node("h2", { id: "why-title" }, title), close), node("p", { class: "note" }, notes.filter(Boolean).join(" · ")), body);
  box.showModal();
  return box;
}

// what the page knows already
function tell(title, notes, ...parts) {
  framed(title, notes, node("div", { id: "why-body" }, ...parts)).dataset.ready = "told";
}

async function why(title, asked, shown) {
  const body = node("div", { id: "why-body", "aria-live": "polite" }, node("p", { class: "note" }, t("asking")));
  const box = framed(title, [asked.enterprise, `${asked.from} – ${asked.to}`, asked.method && text.said(asked.method), ...(shown.notes ?? [])], body);
  delete box.dataset.ready;
  try {
    const [value, unit, parts] = await answer(asked, shown);
    body.replaceChildren(node("p", { class: "big small" }, node("output", { id: "why-value" }, amount(value)), " ", node("span", { class: "unit" }, unit)), ...parts);
  } catch (error) {
    const said = node("p", { class: "words bad" });
    fill(said, (each) => each, error.message);
    body.replaceChildren(said);
  }
  box.dataset.ready = asked.figure;
}

// a button that opens it; `find` gives [title, asked, shown], or [title, notes, node], when it is pressed
export function whyButton(into, label, find) {
  const button = node("button", { type: "button", class: "why", "aria-haspopup": "dialog", "aria-label": `${t("whyThis")} ${label}` }, t("whyThis"));
  button.addEventListener("click", () => {
    const found = find();
    if (Array.isArray(found[1])) tell(...found);
    else why(...found);
  });
  (typeof into === "string" ? $(into) : into).replaceChildren(button);
  return button;
}
