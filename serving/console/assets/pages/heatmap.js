// The region's problems: municipality × sector, what came beside what was expected, surges marked; a cell opens its
// series. A real table: one cell is in the order of tabs, the arrows go from cell to cell.
import { html, useMemo, useRef } from "../vendor/htm-preact.js";
import { api, csvAddress } from "../shell/api.js";
import { Choice, DateField } from "../shell/controls.js";
import { days, number, plural, plusDays, whole } from "../shell/format.js";
import { useLive } from "../shell/live.js";
import { href } from "../shell/router.js";
import { Shown, useData } from "../shell/states.js";
import { ordered, step, SURGES } from "./heatmap-cells.js";
import { RegionMap } from "./heatmap-map.js";

const DAYS = [["1", "1 день"], ["3", "3 дня"], ["7", "7 дней"], ["14", "14 дней"], ["28", "28 дней"]];
const ORDERS = [["", "по алфавиту"], ["heat", "горячие сначала"]];
const VIEWS = [["", "таблица"], ["map", "карта"]];
const NUMBERS = [["", "пришло и ожидалось"], ["ratio", "во сколько раз больше"]];
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const OLD_DAYS = 2;

export default function HeatMap({ query, session, title }) {
  const asked = { days: query.get("days"), as_of: query.get("as_of") };
  const heat = useData(() => api("/v1/heatmap", { query: asked }), [asked.days, asked.as_of, query.get("region")]);
  const map = useData(() => api("/v1/map"), [query.get("region")]);
  useLive(["surges", "models"], heat.reload);
  const mapped = Boolean(map.value && map.value.outlines.length);
  const asMap = mapped && query.get("view") === "map";
  return html`<h1>${title}</h1>
    <div class="toolbar">
      <${Choice} name="days" label="За последние" options=${DAYS} query=${query} ifAbsent="7" />
      <${DateField} name="as_of" label="По день включительно" query=${query} />
      ${mapped ? html`<${Choice} name="view" label="Вид" options=${VIEWS} query=${query} />` : null}
      ${asMap ? html`<${Choice} name="sector" label="Отрасль" options=${sectorsOf(heat.value)} query=${query} />` : html`
        <${Choice} name="show" label="В ячейке" options=${NUMBERS} query=${query} />
        <${Choice} name="order" label="Порядок" options=${ORDERS} query=${query} />`}
      <span class="gap"></span>
      <a class="button" href=${csvAddress("/v1/heatmap", asked)} download="heatmap.csv">CSV</a>
      <button type="button" onClick=${() => print()}>Печать</button>
    </div>
    <${Shown} of=${heat} empty=${(value) => !value.cells.length} nothing="В этом регионе пока нет ни одного ряда.">
      ${(value) => html`
        ${!asked.as_of && value.end < plusDays(session.today, -OLD_DAYS)
          ? html`<p class="banner warn">Последний день, за который есть счётчики: ${days(value.end, value.end)}.
              Более новые ещё не поступали.</p>` : null}
        <p class="muted" id="heat-about">${about(value)}</p>
        <${Legend} />
        ${asMap ? html`<${RegionMap} map=${map.value} heat=${value} sector=${query.get("sector")} />`
          : html`<${Table} heat=${value} ratio=${query.get("show") === "ratio"} order=${query.get("order")} />`}`}
    <//>`;
}

function sectorsOf(heat) {
  return [["", "самая необычная"], ...(heat ? ordered(heat.cells, "sector") : []).map((each) => [each, each])];
}

function about(heat) {
  const surging = heat.cells.filter((cell) => cell.surge).length;
  const surges = surging ? `Всплески идут в ${plural(surging, "ячейке", "ячейках", "ячейках")}.` : "Всплесков сейчас нет.";
  return `${days(heat.start, heat.end)}. Цвет — насколько необычно число обращений. ${surges}`;
}

function Table({ heat, ratio, order }) {
  const body = useRef(null);
  const { places, sectors, of } = useMemo(() => ({
    places: ordered(heat.cells, "municipality", order),
    sectors: ordered(heat.cells, "sector", order),
    of: new Map(heat.cells.map((cell) => [`${cell.municipality}\n${cell.sector}`, cell])),
  }), [heat, order]);
  const move = (event) => moveInside(event, body.current, sectors.length);
  return html`
    <p class="muted">${ratio ? "В ячейке — во сколько раз пришло больше ожидаемого." : "В ячейке — сколько пришло, рядом — сколько ожидалось."}</p>
    <div class="scroll heat-scroll" tabindex="0" role="region" aria-label="Тепловая карта">
      <table class="heat" aria-describedby="heat-about">
        <thead><tr><th scope="col">Муниципалитет</th>
          ${sectors.map((sector) => html`<th scope="col" key=${sector}><a href=${href("series", { sector })}>${softened(sector)}</a></th>`)}
        </tr></thead>
        <tbody ref=${body} onKeyDown=${move}>
          ${places.map((place, row) => html`<tr key=${place}>
            <th scope="row"><a href=${href("series", { municipality: place })}>${place}</a></th>
            ${sectors.map((sector, column) => html`<${Cell} key=${sector} cell=${of.get(`${place}\n${sector}`)}
              ratio=${ratio} first=${row === 0 && column === 0} />`)}
          </tr>`)}
        </tbody>
      </table>
    </div>`;
}

// Long words may be parted where a syllable ends: columns stay narrow, and no browser needs a dictionary.
function softened(name) {
  return name.replace(/(?<=[а-яё]{3})(?=[бвгджзклмнпрстфхцчшщ][аеёиоуыэюя][а-яё])/gi, "\u00AD");
}

function Cell({ cell, ratio, first }) {
  if (!cell) return html`<td class="none"><span class="hidden">нет ряда</span></td>`;
  const [mark, says] = SURGES[cell.surge_state] || [];
  const link = href("series", { municipality: cell.municipality, sector: cell.sector });
  const count = ratio ? (cell.ratio === null ? "—" : `×${number(cell.ratio)}`) : whole(cell.observed);
  return html`<td class=${step(cell)}><a href=${link} tabindex=${first ? 0 : -1}
    >${mark ? html`<i aria-hidden="true">${mark}</i><span class="hidden">${says}: </span>` : null}<b>${count}</b
    >${ratio ? null : html`<span class="hidden"> при ожидаемых </span><small>${whole(cell.expected)}</small>`}</a></td>`;
}

// The arrows go from cell to cell; the one that is gone to is the one in the order of tabs.
function moveInside(event, body, columns) {
  const way = MOVES[event.key];
  const here = event.target.closest("td");
  if (!way || !here) return;
  event.preventDefault();
  const row = body.rows[here.parentNode.sectionRowIndex + way[0]];
  const cell = row && here.cellIndex + way[1] >= 1 && here.cellIndex + way[1] <= columns
    ? row.cells[here.cellIndex + way[1]] : null;
  const link = cell && cell.querySelector("a");
  if (!link) return;
  here.querySelector("a").tabIndex = -1;
  link.tabIndex = 0;
  link.focus();
}

function Legend() {
  const steps = [["less-2", "намного меньше"], ["less-1", "меньше"], ["usual", "как обычно"], ["more-1", "больше"],
    ["more-2", "заметно больше"], ["more-3", "намного больше"], ["more-4", "чрезвычайно много"]];
  return html`<ul class="legend" aria-label="Обозначения">
    ${steps.map(([name, text]) => html`<li><span class=${`swatch ${name}`} aria-hidden="true"></span>${text}</li>`)}
    ${Object.values(SURGES).map(([mark, text]) => html`<li><span aria-hidden="true">${mark}</span> ${text}</li>`)}
  </ul>`;
}
