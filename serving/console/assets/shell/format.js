// Numbers, dates and texts as a Russian reader expects them.
const NUMBER = new Intl.NumberFormat("ru-RU", { maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("ru-RU", { maximumFractionDigits: 0 });
const DAY = new Intl.DateTimeFormat("ru-RU", { day: "numeric", month: "short", timeZone: "UTC" });
const DAY_YEAR = new Intl.DateTimeFormat("ru-RU", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("ru-RU", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DIRECTIONS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

export const NOTHING = "—";

export function number(value) {
  return value === null || value === undefined ? NOTHING : NUMBER.format(value);
}

export function whole(value) {
  return value === null || value === undefined ? NOTHING : WHOLE.format(value);
}

// A share of 1 as per cent.
export function percent(value) {
  return value === null || value === undefined ? NOTHING : `${NUMBER.format(100 * value)}\u00A0%`;
}

// A date as the API writes it, 2026-11-20.
export function day(text, { year = false } = {}) {
  return text ? (year ? DAY_YEAR : DAY).format(new Date(`${text}T00:00:00Z`)).replace(/\.| г\.?/g, "") : NOTHING;
}

export function days(start, end) {
  if (start === end) return day(start);
  return start.slice(0, 7) === end.slice(0, 7) ? `${Number(start.slice(8))}–${day(end)}` : `${day(start)} – ${day(end)}`;
}

// A moment (ISO text or Date) in the reader's own time.
export function moment(value) {
  return value ? MOMENT.format(new Date(value)).replace(/\./g, "") : NOTHING;
}

// The day so many days after a date.
export function plusDays(text, count) {
  const date = new Date(`${text}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

// The right one of three forms: plural(5, "день", "дня", "дней") gives "5 дней".
export function plural(count, one, few, many) {
  const [tens, ones] = [count % 100, count % 10];
  const form = tens > 10 && tens < 20 ? many : ones === 1 ? one : ones > 1 && ones < 5 ? few : many;
  return `${WHOLE.format(count)}\u00A0${form}`;
}

// A citizen's text to show: marks that turn the direction of writing would turn the page around it too. Its length
// stays, so that spans still fit; spans of the API count characters, so cut with `Array.from(text)`, not `slice`.
export function plain(text) {
  return (text || "").replace(DIRECTIONS, "\u2060");
}
