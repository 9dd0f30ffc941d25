// What the API says in English, said in the reader's language; its own words stand beside.

import * as text from "./text.js";

// the first that is found in the message; the API's errors are sentences that stay
const SAID = [
  [/[Tt]here is no park '(.*?)'/, (park) => `没有园区 ${park}`],
  [/[Tt]here is no enterprise '(.*?)'/, (enterprise) => `没有企业 ${enterprise}`],
  [/[Tt]here is no meter '(.*?)'/, (meter) => `没有表计 ${meter}`],
  [/There is nothing at/, () => "没有这个地址"],
  [/body of stated length, at most (\d+) bytes/, (most) => `内容过大:至多 ${Math.floor(most / 1024)} KiB`],
  [/Nothing is stored: (\d+) of (\d+) rows/, (bad, all) => `未保存任何数据:${all} 行中 ${bad} 行无法使用`],
  [/row (\d+) says another amount/, (row) => `与第 ${row} 行数值不同`],
  [/period '(.*?)' is none/, (period) => `期间“${period}”无法识别,例:2026、2026-Q3、2026-03`],
  [/period '(.*?)' ends before it begins/, (period) => `期间“${period}”的结束早于开始`],
  [/period '(.*?)' lies outside the years (\d+) to (\d+)/, (period, first, last) => `期间“${period}”不在 ${first} 至 ${last} 年之内`],
  [/the period (\S+) to (\S+) (?:ends before it begins|is empty)/, (first, last) => `期间 ${first} 至 ${last} 为空`],
  [/(?:does not|must) lie between (\S+) and ([\d-]+)/, (first, last) => `所选日期不在 ${first} 至 ${last} 之内`],
  [/are not whole months/, () => "不是整月"],
  [/the period is longer than (\d+) (\w+)/, (most, what) => `期间过长:至多 ${most} 个${what === "months" ? "月" : what}`],
  [/the period begins after today/, () => "期间尚未开始"],
  [/the period ends after today/, () => "期间尚未结束,只能填初步数"],
  [/amount is missing/, () => "缺数值"],
  [/amount \S+ is too large/, () => "数值过大"],
  [/cannot be below zero|amount \S+ is below 0/, () => "数值不能为负"],
  [/cannot be zero/, () => "数值不能为零"],
  [/source is empty or longer than (\d+)/, (most) => `来源为空或超过 ${most} 个字符`],
  [/unit '(.*?)' of \w+ is none of (.*?)\.?$/, (unit, all) => `单位“${unit}”不可用,应为 ${all}`],
  [/needs its unit/, () => "缺单位"],
  [/product '(.*?)' of \w+ is not/, (product) => `产品代号“${product}”只能由 1–64 个字母、数字、点、_ 或 - 组成`],
  [/has no product/, () => "该指标没有产品"],
  [/has no prices/, () => "该指标没有价格口径"],
  [/comparable prices need price_base/, () => "可比价需要价格基年,且不晚于该期间"],
  [/price_base belongs to comparable prices/, () => "只有可比价才有价格基年"],
  [/kind '(.*?)' is none of/, (kind) => `没有指标“${kind}”`],
  [/stage '(.*?)' is none of/, (stage) => `没有阶段“${stage}”`],
  [/is stated of an enterprise: name one/, () => "须指明企业"],
  [/make the cell a text/, () => "单元格应为文本格式"],
  [/the file lacks the column (.*?)\.?$/, (names) => `文件缺少列:${names}`],
  [/the column (\S+) is there more than once/, (name) => `列 ${name} 重复`],
  [/the file has more than (\d+) rows/, (most) => `文件超过 ${most} 行,请拆分`],
  [/separates by semicolons/, () => "文件以分号分隔,应为逗号"],
  [/the file is not CSV text|the workbook cannot be read|no visible sheet/, () => "文件无法读取"],
  [/Send the file with its Content-Type/, () => "只接受 XLSX 或 CSV 文件"],
  [/is not confirmed; see/, () => "表计尚未确认"],
  [/was corrected or struck out/, () => "该读数已被更正或作废,再次更正须说明原因"],
  [/The database cannot be reached/, () => "数据库无法连接,请稍后再试"],
  [/no Parkwatt schema or an older one/, () => "数据库尚未升级"],
  [/went wrong on our side/, () => "服务器内部错误,详见服务器日志"],
  [/Another site asked/, () => "拒绝来自其他网站的更改"],
  [/Parameter '(.*?)' cannot be used/, (name) => `参数 ${name} 无法使用`],
  [/The input cannot be used/, () => "输入无法使用"],
];

// [words, what the API said itself where the words are others]
export function told(message) {
  if (/Failed to fetch|NetworkError|Load failed/.test(message)) return [text.t("unreachable"), message];
  if (text.current() !== "zh") return [message, ""];
  for (const [pattern, words] of SAID) {
    const found = pattern.exec(message);
    if (found) return [words(...found.slice(1)), message];
  }
  return [message, ""];
}
