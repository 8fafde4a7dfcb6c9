// The complaints that a figure of «Показатели» counts: the address holds the figure and its days.
import { html } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Complaints } from "../shell/complaints.js";
import { countedOf } from "../shell/figures.js";
import { days } from "../shell/format.js";
import { href } from "../shell/router.js";
import { Shown, useData } from "../shell/states.js";

export default function ComplaintsOfFigure({ query, title }) {
  const [id, from, to, by, group] = ["counted_in", "from", "to", "by", "group"].map((name) => query.get(name));
  const kpis = useData(() => api("/v1/kpi", { query: { from, to, by } }), [from, to, by]);
  return html`<h1>${title}</h1>
    <${Shown} of=${kpis} empty=${(value) => !value.definitions.some((each) => each.id === id)} nothing="Такого показателя нет.">
      ${(value) => html`<${List} kpis=${value} id=${id} group=${by ? group : null} />`}<//>
    <p class="toolbar"><a class="button" href=${href("kpi", { from, to, by })}>← Показатели</a></p>`;
}

function List({ kpis, id, group }) {
  const definition = kpis.definitions.find((each) => each.id === id);
  const asked = { counted_in: id, since: kpis.start, until: kpis.end, ...(group === null ? {} : { by: kpis.by, group }) };
  const of = group === null ? kpis : kpis.groups.find((each) => each.name === group);
  return html`<h2>${definition.title_ru}${group === null ? null : `, ${group}`}, ${days(kpis.start, kpis.end)}</h2>
    <p class="muted">${definition.formula_ru}</p>
    <${Complaints} asked=${asked} all=${of && of.figures[id] ? countedOf(definition.unit, of.figures[id]) : null} nothing="Таких обращений нет." />`;
}
