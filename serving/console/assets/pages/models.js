// What serves, since when, what was refused and why; the model cards; to engineers also how it came to serve.
import { html } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { moment, percent, whole } from "../shell/format.js";
import { Shown, useData } from "../shell/states.js";
import { History } from "./models-history.js";

export default function Models({ query, session, title }) {
  const models = useData(() => api("/v1/models"), [query.get("region")]);
  return html`<h1>${title}</h1>
    <div><${Shown} of=${models} empty=${(value) => !value.models.length} nothing="Моделей нет.">
      ${(value) => value.models.map((model) => html`<${Model} key=${model.name} model=${model} />`)}
    <//></div>
    ${session.may.includes("GET /v1/models/history") ? html`<div><${History} query=${query} /></div>` : null}`;
}

function Model({ model }) {
  const { serving, refused, challenger } = model;
  return html`<section class="card">
    <h2>${model.name}</h2>
    ${serving
      ? html`<dl class="facts">
          <div><dt>Версия</dt><dd>${serving.version}</dd></div>
          <div><dt>Чемпион с</dt><dd>${moment(serving.promoted_at)}</dd></div>
          <div><dt>Загружена</dt><dd>${moment(serving.loaded_at)}</dd></div>
        </dl>`
      : html`<p class="banner warn">Не обслуживает: ${model.missing}</p>`}
    ${refused ? html`<p class="banner bad">Версия ${refused.version} отклонена ${moment(refused.refused_at)}: ${refused.reason}</p>` : null}
    ${challenger ? html`<${Challenger} challenger=${challenger} />` : null}
    ${serving && serving.card ? html`<details><summary>Карточка модели</summary><pre class="card-text" tabindex="0">${serving.card}</pre></details>` : null}
  </section>`;
}

function Challenger({ challenger }) {
  const rows = [
    ["отрасль", challenger.same_sector], ["тема", challenger.same_topic], ["исполнитель", challenger.same_agency],
    ["решение", challenger.same_decision],
  ];
  return html`<h3>Претендент, версия ${challenger.version}</h3>
    <p>Решает в тени с ${moment(challenger.loaded_at)}: ${whole(challenger.judged)} обращений.</p>
    ${challenger.judged ? html`<table class="table narrow">
      <caption>Совпадает с чемпионом</caption>
      <thead><tr><th scope="col">что</th><th scope="col" class="num">обращений</th><th scope="col" class="num">доля</th></tr></thead>
      <tbody>${rows.map(([name, same]) => html`<tr><th scope="row">${name}</th><td class="num">${whole(same)}</td>
        <td class="num">${percent(same / challenger.judged)}</td></tr>`)}</tbody></table>` : null}`;
}
