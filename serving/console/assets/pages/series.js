// One series: history, forecast with its interval, surges, holidays; what came against what had been said; in words.
import { html } from "../vendor/htm-preact.js";
import { api, csvAddress } from "../shell/api.js";
import { Chart } from "../shell/chart.js";
import { Choice, DateField } from "../shell/controls.js";
import { DecisionButton, hereLink } from "../shell/evidence.js";
import { day, days, number, percent, whole } from "../shell/format.js";
import { useLive } from "../shell/live.js";
import { change } from "../shell/router.js";
import { Shown, useData } from "../shell/states.js";
import { StateBadge, surgeLink } from "./surge-parts.js";

const HORIZONS = [["7", "7 дней"], ["14", "14 дней"], ["30", "30 дней"], ["60", "60 дней"]];
const LEVELS = [["0.5", "50 %"], ["0.8", "80 %"], ["0.95", "95 %"]];
const PASTS = [["28", "4 недели"], ["56", "8 недель"]];
const PARAMETERS = ["municipality", "sector", "horizon", "level", "past", "as_of"];
const METHODS = {
  prophet: "Prophet", auto_ets: "AutoETS", weekday_mean: "среднее по дням недели", seasonal_naive: "как неделю назад",
  combination: "среднее нескольких методов",
};
const KINDS = { weekend: "выходной", holiday: "праздник", short: "сокращённый день" };

export default function Series({ query, session, title }) {
  const asked = Object.fromEntries(PARAMETERS.map((name) => [name, query.get(name)]));
  const series = useData(() => api("/v1/series", { query: asked }), [query.toString()]);
  useLive(["surges", "models"], series.reload);
  return html`<h1>${title}</h1>
    <${Shown} of=${series}>${(value) => html`<${One} series=${value} query=${query} asked=${asked} session=${session} />`}<//>`;
}

// What a decision from this page rests on: the cell of the heat map, as it was on that day.
function evidenceOf(series, name) {
  const { last, origin, method, fit } = series;
  return { kind: "heatmap", title: `Ряд: ${name}`, link: hereLink(), data: { series: name, last, origin, method, fit } };
}

function One({ series, query, asked, session }) {
  const level = query.get("level") || "0.8";
  const place = series.known.find((each) => each.municipality === series.municipality);
  const name = `${series.municipality}, ${series.sector}`;
  const pickPlace = (event) => {
    const next = series.known.find((each) => each.municipality === event.target.value);
    const sector = next.sectors.includes(series.sector) ? series.sector : next.sectors[0];
    change({ municipality: next.municipality, sector });
  };
  return html`
    <div class="toolbar">
      <label class="field">Муниципалитет<select value=${series.municipality} onChange=${pickPlace}>
        ${series.known.map((each) => html`<option value=${each.municipality} selected=${each === place}>${each.municipality}</option>`)}</select></label>
      <label class="field">Отрасль<select value=${series.sector} onChange=${(event) => change({ sector: event.target.value })}>
        ${place.sectors.map((each) => html`<option value=${each} selected=${each === series.sector}>${each}</option>`)}</select></label>
      <${Choice} name="past" label="История" options=${PASTS} query=${query} ifAbsent="56" />
      <${Choice} name="horizon" label="Прогноз на" options=${HORIZONS} query=${query} ifAbsent="14" />
      <${Choice} name="level" label="Интервал" options=${LEVELS} query=${query} ifAbsent="0.8" />
      <${DateField} name="as_of" label="По день включительно" query=${query} />
      <span class="gap"></span>
      <${DecisionButton} session=${session} evidence=${evidenceOf(series, name)} />
      <a class="button" href=${csvAddress("/v1/series", asked)} download="series.csv">CSV</a>
    </div>
    ${series.stale ? html`<p class="banner warn">Прогноз построен по данным до ${day(series.origin)} и закончился:
      его нужно обновить на свежих счётчиках. Обратитесь к инженеру.</p>` : null}
    <h2>${name}</h2>
    <${Chart} path="/v1/series/chart" query=${asked} label=${`График: ${name}. Числа — в таблице по дням ниже.`} />
    <${Legend} level=${level} />
    <div class="columns">
      <section><h2>Что это за ряд</h2>
        <ul class="plain">${series.words.map((each) => html`<li>${each}</li>`)}</ul>
        <p class="muted">Прогноз: ${METHODS[series.method] || series.method}; модель версии ${series.model.version}, данные по ${day(series.last)}.</p>
      </section>
      <section><h2>Что обещали и что пришло</h2><${Fit} fit=${series.fit} /></section>
    </div>
    <${Surges} series=${series} />
    <h2>По дням</h2>
    <${Days} series=${series} level=${Number(level)} name=${name} />`;
}

function Legend({ level }) {
  return html`<ul class="legend" aria-label="Обозначения">
    <li><span class="swatch series" aria-hidden="true"></span>пришло (точка — выходной или праздник)</li>
    <li><span class="swatch forecast" aria-hidden="true"></span>ожидалось (пунктир) и интервал ${percent(level)}</li>
    <li><span class="swatch more-1" aria-hidden="true"></span>дни всплеска</li>
  </ul>`;
}

function Fit({ fit }) {
  if (!fit) return html`<p class="muted">Дней, для которых есть прошлый прогноз, пока нет.</p>`;
  return html`<dl class="facts">
      <div><dt>дней</dt><dd>${whole(fit.days)}</dd></div>
      <div><dt>пришло</dt><dd>${whole(fit.came)}</dd></div>
      <div><dt>ожидалось</dt><dd>${whole(fit.said)}</dd></div>
      <div><dt>средняя ошибка</dt><dd>${percent(fit.error)}</dd></div>
      <div><dt>внутри интервала</dt><dd>${percent(fit.inside)}</dd></div>
    </dl>
    <p class="muted">Ошибка — сумма отклонений по дням к сумме пришедшего. Внутри интервала ${percent(fit.level)} должно лежать
      примерно столько же дней.</p>`;
}

function Surges({ series }) {
  if (!series.surges.length) return html`<h2>Всплески</h2><p class="muted">За эти дни всплесков не было.</p>`;
  return html`<h2>Всплески</h2><div class="scroll"><table class="table">
    <thead><tr><th scope="col">состояние</th><th scope="col">дни</th><th scope="col">где</th>
      <th scope="col" class="num">пришло</th><th scope="col" class="num">обычно</th><th scope="col">почему</th></tr></thead>
    <tbody>${series.surges.map((surge) => html`<tr>
      <td><${StateBadge} surge=${surge} /></td>
      <td><a href=${surgeLink(surge)}>${days(surge.start, surge.end)}</a></td>
      <td>${surge.municipality}, ${surge.sector}</td>
      <td class="num">${surge.observed === null ? `прогноз ${number(surge.forecast)}` : whole(surge.observed)}</td>
      <td class="num">${number(surge.expected)}</td><td class="wide">${surge.reasons.join("; ") || "—"}</td></tr>`)}
    </tbody></table></div>`;
}

function Days({ series, level, name }) {
  const [low, high] = [`q${Number((50 * (1 - level)).toFixed(4))}`, `q${Number((50 * (1 + level)).toFixed(4))}`];
  const newest = [...series.days].reverse();
  return html`<div class="scroll day-scroll" tabindex="0" role="region" aria-label="Таблица по дням"><table class="table">
    <caption>${name}: пришло, ожидалось и интервал ${percent(level)}; будущие дни сверху</caption>
    <thead><tr><th scope="col">день</th><th scope="col" class="num">пришло</th><th scope="col" class="num">ожидалось</th>
      <th scope="col" class="num">от</th><th scope="col" class="num">до</th><th scope="col">календарь</th></tr></thead>
    <tbody>${newest.map((each) => html`<tr key=${each.date}><th scope="row">${day(each.date)}</th>
      <td class="num">${whole(each.count)}</td><td class="num">${number(each.expected)}</td>
      <td class="num">${whole(each.quantiles[low])}</td><td class="num">${whole(each.quantiles[high])}</td>
      <td>${each.name || KINDS[each.kind] || ""}</td></tr>`)}</tbody></table></div>`;
}
