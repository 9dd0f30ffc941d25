// Tables of the live object that more than one page shows.

import { bar, cell, code, node, t, table } from "./page.js";
import * as text from "./text.js";

export function demandTable(into, live) {
  const { today, park } = live;
  const rows = today.demand.map((each) => [each, each.demand_kw, ""]);
  if (today.running) rows.push([today.running, today.running.mean_kw, ` (${t("sofar")})`]);
  table(into, t("demand"), [[t("window")], ["kW", "n"], [t("known"), "n"]],
    rows.reverse().map(([each, value, words]) => node("tr", {},
      cell(text.clock(each.start, park.zone) + words), cell(text.kw(value), "n"),
      cell(text.percent(each.coverage), "n"))));
}

export function powerTable(into, live) {
  const most = Math.max(...live.enterprises.map((each) => each.kw ?? 0), 1);
  table(into, t("shares"), [[t("enterprise")], ["kW", "n"], [t("share"), "n"]],
    live.enterprises.map((each) => {
      const silent = each.meters_heard < each.meters_counted;
      const name = [code(each.enterprise), each.name];
      if (silent) name.push(node("span", { class: "chip" }, `${each.meters_heard}/${each.meters_counted}`));
      return node("tr", { "data-enterprise": each.enterprise },
        cell([...name, bar(each.kw, most)]),
        cell(text.kw(each.kw), "n"), cell(text.percent(each.share, 1), "n"));
    }));
}
