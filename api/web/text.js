// Words and numbers in two languages; the choice is remembered.

const WORDS = {
  en: {
    park: "Park", power: "Park power now", peak: "Peak today", energy: "Energy today",
    energyNote: "closed 15-minute windows", coverage: "Data known today",
    demand: "Today's demand · fixed 15-minute windows", closed: "closed window",
    part: "partly known", running: "running window, mean so far", shares: "Enterprises now",
    last: "Last readings", filter: "Filter readings", filterHint: "Enterprise, meter or quantity",
    api: "API description", health: "Health", metrics: "Metrics", showTable: "Show as table",
    showChart: "Show as chart", enterprise: "Enterprise", share: "Share", meter: "Meter",
    quantity: "Quantity", value: "Value", age: "Age", window: "Window", known: "Known",
    contract: "Contract demand", ninety: "90 % of contract", live: "Live", lost: "Connection lost, trying again",
    connecting: "Connecting", unconfirmed: "unconfirmed", notCounted: "sub-meter", late: "late",
    noContract: "No contract demand is recorded", none: "no data yet", noParks: "There is no park yet. Import readings or start the demo, then reload.",
    ok: "within the contract", near: "near the contract limit", over: "above the contract",
    ofContract: (s, c) => `${s} of the contract demand of ${c} kW`,
    short: (s) => `${s} of contract`,
    heard: (n, of) => `${n} of ${of} meters heard`, incomplete: "incomplete, so no shares are stated",
    ago: (t) => `newest reading ${t} ago`, at: (t) => `at ${t}`, more: (n, of) => `${n} of ${of} readings shown`,
    allMeasured: "all of it measured", measured: (m) => `${m} measured, the rest estimated or missing`, sofar: "so far", zone: (z, d) => `${d} · times in ${z}`,
    entry: "Type a reading", readAt: "Read at", who: "Read by", store: "Store", confirm: "It is right, store it",
    cancel: "Correct it", doubtful: "This looks wrong; nothing is stored yet:", revised: "corrected",
    virtual: "virtual, has no readings",
    zoneOf: (z) => `Local time of the park, ${z}. Only registers of confirmed meters are typed here.`,
    falls: (v, at) => `The register would fall: it reads ${v} at ${at}.`,
    rises: (r, u) => `The rate would be ${r} an hour; lately it was at most ${u}.`,
    stored: (v) => `Stored: ${v}`, known2: (v) => `The same reading is there already: ${v}`,
    clash: (v) => `Another value is stored and stays: ${v}. A revision settles the conflict.`,
    refused: (why) => `Not stored. ${why}`, noNumber: "The value is not a number such as 12345.6",
    noSuchTime: (z) => `The clock of ${z} skips or repeats this time`,
    conflicts: (n) => `${n < 100 ? n : "100 or more"} ${n === 1 ? "reading contradicts" : "readings contradict"} what is stored and changed nothing: settle by a correction`,
    peaks: "Peaks", expectedEnd: "This window is on course for", soFar: "Energy so far", left: "Left of the window",
    shed: "To drop until its end", knownMinutes: (n) => `of ${n} known minutes`,
    band: (low, high) => `8 of 10 such windows end between ${low} and ${high} kW`, noBand: "too little is known of such windows for a range",
    noForecast: "nothing is known of the running window", "shed unknown": "unknown",
    "shed needed": "to stay at the contract demand", "shed impossible": "the contract demand is exceeded already",
    drop: (kw, min) => `Drop ${kw} kW for the ${min} min that are left`, nothingToDrop: "Nothing needs to be dropped",
    tooLate: "What is used already exceeds the contract: dropping all load cannot prevent it", noMinutes: "no minute of it is known yet",
    expectedBand: "expected end, 8 of 10 within", knownToday: (s) => `${s} % of today is known`, unknownCell: "unknown",
    durationNote: (s) => `over the ${s} of windows that are known`, atLeast: "at least kW", hours: "for hours",
    transformer: (high, mean, kva, known, over) => `Transformer: at most ${high}, on average ${mean} of ${kva} kVA, above 100 % for ${over} h; known ${known} %`,
    from: "First day", until: "Last day", charge: "Demand charge to divide [CNY]", show: "Show",
    madeBy: "Who made the peak", topPeaks: "Highest peaks", askFirst: "Whom to ask first", duration: "Load duration curve",
    dayMap: "Mean power by day and hour", inPeak: "kW in the peak", ownPeak: "Own peak kW", ownAt: "at", unmetered: "Unmetered",
    byCoincident: "by share in the peak", byOwn: "by own peak", byShapley: "by Shapley value", ofContractHead: "of contract",
    reducible: "could drop kW", together: "together kW", noCandidates: "nothing is known yet: it takes four weeks of like days",
    madeNote: (kw, at, c, d, n) => `Peak ${kw} kW in the ${n} minutes from ${at} · coincidence ${c} · diversity ${d}`,
    tooLittle: (s) => `Only ${s} of this period is known: too little to say who made its peak, or how demand lay around it.`,
    knownShare: (s) => `${s} of the time is known in`, "windows fixed": (n) => `fixed windows of ${n} minutes`,
    "windows sliding": (n) => `sliding windows of ${n} minutes`, lowerBound: "the peak is a lower bound: a higher one may be unknown", noSliding: "sliding windows: not known, the fixed ones are a lower bound",
    littleSliding: (s) => `sliding windows: known for ${s} of the time, the fixed ones are a lower bound`,
    sliding: (kw, at, s) => `highest sliding window ${kw} kW from ${at}, known for ${s} of the time`,
    durationWords: (high, low, h) => `from ${high} kW down to ${low} kW over ${h} hours`,
    mapWords: (n, kw) => `${n} days by 24 hours, at most ${kw} kW`, mapScale: (kw) => `darkest: ${kw} kW; hatched: unknown`,
    bills: "Bills", firstMonth: "First month", lastMonth: "Last month", tariff: "Tariff", method: "Basic charge", capacityKva: "Capacity [kVA]",
    wholePark: "Whole park", asStated: "as stated", billTotal: "Total", "by capacity": "By capacity", "by contract": "By contract demand",
    "by demand": "By actual demand", cheapest: "cheapest", bestContract: (kw) => `a contract of ${kw} kW would have cost least`,
    lowestContract: (kw) => `at least ${kw} kW must be agreed, by the capacity stated`,
    billLine: "Line", price: "Price", rule: "Rule", source: "Source", critical: "Critical", peak_: "Peak", flat: "Flat", valley: "Valley",
    deep_valley: "Deep valley", "line fund": "Funds", "line basic": "Basic charge", "line power_factor": "Power factor",
    knownPart: (cny) => `known lines ${cny} CNY; no total, as something is unknown`, knownOfMonth: (s) => `${s} % of the energy is known`,
    notOver: "the month is not over", noTerms: "for some days nothing says how they are billed", outside: "the tariff did not hold then",
    examples: "the prices are examples", assumed: "under the terms asked for", stated: "as stated",
    s: "s", min: "min", h: "h", d: "d",
  },
  zh: {
    park: "园区", power: "园区当前功率", peak: "今日最大需量", energy: "今日用电量",
    energyNote: "已结束的15分钟时段", coverage: "今日数据完整率",
    demand: "今日需量 · 固定15分钟", closed: "已结束时段",
    part: "数据不全", running: "进行中时段(至今平均)", shares: "各企业当前功率",
    last: "最新读数", filter: "筛选读数", filterHint: "企业、电表或量",
    api: "接口说明", health: "运行状态", metrics: "监控指标", showTable: "以表格显示",
    showChart: "以图形显示", enterprise: "企业", share: "占比", meter: "表计",
    quantity: "量", value: "数值", age: "距今", window: "时段", known: "完整率",
    contract: "合同需量", ninety: "合同需量的90 %", live: "实时", lost: "连接中断,正在重连",
    connecting: "正在连接", unconfirmed: "未确认", notCounted: "分表", late: "数据滞后",
    noContract: "未登记合同需量", none: "暂无数据", noParks: "还没有园区。请导入读数或启动演示,然后刷新页面。",
    ok: "在合同需量以内", near: "接近合同需量", over: "超过合同需量",
    ofContract: (s, c) => `占合同需量 ${c} kW 的 ${s}`,
    short: (s) => `合同需量的 ${s}`,
    heard: (n, of) => `${of} 块表中 ${n} 块在线`, incomplete: "数据不全,不列占比",
    ago: (t) => `最新读数 ${t}前`, at: (t) => `${t}`, more: (n, of) => `显示 ${of} 条读数中的 ${n} 条`,
    allMeasured: "全部为实测", measured: (m) => `实测 ${m},其余为估算或缺失`, sofar: "至今", zone: (z, d) => `${d} · 时区 ${z}`,
    entry: "录入读数", readAt: "抄表时间", who: "抄表人", store: "保存", confirm: "无误,保存",
    cancel: "修改", doubtful: "数值可疑,尚未保存:", revised: "已更正",
    virtual: "虚拟表,无读数",
    zoneOf: (z) => `园区当地时间,${z}。此处只录入已确认表计的累计读数。`,
    falls: (v, at) => `读数会下降:${at} 的读数为 ${v}。`,
    rises: (r, u) => `每小时将增加 ${r},近期最多为 ${u}。`,
    stored: (v) => `已保存:${v}`, known2: (v) => `相同读数已存在:${v}`,
    clash: (v) => `已存有另一数值并保留:${v}。可用更正解决冲突。`,
    refused: (why) => `未保存。${why}`, noNumber: "数值应为 12345.6 这样的数字",
    noSuchTime: (z) => `${z} 的时钟跳过或重复了这一时刻`,
    conflicts: (n) => `${n < 100 ? n : "100 条或更多"} 条读数与已存数值不一致,未改动:请以更正处理`,
    peaks: "峰值", expectedEnd: "本时段预计需量", soFar: "本时段已用电量", left: "本时段剩余",
    shed: "时段结束前需压减", knownMinutes: (n) => `已知 ${n} 分钟`,
    band: (low, high) => `同类时段十有八次在 ${low} 至 ${high} kW 之间`, noBand: "同类时段数据太少,不给区间",
    noForecast: "本时段暂无数据", "shed unknown": "未知",
    "shed needed": "以不超过合同需量", "shed impossible": "已超过合同需量",
    drop: (kw, min) => `剩余 ${min} 分钟内须压减 ${kw} kW`, nothingToDrop: "无需压减",
    tooLate: "已用电量超过合同需量,全部停用也无法避免", noMinutes: "本时段尚无已知分钟",
    expectedBand: "预计结束值及八成区间", knownToday: (s) => `今日数据完整率 ${s} %`, unknownCell: "未知",
    durationNote: (s) => `按已知的 ${s} 时段`, atLeast: "不低于 kW", hours: "小时数",
    transformer: (high, mean, kva, known, over) => `变压器(${kva} kVA)最高负载率 ${high},平均 ${mean},超过100 % 共 ${over} 小时;完整率 ${known} %`,
    from: "起始日", until: "截止日", charge: "待分摊需量电费 [元]", show: "查看",
    madeBy: "峰值由谁造成", topPeaks: "最高峰值", askFirst: "优先协商压减", duration: "负荷持续曲线",
    dayMap: "日—时平均功率", inPeak: "峰时 kW", ownPeak: "自身最大 kW", ownAt: "时间", unmetered: "未计量",
    byCoincident: "按峰时份额", byOwn: "按自身最大需量", byShapley: "按Shapley值", ofContractHead: "占合同",
    reducible: "可压减 kW", together: "累计 kW", noCandidates: "暂无:需要四周的同类日数据",
    madeNote: (kw, at, c, d, n) => `峰值 ${kw} kW,自 ${at} 起${n}分钟 · 同时率 ${c} · 分散系数 ${d}`,
    tooLittle: (s) => `本期数据完整率仅 ${s},不足以判断峰值由谁造成及负荷分布。`,
    knownShare: (s) => `已知 ${s},按`, "windows fixed": (n) => `固定${n}分钟时段`,
    "windows sliding": (n) => `滑差${n}分钟时段`, lowerBound: "峰值为下限:更高者可能未知", noSliding: "滑差需量未知,固定窗口为其下限",
    littleSliding: (s) => `滑差需量仅已知 ${s},固定窗口为其下限`,
    sliding: (kw, at, s) => `最大滑差需量 ${kw} kW,自 ${at} 起,已知 ${s}`,
    durationWords: (high, low, h) => `${h} 小时内自 ${high} kW 降至 ${low} kW`,
    mapWords: (n, kw) => `${n} 天 × 24 小时,最高 ${kw} kW`, mapScale: (kw) => `最深:${kw} kW;斜纹:未知`,
    bills: "电费账单", firstMonth: "起始月份", lastMonth: "结束月份", tariff: "电价", method: "基本电费方式", capacityKva: "容量 [kVA]",
    wholePark: "整个园区", asStated: "按登记", billTotal: "合计", "by capacity": "按容量", "by contract": "按合同需量",
    "by demand": "按实际需量", cheapest: "最省", bestContract: (kw) => `合同需量 ${kw} kW 时费用最低`,
    lowestContract: (kw) => `按登记容量,合同需量不得低于 ${kw} kW`,
    billLine: "项目", price: "单价", rule: "规则", source: "依据", critical: "尖", peak_: "峰", flat: "平", valley: "谷",
    deep_valley: "深谷", "line fund": "基金及附加", "line basic": "基本电费", "line power_factor": "力调电费",
    knownPart: (cny) => `已知项目 ${cny} 元;有未知项,不给合计`, knownOfMonth: (s) => `电量数据完整率 ${s} %`,
    notOver: "本月未结束", noTerms: "部分日期未登记计费方式", outside: "当时该电价不适用",
    examples: "单价为示例", assumed: "按所选条件试算", stated: "按登记条件",
    s: "秒", min: "分钟", h: "小时", d: "天",
  },
};

const QUANTITIES_ZH = {
  energy_import: "有功电量(正向)", energy_export: "有功电量(反向)", reactive_energy_q1: "无功电量 Ⅰ象限",
  reactive_energy_q2: "无功电量 Ⅱ象限", reactive_energy_q3: "无功电量 Ⅲ象限", reactive_energy_q4: "无功电量 Ⅳ象限",
  power: "有功功率", reactive_power: "无功功率", apparent_power: "视在功率", voltage: "电压",
  voltage_a: "A相电压", voltage_b: "B相电压", voltage_c: "C相电压", current: "电流", current_a: "A相电流",
  current_b: "B相电流", current_c: "C相电流", power_factor: "功率因数", frequency: "频率",
  natural_gas: "天然气", natural_gas_flow: "天然气流量", water: "新水", water_flow: "新水流量",
  wastewater: "废水", wastewater_flow: "废水流量", steam: "蒸汽", steam_flow: "蒸汽流量", heat: "热量",
  heat_flow: "热流量", compressed_air: "压缩空气", compressed_air_flow: "压缩空气流量", coal: "原煤",
  coke: "焦炭", fuel_oil: "燃料油", diesel: "柴油", gasoline: "汽油", lpg: "液化石油气", lng: "液化天然气",
  pv_generation: "光伏发电量", storage_charge: "储能充电量", storage_discharge: "储能放电量",
  storage_power: "储能功率", state_of_charge: "荷电状态", charging_energy: "充电桩电量", charging_power: "充电桩功率",
};

const UNITS = {
  kwh: "kWh", kvarh: "kvarh", kw: "kW", kvar: "kvar", kva: "kVA", v: "V", a: "A", hz: "Hz",
  percent: "%", m3: "m³", m3_h: "m³/h", t: "t", t_h: "t/h", gj: "GJ", gj_h: "GJ/h",
};

let language = localStorage.getItem("parkwatt.language")
  ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export const current = () => language;
export const t = (key, ...values) => {
  const words = WORDS[language][key];
  return typeof words === "function" ? words(...values) : words;
};

export function choose(next) {
  language = next;
  localStorage.setItem("parkwatt.language", next);
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(value);
}

export const kw = (value) => number(value, value !== null && Math.abs(value) < 100 ? 1 : 0);
export const percent = (share, digits = 0) => (share === null ? "–" : `${number(100 * share, digits)}\u00a0%`);
// a known share never rounds up to all
export const known = (share) => (share === null ? "–" : number(Math.floor(1000 * share) / 10, 1));
export const unit = (code) => UNITS[code] ?? code;

export function quantity(name) {
  return (language === "zh" && QUANTITIES_ZH[name]) || name.replaceAll("_", " ");
}

export function age(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} ${t("s")}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${t("min")}`;
  if (s < 172800) return `${Math.floor(s / 3600)} ${t("h")}`;
  return `${Math.floor(s / 86400)} ${t("d")}`;
}

export function clock(time, zone, seconds = false) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }),
  }).format(new Date(time));
}

export function moment(time, zone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(new Date(time));
}

export function day(text) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeZone: "UTC" }).format(new Date(text));
}
