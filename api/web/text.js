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
    statements: "Statements", statedKind: "What", statedProduct: "Which product or pollutant",
    statedPeriod: "Month, quarter or year", statedUnit: "Unit", statedPrices: "Prices", priceBase: "Prices of the year",
    stage: "Stage", statedBy: "Stated by", statedSo: "Stated so far", theParkItself: "The park itself",
    statedNote: "A new statement of the same period and stage replaces the earlier one, which is kept. Final beats provisional.",
    provisional: "provisional", final: "final", current: "current prices", comparable: "comparable prices",
    pricesOf: (year) => `prices of ${year}`, statedAmount: "Amount", statedKnown: (v) => `The same is stated already: ${v}`,
    statedTemplate: "Workbook to fill in", statedFile: "Filled-in workbook or CSV",
    rowSays: (row, why) => `Row ${row}: ${why}`, statedRows: (n, fresh) => `Stored: ${n} rows, ${fresh} of them new`,
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
    pages: "Pages", carbon: "Carbon peak", intensity: "Intensity", methodOfCo2: "CO₂ counted by", peakState: "State", lastTwelve: "Last twelve months",
    carbonBudget: "Carbon budget, used so far", years: "Emissions by year", metered: "metered", statedYear: "stated", provisionalYear: "provisional, decides nothing",
    rollingTwelve: "Rolling twelve months", highestYear: "highest year", sideBySide: "Methods and scopes side by side", zeroCarbon: "Zero-carbon park, core indicator",
    whatMoved: "What moved the emissions", whyThis: "Why this number?", close: "Close", asking: "asking …", restsOn: "What it rests on", origin: "Origin", amountHead: "Amount",
    part_: "Carrier", factorHead: "Factor", factorCode: "Its code", result: "Result t", listedBeside: "listed beside the total", what: "What", validFrom: "Valid from", recordedAt: "Recorded",
    readingsHead: "Readings", arrivedWords: (n, b, s) => `${n} readings in ${b} batches from ${s}`, factorsHead: "Factors", statementsHead: "Statements", greenHead: "Green power",
    membershipHead: "Membership", correctionsHead: "Corrections", coverageWords: (s) => `${s} known`, dividedBy: "Divided by the added value",
    addedValue: "Added value [10⁴ CNY]", addedValueUnknown: (who) => `not known${who ? `: ${who}` : ""}`, addedValueWords: (v, ids) => `${v} × 10⁴ CNY${ids ? ` · statements ${ids}` : ""}`,
    "formula tce": "Σ amount × coefficient", "formula co2_t": "Σ amount × factor",
    "what counts for it": "counts for it", "what counts for another": "counts for another",
    "origin metered": "metered", "origin stated": "stated", "origin green": "proven green",
    "how scaled": "statement scaled to the one that counts (estimated)",
    "how stated": "stated", "how benchmarked": "benchmarked (estimated)", "how rate": "by the rate of a year (estimated)", "how extrapolated": "extrapolated (estimated)",
    "how gross_output": "by gross output", "how revenue": "by revenue", "how unknown": "unknown", "how electricity": "by electricity",
    noYears: "no year is known: state earlier ones, or wait for meters", noRolling: "twelve months in a row are not known yet", toTheEndOf: (m) => `to the end of ${m}`,
    ofHighest: (s, y) => `${s} of the highest year, ${y}`, peakWords: (y, v, n) => `highest in ${y} with ${v} t, ${n} ${n === 1 ? "year" : "years"} after it`,
    peakIsFirst: "it is the first known year, the real peak may lie before",
    "state unknown": "unknown", "state rising": "rising", "state plateau": "plateau", "state declining-unconfirmed": "declining, not confirmed", "state peaked": "peaked",
    "reason too_few_years": "too few years are known", "reason gap": "a year between is missing", "reason not_positive": "the maximum is not above 0",
    "reason recent_maximum": "the maximum is one of the last two years", "reason rising_again": "rising again after the maximum", "reason within_band": "within 5 % of the maximum for three years and more",
    "reason level_below_peak": "below the maximum, but not falling", "reason too_few_years_after": "fewer than five years after the maximum are too few", "reason not_significant": "the decline is not significant",
    "reason significant_decline": "a significant decline",
    noBudget: "no carbon budget is set for this year: parkwatt target add", tooFast: (v) => `${v} t ahead of an even pace`, withinPace: (v) => `${v} t below an even pace`,
    ofBudget: (s, v, y) => `${s} of ${v} t for ${y}`, yearEnd: (v) => `year's end at ${v} t`, spentOn: (d) => `spent on ${d}`, notSpent: "not spent this year", noForecastYet: "no forecast yet",
    coveredTooLittle: "covered too little to publish", notOverYet: "not over yet", year: "Year", itIs: "It is", "rule metered_complete": "metered and complete", "rule stated_year": "stated",
    "rule months_together": "months together", "rule metered_in_part": "metered in part, provisional", "rule nothing_known": "nothing known",
    monthOne: "Month", twelveMonths: (a, b) => `${a} to ${b}`, notTheWhole: "not the whole: totals are lower bounds", neverAdd: "never add or compare methods", methodHead: "Method",
    totalHead: "Total", scope1: "Scope 1", scope2: "Scope 2", powerFactor: "Factor of power", refusedFigure: "refused", "year newest_published": "newest year known", "year of_period": "year of the period",
    "year pinned": "pinned by its text", "basis grid_average": "grid average", "basis grid_average_excluding_traded_non_fossil": "average without traded non-fossil power", "basis zero_carbon_park": "0.8325 kg/kWh",
    "basis ets": "national trading scheme", notVerified: "not verified against the primary text",
    "zero unknown": "too little is known of the twelve months", "zero met": (a) => `at most ${a}: met`, "zero missed": (a) => `above ${a}: missed`, "zero no_threshold": (a) => `no threshold below 200 000 tce; held against ${a}`,
    zeroFormula: "CO₂ (910号) ÷ energy at the equal value", knownPartIs: (v) => `of what is known ${v}`, zeroSize: "Size", "size unknown": "unknown", "size below_200k_tce": "below 200 000 tce a year",
    "size from_200k_tce": "from 200 000 tce a year", "size from_1m_tce": "from 1 000 000 tce a year", toSave: "To save", byGreen: "by proven green power", allGreen: "with all power green", thenFuels: "then by fuels and heat",
    wouldReach: "What would reach it", noSplit: "two metered, complete years are needed", splitYears: (a, b) => `${a} to ${b}`, missingValue: (who) => `added value missing: ${who}`, effectHead: "Effect",
    "effect change_t": "Whole change", "effect activity_t": "Activity", "effect structure_t": "Structure", "effect intensity_t": "Energy intensity", "effect mix_t": "Mix of carriers", "effect carbon_factor_t": "Carbon factor",
    "effect without_energy_t": "Processes and gases", "effect not_split_t": "Not split", "effect beside_the_enterprises_t": "Beside the enterprises",
    figure: "Figure", rankBy: "Ranking over", yearToDate: "Year to date", rolling12: "Rolling 12 months", target: "Target of the year", monthToYear: "Month to year", notPublishable: "not to be published",
    pollutants: "Pollutants", byMonitors: "measured by monitors", partByMonitors: (s) => `${s} measured by monitors, the rest stated`,
    nothingOf: (who) => `not known of ${who}`, withoutPlace: "Without a place, and why", ranking: "Ranking with coverage", place: "Place", intensityHead: "Intensity", whyHead: "Why", tenThousand: "10⁴ CNY",
    "figure tce/calorific": "Energy, calorific", "figure tce/equal_value": "Energy, equal value", "figure co2_t/location_national": "CO₂, national factor", "figure co2_t/location_region": "CO₂, regional factor",
    estimatedValue: "added value estimated", provisionalValue: "added value provisional", addedValueNone: "added value missing", noTarget: "no target is set", aboveTarget: (s) => `${s} above the target`, belowTarget: (s) => `${s} below the target`,
    rankedOf: (n, of) => `${n} of ${of} have a place`, lowestFirst: "the lowest first, equals share a place", nobodyDropped: "nobody is dropped", everybodyHasPlace: "everybody has a place",
    "reason not_over": "not over", "reason denominator_missing": "added value missing", "reason denominator_not_positive": "added value not above 0", "reason numerator_unknown": "energy or carbon unknown", "reason coverage": "covered too little",
    ownNote: "Your own figures, and the quarter of your industry in this park. Nothing of any other enterprise is shown or asked.", ownBand: "Quarter of the industry", noIndustry: "no industry is stated", industryWords: (c) => `industry ${c} of GB/T 4754`,
    "bench tce": "Energy, calorific [tce/10⁴ CNY]", "bench co2_t": "CO₂, national factor [t/10⁴ CNY]", "bench water_m3": "Water [m³/10⁴ CNY]", "band no_figure": "no figure of your own", "band too_few": "too few to compare with",
    "band best_quarter": "best quarter", "band second_quarter": "second quarter", "band third_quarter": "third quarter", "band last_quarter": "last quarter",
    stateYears: (from, to) => `years ${from} to ${to}`, undecidedYears: (years) => `undecided: ${years}`,
    unreachable: "The server cannot be reached; try again.", moreRows: (n) => `… and ${n} rows more`,
    dividedByEnergy: (method) => `Divided by energy, ${method}`,
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
    statements: "申报数据", statedKind: "指标", statedProduct: "产品或污染物",
    statedPeriod: "月、季或年", statedUnit: "单位", statedPrices: "价格", priceBase: "价格基年",
    stage: "阶段", statedBy: "申报人", statedSo: "已申报", theParkItself: "园区本身",
    statedNote: "同一时期、同一阶段的新申报替换旧的,旧的仍保留。最终数优先于初步数。",
    provisional: "初步数", final: "最终数", current: "当年价", comparable: "可比价",
    pricesOf: (year) => `${year} 年价格`, statedAmount: "数值", statedKnown: (v) => `相同的数据已申报:${v}`,
    statedTemplate: "下载填报表格", statedFile: "上传填好的表格或 CSV",
    rowSays: (row, why) => `第 ${row} 行:${why}`, statedRows: (n, fresh) => `已保存 ${n} 行,其中新增 ${fresh} 行`,
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
    pages: "页面", carbon: "碳达峰", intensity: "强度", methodOfCo2: "CO₂核算方法", peakState: "状态", lastTwelve: "最近十二个月",
    carbonBudget: "碳预算,已用", years: "各年排放", metered: "计量", statedYear: "填报", provisionalYear: "暂定,不参与判断",
    rollingTwelve: "滚动十二个月", highestYear: "最高年", sideBySide: "各方法与范围并列", zeroCarbon: "零碳园区核心指标",
    whatMoved: "排放变化的原因", whyThis: "为什么是这个数?", close: "关闭", asking: "查询中…", restsOn: "依据", origin: "来源", amountHead: "数量",
    part_: "品种", factorHead: "因子", factorCode: "因子编号", result: "结果 t", listedBeside: "列示,不计入", what: "内容", validFrom: "生效", recordedAt: "记录时间",
    readingsHead: "读数", arrivedWords: (n, b, s) => `${n} 条读数,${b} 批,来自 ${s}`, factorsHead: "因子", statementsHead: "填报", greenHead: "绿电",
    membershipHead: "归属", correctionsHead: "更正", coverageWords: (s) => `已知 ${s}`, dividedBy: "除以增加值",
    addedValue: "增加值 [万元]", addedValueUnknown: (who) => `未知${who ? `:${who}` : ""}`, addedValueWords: (v, ids) => `${v} 万元${ids ? ` · 填报 ${ids}` : ""}`,
    "formula tce": "Σ 消费量 × 折标准煤系数", "formula co2_t": "Σ 活动水平 × 排放因子",
    "what counts for it": "计入本企业", "what counts for another": "计入其他企业",
    "origin metered": "计量", "origin stated": "填报", "origin green": "已证绿电",
    "how scaled": "填报值按有效口径调整(估算)",
    "how stated": "填报", "how benchmarked": "按基准分摊(估算)", "how rate": "按年增加值率(估算)", "how extrapolated": "外推(估算)",
    "how gross_output": "按总产值", "how revenue": "按营业收入", "how unknown": "未知", "how electricity": "按用电量",
    noYears: "没有已知年份:请填报以往年份,或等待计量", noRolling: "尚无连续十二个月的数据", toTheEndOf: (m) => `截至 ${m} 月末`,
    ofHighest: (s, y) => `为最高年 ${y} 的 ${s}`, peakWords: (y, v, n) => `最高年 ${y},${v} t,其后 ${n} 年`,
    peakIsFirst: "最高年为首个已知年份,实际峰值可能更早",
    "state unknown": "未知", "state rising": "上升", "state plateau": "平台期", "state declining-unconfirmed": "下降,未确认", "state peaked": "已达峰",
    "reason too_few_years": "已知年份太少", "reason gap": "中间缺年份", "reason not_positive": "最高值不为正",
    "reason recent_maximum": "最高值在最近两年", "reason rising_again": "最高值后又上升", "reason within_band": "三年以上保持在最高值 5 % 以内",
    "reason level_below_peak": "低于最高值但未下降", "reason too_few_years_after": "最高值后不足五年,年数太少", "reason not_significant": "下降不显著",
    "reason significant_decline": "显著下降",
    noBudget: "未设本年碳预算:parkwatt target add", tooFast: (v) => `比均匀进度多用 ${v} t`, withinPace: (v) => `比均匀进度少用 ${v} t`,
    ofBudget: (s, v, y) => `占 ${y} 年预算 ${v} t 的 ${s}`, yearEnd: (v) => `年末预计 ${v} t`, spentOn: (d) => `${d} 用尽`, notSpent: "本年内不会用尽", noForecastYet: "暂无预测",
    coveredTooLittle: "覆盖不足,不可发布", notOverYet: "尚未结束", year: "年", itIs: "性质", "rule metered_complete": "计量完整", "rule stated_year": "填报",
    "rule months_together": "各月合计", "rule metered_in_part": "部分计量,暂定", "rule nothing_known": "未知",
    monthOne: "月", twelveMonths: (a, b) => `${a} 至 ${b}`, notTheWhole: "不完整:合计为下限", neverAdd: "不同方法不可相加或比较", methodHead: "方法",
    totalHead: "合计", scope1: "范围一", scope2: "范围二", powerFactor: "电力因子", refusedFigure: "不给出", "year newest_published": "最新公布年份", "year of_period": "当期年份",
    "year pinned": "文件固定", "basis grid_average": "电网平均", "basis grid_average_excluding_traded_non_fossil": "扣除市场化交易非化石电量的平均", "basis zero_carbon_park": "0.8325 kg/kWh",
    "basis ets": "全国碳市场", notVerified: "未与原文核对",
    "zero unknown": "十二个月数据不足", "zero met": (a) => `不高于 ${a}:达到`, "zero missed": (a) => `高于 ${a}:未达到`, "zero no_threshold": (a) => `20万 tce 以下无阈值,以 ${a} 作参照`,
    zeroFormula: "CO₂(910号)÷ 综合能耗(等价)", knownPartIs: (v) => `按已知部分为 ${v}`, zeroSize: "规模", "size unknown": "未知", "size below_200k_tce": "年能耗不足 20 万 tce",
    "size from_200k_tce": "年能耗 20 万 tce 起", "size from_1m_tce": "年能耗 100 万 tce 起", toSave: "须减排", byGreen: "须以绿电证明", allGreen: "全部绿电时", thenFuels: "其后由燃料与热力",
    wouldReach: "怎样达到", noSplit: "需要两个计量完整的年份", splitYears: (a, b) => `${a} 至 ${b} 年`, missingValue: (who) => `缺增加值:${who}`, effectHead: "因素",
    "effect change_t": "总变化", "effect activity_t": "规模", "effect structure_t": "结构", "effect intensity_t": "能源强度", "effect mix_t": "能源结构", "effect carbon_factor_t": "碳因子",
    "effect without_energy_t": "过程与气体", "effect not_split_t": "未分解", "effect beside_the_enterprises_t": "企业之外",
    figure: "指标", rankBy: "排名期间", yearToDate: "本年累计", rolling12: "滚动十二个月", target: "本年目标", monthToYear: "逐月至全年", notPublishable: "不可发布",
    pollutants: "污染物", byMonitors: "在线监测", partByMonitors: (s) => `${s} 为在线监测,其余为填报`,
    nothingOf: (who) => `未知:${who}`, withoutPlace: "没有名次者与原因", ranking: "强度排名与覆盖", place: "名次", intensityHead: "强度", whyHead: "原因", tenThousand: "万元",
    "figure tce/calorific": "能耗(当量)", "figure tce/equal_value": "能耗(等价)", "figure co2_t/location_national": "CO₂(全国因子)", "figure co2_t/location_region": "CO₂(省级因子)",
    estimatedValue: "增加值为估算", provisionalValue: "增加值为初步", addedValueNone: "缺增加值", noTarget: "未设目标", aboveTarget: (s) => `高于目标 ${s}`, belowTarget: (s) => `低于目标 ${s}`,
    rankedOf: (n, of) => `${of} 家中 ${n} 家有名次`, lowestFirst: "由低到高,并列同名次", nobodyDropped: "一个也不隐去", everybodyHasPlace: "都有名次",
    "reason not_over": "未结束", "reason denominator_missing": "缺增加值", "reason denominator_not_positive": "增加值不为正", "reason numerator_unknown": "能耗或排放未知", "reason coverage": "覆盖不足",
    ownNote: "仅为本企业数据及其在园区同行业中所处的四分位。不显示也不查询任何其他企业。", ownBand: "同行业四分位", noIndustry: "未登记行业", industryWords: (c) => `GB/T 4754 行业 ${c}`,
    "bench tce": "能耗(当量)[tce/万元]", "bench co2_t": "CO₂(全国因子)[t/万元]", "bench water_m3": "新水 [m³/万元]", "band no_figure": "本企业无数据", "band too_few": "同行业企业太少",
    "band best_quarter": "最优四分位", "band second_quarter": "第二四分位", "band third_quarter": "第三四分位", "band last_quarter": "末四分位",
    stateYears: (from, to) => `依据 ${from} 至 ${to} 年`, undecidedYears: (years) => `未定年份:${years}`,
    unreachable: "无法连接服务器,请重试", moreRows: (n) => `…… 另有 ${n} 行`,
    dividedByEnergy: (method) => `除以综合能耗(${method === "equal_value" ? "等价" : method})`,
    s: "秒", min: "分钟", h: "小时", d: "天",
  },
};

const QUANTITIES_ZH = {
  electricity: "电力", energy_import: "有功电量(正向)", energy_export: "有功电量(反向)", reactive_energy_q1: "无功电量 Ⅰ象限",
  reactive_energy_q2: "无功电量 Ⅱ象限", reactive_energy_q3: "无功电量 Ⅲ象限", reactive_energy_q4: "无功电量 Ⅳ象限",
  power: "有功功率", reactive_power: "无功功率", apparent_power: "视在功率", voltage: "电压",
  voltage_a: "A相电压", voltage_b: "B相电压", voltage_c: "C相电压", current: "电流", current_a: "A相电流",
  current_b: "B相电流", current_c: "C相电流", power_factor: "功率因数", frequency: "频率",
  natural_gas: "天然气", natural_gas_flow: "天然气流量", water: "新水", water_flow: "新水流量",
  wastewater: "废水", wastewater_flow: "废水流量", cod: "化学需氧量", cod_concentration: "化学需氧量浓度", nh3_n: "氨氮", nh3_n_concentration: "氨氮浓度",
  flue_gas_flow: "烟气流量", so2: "二氧化硫", so2_concentration: "二氧化硫浓度", nox: "氮氧化物", nox_concentration: "氮氧化物浓度",
  steam: "蒸汽", steam_flow: "蒸汽流量", steam_export: "外供蒸汽", heat: "热量",
  heat_flow: "热流量", heat_export: "外供热量", compressed_air: "压缩空气", compressed_air_flow: "压缩空气流量", coal: "原煤",
  coke: "焦炭", fuel_oil: "燃料油", diesel: "柴油", gasoline: "汽油", lpg: "液化石油气", lng: "液化天然气",
  pv_generation: "光伏发电量", pv_power: "光伏功率", storage_charge: "储能充电量", storage_discharge: "储能放电量",
  storage_power: "储能功率", state_of_charge: "荷电状态", charging_energy: "充电桩电量", charging_power: "充电桩功率",
};

// what can be stated beside meters, as GB/T 2589-2020 and GB/T 32151 have it
const ITEMS_ZH = {
  acetylene: "乙炔", ammonia: "合成氨", anthracite: "无烟煤", barium_carbonate: "碳酸钡", biogas: "沼气", biogas_low: "沼气(低值)",
  bituminous_coal: "烟煤", blast_furnace_gas: "高炉煤气", briquette: "型煤", calcium_carbide: "电石", calcium_carbide_made: "电石产量",
  calcium_carbonate: "碳酸钙", carbon_dioxide: "二氧化碳", clinker: "水泥熟料", coal_gangue: "煤矸石", coal_slime: "煤泥", coal_slime_low: "煤泥(低值)",
  coal_tar: "煤焦油", coke_oven_gas: "焦炉煤气", coke_oven_gas_low: "焦炉煤气(低值)", converter_gas: "转炉煤气", crude_benzol: "粗苯", crude_oil: "原油",
  crude_steel: "粗钢", deoxygenated_water: "除氧水", desulphurisation_limestone: "脱硫石灰石", dolomite: "白云石", ethanol: "乙醇", ferro_alloy: "铁合金",
  hydrogen: "氢气", industrial_silicon: "工业硅", iron_carbonate: "碳酸铁", kerosene: "煤油", lignite: "褐煤", lime: "石灰", lithium_carbonate: "碳酸锂",
  magnesium_carbonate: "碳酸镁", manganese_carbonate: "碳酸锰", methanol: "甲醇", methanol_made: "甲醇产量", middlings: "洗中煤", naphtha: "石脑油",
  natural_gas_gas_field: "气田天然气", natural_gas_low: "天然气(低值)", natural_gas_oil_field: "油田天然气", nitrogen_by_product: "氮气(副产品)",
  nitrogen_main_product: "氮气(主产品)", other_coal_products: "其他煤制品", other_gas: "其他煤气", other_petroleum_products: "其他石油制品",
  other_washed_coal: "其他洗煤", oxygen: "氧气", petroleum_coke: "石油焦", potassium_carbonate: "碳酸钾", pressure_gasification_gas: "压力气化煤气",
  primary_aluminium: "原铝", producer_gas: "发生炉煤气", refinery_gas: "炼厂干气", residual_oil: "渣油", sodium_bicarbonate: "碳酸氢钠",
  sodium_carbonate: "碳酸钠", softened_water: "软化水", strontium_carbonate: "碳酸锶", washed_clean_coal: "洗精煤", water_gas: "水煤气",
};

// words that the API says of rows, lines and causes
const API_ZH = {
  time: "时间推移", readings: "条读数", corrections: "更正", registers: "表底设置", multipliers: "倍率", membership: "归属", demand_rules: "需量规则",
  factors: "因子", statements: "填报", green: "绿电", under_way: "关账时尚在途",
  stated_alone: "仅有填报,计入", beside_the_meter: "表计之外,计入", metered_first: "以计量为准", feedstock: "作原料", park_meter_first: "以园区表为准",
  supplied_within: "园区内供给", given_by_meter: "供方表计已计,不另计", export_listed: "外供另列", self_use: "自发自用", certificates_sold: "绿证已售出", proven_green: "已证绿电",
  main: "主表", park: "园区总表", sub: "分表", check: "校核表", real: "属实", "left out": "剔除", rollover: "翻转", reset: "归零", replacement: "换表",
  rule: "按规则", unknown: "未知", restart: "重新起数", fixed: "固定窗口", sliding: "滑动窗口", provisional: "初步", final: "最终", burnt: "燃烧",
  bought: "外购", process: "过程", released: "逸散", certificate: "绿证", trade: "绿电交易", direct: "绿电直供", glitch: "跳变", spike: "尖峰", overlap: "重叠",
  erratic: "紊乱", silence: "久无读数", jump: "突增", "catch-up": "停走后补计", gap: "缺口", stuck: "停走", clock: "时钟错误", "multiplier change": "倍率变更",
  measured_up_to_s: "视为实测的最长间隔(秒)", straight_up_to_s: "按直线估算的最长间隔(秒)", stuck_after_s: "判为停走的时长(秒)", momentary: "瞬时异常读数个数",
  "as documented": "按文档", digits: "位数字", "a fall means": "示数回退视为", class: "准确度等级", "at most": "至多", "per hour": "每小时",
  "instead of": "代替", "struck out": "删除", none: "无", "stands as": "位置:", "by a formula": "按公式", "added value": "增加值", "current prices": "现价",
  withdrawn: "已撤回", "from another": "来自其他企业", cancelled: "已注销", "not verified": "未与原文核对", minutes: "分钟", of: "属期", "readings by": "条读数,解析器",
  from: "从", to: "至", location_national: "全国因子", location_region: "省级因子", residual: "剔除绿电后的平均", zero_carbon_park: "零碳园区(910号)",
  enterprise: "企业核算指南", provincial_inventory: "省级清单", ghg_location: "GHG 基于位置", ghg_market: "GHG 基于市场", ets: "全国碳市场", calorific: "当量",
  equal_value: "等价", equal_value_of_year: "等价(当年)",
  manual: "手工录入", "registered by hand": "手工登记", "invented for the demonstration": "演示虚构", demonstration: "演示",
};
// whole words alone: nothing within a code such as heat/CN/2023 or line-2
const SAID = new RegExp(`(?<![\\w./-])(?:${[...Object.keys(API_ZH), ...Object.keys(ITEMS_ZH), ...Object.keys(QUANTITIES_ZH)].sort((a, b) => b.length - a.length).join("|")})(?![\\w/-])`, "g");

const MONEY_ZH = { "10k_cny": "万元", "100m_cny": "亿元", cny: "元" };
const FORMULAS = { cod: "COD", nh3_n: "NH₃-N", so2: "SO₂", nox: "NOₓ" };

const UNITS = {
  "10k_cny": "10⁴ CNY", "100m_cny": "10⁸ CNY", cny: "CNY",
  kwh: "kWh", kvarh: "kvarh", kw: "kW", kvar: "kvar", kva: "kVA", v: "V", a: "A", hz: "Hz",
  percent: "%", m3: "m³", m3_h: "m³/h", t: "t", t_h: "t/h", gj: "GJ", gj_h: "GJ/h",
  kg: "kg", mg_l: "mg/L", mg_m3: "mg/m³",
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
export const unit = (code) => (language === "zh" && MONEY_ZH[code]) || (UNITS[code] ?? code);

// What the API says in words of its own; numbers and codes stay. Of whom a meter counts for is a code.
export function said(words) {
  if (language !== "zh") return words;
  const whom = /^counts for (.*)$/.exec(words);
  if (whom) return `计入 ${whom[1]}`;
  return words.replace(SAID, (each) => API_ZH[each] ?? QUANTITIES_ZH[each] ?? ITEMS_ZH[each]);
}

// who stored readings or said something: people's own words stay
export const source = (name) => (language === "zh" ? API_ZH[name] ?? name.replace(/^import (?=.)/, "导入 ") : name);

export function quantity(name) {
  return (language === "zh" && (QUANTITIES_ZH[name] ?? ITEMS_ZH[name]))
    || name.replace(/^(cod|nh3_n|so2|nox)(?=_|$)/, (of) => FORMULAS[of]).replaceAll("_", " ");
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
