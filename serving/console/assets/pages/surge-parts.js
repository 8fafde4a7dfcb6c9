// What the pages that show surges have in common.
import { html } from "../vendor/htm-preact.js";
import { plusDays } from "../shell/format.js";
import { href } from "../shell/router.js";

const STATES = {
  pending: ["△", "ждёт подтверждения", "warm"],
  open: ["▲", "идёт", "hot"],
  recovering: ["▽", "спадает", "warm"],
  closed: ["○", "закончился", ""],
  expected: ["◇", "ожидается", "warm"],
};
const MOVES_DAYS = 7;

export function StateBadge({ surge }) {
  const [mark, text, kind] = STATES[surge.state];
  const shown = surge.new_level && surge.state === "open" ? "новый уровень" : text;
  return html`<span class=${`badge ${kind}`}><span aria-hidden="true">${mark}</span> ${shown}</span>`;
}

export function surgeLink(surge) {
  const { kind, municipality, sector, start } = surge;
  return href("surge", { kind, municipality, sector, start });
}

// The notes about a surge, the newest first: it is known by its place and sector, and its first day may have moved.
export function notesOf(surge, notes) {
  return notes.filter((note) => note.kind === surge.kind && note.municipality === surge.municipality
    && note.sector === surge.sector && note.start >= plusDays(surge.start, -MOVES_DAYS) && note.start <= surge.end);
}
