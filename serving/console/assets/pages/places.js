// Municipalities side by side: what came, what was expected, complaints per 1,000 inhabitants with their interval.
import { html } from "../vendor/htm-preact.js";
import { api, csvAddress } from "../shell/api.js";
import { Choice, DateField } from "../shell/controls.js";
import { days, number, whole } from "../shell/format.js";
import { useLive } from "../shell/live.js";
import { href } from "../shell/router.js";
import { Shown, useData } from "../shell/states.js";

const DAYS = [["7", "7 дней"], ["14", "14 дней"], ["28", "28 дней"], ["56", "56 дней"]];
const ORDERS = [["", "по алфавиту"], ["rate", "по обращениям на 1 000"], ["more", "по превышению ожидаемого"]];

export default function Places({ query, title }) {
  const asked = { days: query.get("days"), sector: query.get("sector"), as_of: query.get("as_of") };
  const places = useData(() => api("/v1/municipalities", { query: asked }), [query.toString()]);
  useLive(["surges", "models"], places.reload);
  const sectors = [["", "все отрасли"], ...(places.value ? places.value.sectors : []).map((each) => [each, each])];
  return html`<h1>${title}</h1>
    <div class="toolbar">
      <${Choice} name="days" label="За последние" options=${DAYS} query=${query} ifAbsent="28" />
      <${Choice} name="sector" label="Отрасль" options=${sectors} query=${query} />
      <${DateField} name="as_of" label="По день включительно" query=${query} />
      <${Choice} name="order" label="Порядок" options=${ORDERS} query=${query} />
      <span class="gap"></span>
      <a class="button" href=${csvAddress("/v1/municipalities", asked)} download="municipalities.csv">CSV</a>
    </div>
    <${Shown} of=${places} empty=${(value) => !value.municipalities.length}
      nothing="Счётчики этого региона не разбиты по муниципалитетам: сравнивать нечего.">
      ${(value) => html`<${Table} places=${value} order=${query.get("order")} sector=${asked.sector} />`}
    <//>`;
}

function excess(row) {
  return row.expected ? row.observed_of_expected / row.expected : null;
}

function Table({ places, order, sector }) {
  const by = { rate: (row) => row.per_thousand, more: excess }[order];
  const rows = [...places.municipalities];
  if (by) rows.sort((a, b) => (by(b) ?? -1) - (by(a) ?? -1));
  const known = places.municipalities.some((row) => row.inhabitants);
  const most = Math.max(...rows.map((row) => row.high || 0), 0.001);
  return html`
    ${known ? null : html`<p class="banner">Численность жителей для этого региона не указана, поэтому показателей на 1 000
      жителей нет. Её задают в настройках региона (inhabitants).</p>`}
    <div class="scroll"><table class="table">
      <caption>${days(places.start, places.end)}, ${places.sector}. На 1 000 жителей — с 95-процентным интервалом; если обращений
        меньше 20, показатель не считается: он был бы случайным.</caption>
      <thead><tr><th scope="col">муниципалитет</th><th scope="col" class="num">пришло</th>
        <th scope="col" class="num">из них там, где был прогноз</th><th scope="col" class="num">ожидалось</th>
        <th scope="col" class="num">жителей</th><th scope="col" class="num">на 1 000 жителей</th>
        <th scope="col" class="num">интервал</th><th scope="col"><span class="hidden">наглядно</span></th></tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.municipality} row=${row} sector=${sector} most=${most} />`)}</tbody>
      <tfoot><${Row} row=${places.region} sector=${sector} most=${most} /></tfoot>
    </table></div>`;
}

function Row({ row, sector, most }) {
  const rated = row.per_thousand !== null;
  return html`<tr>
    <th scope="row"><a href=${href("series", { municipality: row.municipality, sector })}>${row.municipality}</a></th>
    <td class="num">${whole(row.observed)}</td><td class="num">${whole(row.observed_of_expected)}</td>
    <td class="num">${whole(row.expected)}</td><td class="num">${whole(row.inhabitants)}</td>
    <td class="num">${rated ? number(row.per_thousand) : "—"}</td>
    <td class="num">${rated ? `${number(row.low)}–${number(row.high)}` : "—"}</td>
    <td class="bar-cell">${rated ? html`<svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none">
      <rect x=${100 * row.low / most} y="4" width=${100 * (row.high - row.low) / most} height="2" />
      <rect class="dot" x=${100 * row.per_thousand / most - 0.6} y="1" width="1.2" height="8" /></svg>` : null}</td>
  </tr>`;
}
