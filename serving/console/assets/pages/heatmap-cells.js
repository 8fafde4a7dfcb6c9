// What a cell of the heat map means, in the table and on the map alike.
export const SURGES = {
  pending: ["△", "всплеск одного дня, ждёт подтверждения"],
  open: ["▲", "идёт всплеск"],
  recovering: ["▽", "всплеск спадает"],
};

// How far above or below the expectation, in standard deviations, as a step of the scale.
export function step(cell) {
  if (!cell || cell.observed === null || cell.z === null) return "none";
  if (cell.z >= 1.5) return cell.z >= 6 ? "more-4" : cell.z >= 4 ? "more-3" : cell.z >= 2.5 ? "more-2" : "more-1";
  return cell.z <= -2.5 ? "less-2" : cell.z <= -1.5 ? "less-1" : "usual";
}

// The names of a field: alphabetically, or with `heat` the hottest first.
export function ordered(cells, field, order) {
  const hottest = new Map();
  for (const cell of cells) {
    const z = cell.z === null ? -Infinity : cell.z;
    hottest.set(cell[field], Math.max(z, hottest.get(cell[field]) ?? -Infinity));
  }
  const names = [...hottest.keys()].sort(new Intl.Collator("ru").compare);
  return order === "heat" ? names.sort((a, b) => hottest.get(b) - hottest.get(a)) : names;
}
