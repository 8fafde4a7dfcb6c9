// What a regional centre is judged by: each number with n, interval and formula; tables by agency and municipality.
import { html } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Choice, DateField } from "../shell/controls.js";
import { DecisionButton, hereLink } from "../shell/evidence.js";
import { changeText, countedOf, FEW, intervalText, judged, valueText } from "../shell/figures.js";
import { day, days, moment, plusDays, whole } from "../shell/format.js";
import { change, href } from "../shell/router.js";
import { Shown, useData } from "../shell/states.js";
import { Outlook } from "./kpi-outlook.js";

const SECTIONS = [
  ["Сроки", ["deadlines_met", "overdue", "answer_median", "answer_p90", "rerouted"]],
  ["Поток", ["volume", "repeats", "routing_median", "routing_p90"]],
  ["Маршрутизация", ["routed", "reviewed", "corrected", "agreement_agency", "agreement_topic", "agreement_sector"]],
  ["Управление", ["evidence"]],
];
// Figures that are not of complaints: there is no list of them.
const NOT_COUNTED = ["evidence"];
const COLUMNS = ["volume", "deadlines_met", "overdue", "answer_median", "answer_p90", "rerouted", "repeats"];
const BY = [["agency", "исполнители"], ["municipality", "муниципалитеты"], ["sector", "отрасли"], ["source", "источники"]];
const VERDICTS = { better: "лучше", worse: "хуже", chance: "в пределах случайного", neither: "" };
const TONES = { better: "badge calm", worse: "badge hot", chance: "badge", neither: "badge" };

export default function Kpi({ query, session, title }) {
  const by = query.get("by") || "agency";
  const asked = { from: query.get("from"), to: query.get("to"), by };
  const kpis = useData(() => api("/v1/kpi", { query: asked }), [query.toString()]);
  const outlook = useData(() => api("/v1/kpi/outlook", { query: { from: asked.from, to: asked.to } }), [asked.from, asked.to]);
  return html`<h1>${title}</h1>
    <${Toolbar} query=${query} kpis=${kpis.value} session=${session} />
    <${Shown} of=${kpis}>${(value) => html`<${Figures} kpis=${value} session=${session} />
      <${Shown} of=${outlook}>${(told) => html`<${Outlook} outlook=${told} session=${session} />`}<//>
      <${Groups} kpis=${value} by=${by} query=${query} session=${session} />`}<//>`;
}

function Toolbar({ query, kpis, session }) {
  const length = kpis ? (Date.parse(kpis.end) - Date.parse(kpis.start)) / 86400000 + 1 : 7;
  const step = (sign) => change({ from: plusDays(kpis.start, sign * length), to: plusDays(kpis.end, sign * length) });
  const week = kpis && isoWeek(kpis.start, length);
  const elsewhere = query.get("region") && query.get("region") !== session.region;
  return html`<div class="toolbar">
    <button type="button" disabled=${!kpis} onClick=${() => step(-1)}>← Раньше</button>
    <button type="button" disabled=${!kpis} onClick=${() => step(1)}>Позже →</button>
    <${DateField} name="from" label="С" query=${shownDays(query, kpis)} />
    <${DateField} name="to" label="По" query=${shownDays(query, kpis)} />
    ${query.get("from") || query.get("to")
      ? html`<button type="button" class="quiet" onClick=${() => change({ from: null, to: null })}>Прошлая неделя</button>` : null}
    <span class="gap"></span>
    ${week && !elsewhere ? html`<a class="button" href=${`/v1/report?week=${week}`} target="_blank" rel="noopener">Отчёт за неделю, PDF</a>` : null}
  </div>`;
}

// The days that the page shows, also where the address names none or only one of them.
function shownDays(query, kpis) {
  return new URLSearchParams({ from: query.get("from") || (kpis ? kpis.start : ""), to: query.get("to") || (kpis ? kpis.end : "") });
}

// `2026-W47` where the span is a week from Monday to Sunday.
function isoWeek(start, length) {
  const monday = new Date(`${start}T00:00:00Z`);
  if (length !== 7 || monday.getUTCDay() !== 1) return null;
  const thursday = new Date(monday.getTime() + 3 * 86400000);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const number = Math.floor((thursday - first) / (7 * 86400000)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(number).padStart(2, "0")}`;
}

function Figures({ kpis, session }) {
  const defined = Object.fromEntries(kpis.definitions.map((each) => [each.id, each]));
  return html`<p class="muted">${days(kpis.start, kpis.end)} в сравнении с ${days(kpis.before_start, kpis.before_end)}.
      Посчитано ${moment(kpis.as_of)}. В скобках — интервал 95 %; доли и квантили менее чем из ${kpis.least} не показаны.</p>
    <${Daily} daily=${kpis.daily} />
    ${SECTIONS.map(([name, ids]) => html`<section aria-label=${name}><h2>${name}</h2>
      <ul class="tiles figures">${ids.map((id) => html`<${Tile} key=${id} definition=${defined[id]} figure=${kpis.figures[id]}
        kpis=${kpis} session=${session} />`)}</ul></section>`)}`;
}

function Tile({ definition, figure, kpis, session }) {
  const { unit } = definition;
  const interval = intervalText(unit, figure);
  return html`<li class="tile figure">
    <h3>${definition.title_ru}</h3>
    <p class=${figure.value === null ? "value muted" : "value"}>${valueText(unit, figure)}</p>
    <p class="muted">${interval ? html`(${interval}) ` : null}${unit === "count" ? null : html`<span class="nowrap">n = ${whole(figure.n)}</span>`}</p>
    <${Change} definition=${definition} figure=${figure} />
    <${Counted} definition=${definition} figure=${figure} kpis=${kpis} session=${session} />
    <details><summary>Формула</summary><p>${definition.formula_ru}</p>
      <${DecisionButton} session=${session} evidence=${evidenceOf(definition, figure, kpis)} />
    </details></li>`;
}

// A link to the complaints that the figure counts, for those who may read them.
function Counted({ definition, figure, kpis, session }) {
  const counted = countedOf(definition.unit, figure);
  if (NOT_COUNTED.includes(definition.id) || !counted || !session.may.includes("GET /v1/complaints")) return null;
  return html`<p><a href=${href("complaints", { counted_in: definition.id, from: kpis.start, to: kpis.end })}
    aria-label=${`${definition.title_ru}: список обращений, ${whole(counted)}`}>список: ${whole(counted)}</a></p>`;
}

function evidenceOf(definition, figure, kpis) {
  const { start, end, before_start, before_end, as_of } = kpis;
  const link = `kpi?from=${start}&to=${end}`;
  const title = `${definition.title_ru}: ${valueText(definition.unit, figure)}, ${days(start, end)}`;
  return { kind: "kpi", title, link, data: { kpi: definition.id, start, end, before_start, before_end, as_of, figure } };
}

function Change({ definition, figure }) {
  const text = changeText(definition.unit, figure);
  if (text === null) return html`<p class="muted">не с чем сравнить</p>`;
  const verdict = judged(definition, figure);
  return html`<p><span class=${TONES[verdict]}>${text}</span>${" "}<span class="muted">${VERDICTS[verdict]}</span></p>`;
}

// Complaints a day, the span before in a paler colour: bars with their numbers, and the same as a table.
function Daily({ daily }) {
  const most = Math.max(1, ...daily.map((each) => each.count));
  const half = daily.length / 2;
  if (daily.length > 62) return null;
  const step = 700 / daily.length;
  const few = daily.length <= 28;
  return html`<figure class="daily">
    <figcaption class="muted">Обращений в день: предыдущий период (светлые столбцы) и этот</figcaption>
    <div class="scroll" tabindex="0" role="region" aria-label="График по дням">
    <svg viewBox="0 0 700 110" role="img" aria-label="Обращений в день; числа в таблице ниже">
      ${daily.map(({ date, count }, place) => html`<g key=${date}>
        <rect class=${place < half ? "bar-before" : "bar-now"} x=${place * step + 1} width=${step - 2}
          y=${90 - 72 * count / most} height=${72 * count / most} />
        ${few ? html`<text class="bar-label" x=${(place + .5) * step} y=${86 - 72 * count / most}>${count}</text>
          <text class="bar-label" x=${(place + .5) * step} y="104">${day(date)}</text>` : null}</g>`)}
    </svg></div>
    <details><summary>Таблица по дням</summary><div class="scroll"><table class="table narrow">
      <thead><tr><th scope="col">день</th><th scope="col" class="num">обращений</th></tr></thead>
      <tbody>${daily.map(({ date, count }) => html`<tr><th scope="row">${day(date)}</th><td class="num">${whole(count)}</td></tr>`)}</tbody>
    </table></div></details></figure>`;
}

function Groups({ kpis, by, query, session }) {
  const defined = Object.fromEntries(kpis.definitions.map((each) => [each.id, each]));
  const name = Object.fromEntries(BY)[by];
  return html`<section aria-label="Таблица"><h2>По группам</h2>
    <div class="toolbar"><${Choice} name="by" label="Кого сравнить" options=${BY} query=${query} ifAbsent="agency" /></div>
    ${kpis.groups.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`Показатели: ${name}`}><table class="table groups">
      <caption>По числу обращений. Под числом — интервал 95 % и n.</caption>
      <thead><tr><th scope="col">${name}</th>
        ${COLUMNS.map((id) => html`<th scope="col" class="num">${defined[id].title_ru}</th>`)}</tr></thead>
      <tbody>${kpis.groups.map((group) => html`<tr key=${group.name}><th scope="row" class="wide">${group.name}</th>
        ${COLUMNS.map((id) => html`<${Cell} key=${id} definition=${defined[id]} figure=${group.figures[id]}
          of=${session.may.includes("GET /v1/complaints") ? { from: kpis.start, to: kpis.end, by, group: group.name } : null} />`)}</tr>`)}</tbody>
    </table></div>` : html`<p class="state">За эти дни обращений нет.</p>`}</section>`;
}

// A number, a link to its complaints where one may read them.
function Cell({ definition, figure, of }) {
  const { id, unit, title_ru: title } = definition;
  const interval = intervalText(unit, figure);
  const text = valueText(unit, figure);
  const link = of && countedOf(unit, figure) ? href("complaints", { counted_in: id, ...of }) : null;
  return html`<td class="num">${text === FEW ? html`<span class="muted">${FEW}</span>`
    : link ? html`<a href=${link} aria-label=${`${of.group}, ${title}: ${text}, список обращений`}>${text}</a>` : text}
    ${unit === "count" ? null : html`<small class="muted">${interval ? `${interval}, ` : ""}n = ${whole(figure.n)}</small>`}</td>`;
}
