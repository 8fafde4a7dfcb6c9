// Figures of GET /v1/kpi in words: value with its unit, interval, n, change against the span before.
import { number, whole } from "./format.js";

const UNITS = { count: "", share: "\u00A0%", hours: "\u00A0ч", days: "\u00A0дн." };
export const FEW = "мало данных";

function scaled(unit, value) {
  return unit === "count" ? whole(value) : number(unit === "share" ? 100 * value : value);
}

export function valueText(unit, figure) {
  return figure.value === null ? FEW : scaled(unit, figure.value) + UNITS[unit];
}

export function intervalText(unit, figure) {
  if (figure.low === null || figure.high === null) return null;
  return `${scaled(unit, figure.low)}–${scaled(unit, figure.high)}${UNITS[unit]}`;
}

export function changeText(unit, figure) {
  if (figure.change === null) return null;
  const points = unit === "share" ? "\u00A0п.\u00A0п." : unit === "count" ? "\u00A0%" : UNITS[unit];
  const size = number(Math.abs(figure.change) * (unit === "share" || unit === "count" ? 100 : 1));
  return `${size === "0" ? "" : figure.change > 0 ? "+" : "−"}${size}${points}`;
}

// How many complaints a count or a share counts, and of how many a quantile is; null where that is hidden.
export function countedOf(unit, figure) {
  if (figure.value === null) return null;
  return unit === "share" ? Math.round(figure.value * figure.n) : unit === "count" ? figure.value : figure.n;
}

// Whether a change is `better` or `worse`, within what chance alone does (`chance`), or `neither`: of a change without an
// interval nobody knows.
export function judged(definition, figure) {
  const { change_low: low, change_high: high } = figure;
  if (!figure.change || low === null || high === null) return "neither";
  if (low <= 0 && high >= 0) return "chance";
  if (!definition.better) return "neither";
  return (figure.change > 0) === (definition.better === "more") ? "better" : "worse";
}
