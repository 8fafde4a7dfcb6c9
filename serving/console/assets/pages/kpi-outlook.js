// Beside the figures of a span: its surges with what became of them, and the forecast of the week after it by sector.
import { html } from "../vendor/htm-preact.js";
import { days, percent, plain, whole } from "../shell/format.js";
import { href } from "../shell/router.js";

export function Outlook({ outlook, session }) {
  return html`<section aria-label="Всплески"><h2>Всплески и что с ними стало</h2>
      ${outlook.surges.length ? html`<${Surges} surges=${outlook.surges} session=${session} />` : null}
      ${outlook.surges.length || outlook.surges_missing ? null : html`<p class="state">За эти дни всплесков не было.</p>`}
      ${outlook.surges_missing ? html`<p class="muted">${outlook.surges_missing}</p>` : null}</section>
    <section aria-label="Прогноз"><h2>Прогноз на ${days(outlook.coming_start, outlook.coming_end)}</h2>
      ${outlook.forecast_missing ? html`<p class="muted">${outlook.forecast_missing}</p>` : html`<${Forecast} outlook=${outlook} />`}</section>`;
}

function Surges({ surges, session }) {
  const linked = session.may.includes("GET /v1/surges") && session.may.includes("GET /v1/surges/notes");
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Всплески за эти дни"><table class="table">
    <thead><tr><th scope="col">где и что</th><th scope="col">дни</th><th scope="col" class="num">пришло</th>
      <th scope="col" class="num">обычно</th><th scope="col">что с ним стало</th></tr></thead>
    <tbody>${surges.map((surge) => {
      const { municipality, sector, start } = surge;
      const name = `${municipality}, ${sector}`;
      return html`<tr key=${`${name} ${start}`}><th scope="row">${linked
        ? html`<a href=${href("surge", { kind: "observed", municipality, sector, start })}>${name}</a>` : name}</th>
        <td>${days(start, surge.end)}</td><td class="num">${whole(surge.count)}</td><td class="num">${whole(surge.expected)}</td>
        <td>${surge.became}${surge.note ? html`<p class="muted" dir="auto">${plain(surge.note)}</p>` : null}</td></tr>`;
    })}</tbody></table></div>`;
}

function Forecast({ outlook }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Прогноз по отраслям"><table class="table narrow">
    <caption>Обращений за неделю; в скобках интервал ${percent(outlook.level)}.</caption>
    <thead><tr><th scope="col">отрасль</th><th scope="col" class="num">ожидается</th></tr></thead>
    <tbody>${outlook.forecast.map(({ sector, mean, low, high }) => html`<tr key=${sector}><th scope="row">${sector}</th>
      <td class="num">${whole(mean)} <span class="muted">(${whole(low)}–${whole(high)})</span></td></tr>`)}</tbody></table></div>`;
}
