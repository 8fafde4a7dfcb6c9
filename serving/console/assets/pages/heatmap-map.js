// The heat map as a map: each municipality in the colour of its cell, a link to its series. The table says the same.
import { html, useState } from "../vendor/htm-preact.js";
import { whole } from "../shell/format.js";
import { href } from "../shell/router.js";
import { ordered, step, SURGES } from "./heatmap-cells.js";

// The hottest cell of each municipality, of one sector where one is chosen.
function hottest(cells, sector) {
  const of = new Map();
  for (const cell of cells) {
    if (sector && cell.sector !== sector) continue;
    const other = of.get(cell.municipality);
    if (!other || (cell.z ?? -Infinity) > (other.z ?? -Infinity)) of.set(cell.municipality, cell);
  }
  return of;
}

function inWords(cell) {
  const [, surge] = SURGES[cell.surge_state] || [];
  return `${cell.sector}, пришло ${whole(cell.observed)} при ожидаемых ${whole(cell.expected)}${surge ? `, ${surge}` : ""}`;
}

export function RegionMap({ map, heat, sector }) {
  const [told, tell] = useState(null);
  const of = hottest(heat.cells, sector);
  const missing = ordered(heat.cells, "municipality").filter((name) => !map.outlines.some((each) => each.municipality === name));
  return html`
    <p class="muted">${sector ? `Цвет муниципалитета — насколько необычно число обращений отрасли «${sector}».`
      : "Цвет муниципалитета — по его самой необычной отрасли."} То же в виде таблицы — выбор «Вид».
      ${missing.length ? ` На карте нет: ${missing.join(", ")}.` : null}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Карта">
      <svg class="map" viewBox=${`-4 -4 ${map.width + 8} ${map.height + 8}`} role="group" aria-label="Карта муниципалитетов">
        ${map.outlines.map((each) => html`<${Place} key=${each.municipality} outline=${each} cell=${of.get(each.municipality)} tell=${tell} />`)}
      </svg>
    </div>
    <p class="map-told" aria-hidden="true">${told || "Наведите курсор на муниципалитет или перейдите к нему клавишей Tab."}</p>`;
}

function Place({ outline, cell, tell }) {
  const { municipality, path, x, y } = outline;
  const drawn = html`<path d=${path} fill-rule="evenodd" />
    <text x=${x} y=${y - 4} text-anchor="middle">${municipality}</text>`;
  if (!cell) return html`<g class="none">${drawn}</g>`;
  const [mark] = SURGES[cell.surge_state] || [];
  const words = `${municipality}: ${inWords(cell)}`;
  return html`<a class=${step(cell)} href=${href("series", { municipality, sector: cell.sector })} aria-label=${words}
    onMouseEnter=${() => tell(words)} onMouseLeave=${() => tell(null)} onFocus=${() => tell(words)} onBlur=${() => tell(null)}>
    ${drawn}<text class="map-count" x=${x} y=${y + 18} text-anchor="middle">${mark ? `${mark} ` : ""}${whole(cell.observed)}</text></a>`;
}
