// How a region's models came to serve: the last report on drift, versions with the gate's words, promotions.
import { html } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { moment } from "../shell/format.js";
import { Shown, useData } from "../shell/states.js";

export function History({ query }) {
  const history = useData(() => api("/v1/models/history"), [query.get("region")]);
  return html`<${Shown} of=${history}>${(value) => html`
    <${Drift} drift=${value.drift} />
    ${value.models.map((each) => html`<${Versions} key=${each.name} model=${each} mlflow=${value.mlflow_url} />`)}
    ${value.mlflow_url ? null : html`<p class="muted">Ссылки в MLflow появятся, если указать его адрес: console.mlflow_url в configs/serving.yaml.</p>`}`}<//>`;
}

function Drift({ drift }) {
  return html`<section class="card"><h2>Изменились ли обращения</h2>
    ${drift ? html`<p class=${drift.alarm ? "banner bad" : "banner"}>${moment(drift.at)}: ${drift.alarm ? "тревога" : "тревоги нет"}. <span lang="en">${drift.says}</span></p>
      <details><summary>Весь отчёт</summary><pre class="card-text" tabindex="0" lang="en">${drift.report}</pre></details>`
      : html`<p>Отчёта ещё нет. Его составляет команда <code>tsur drift</code>.</p>`}
  </section>`;
}

function Versions({ model, mlflow }) {
  const { name, versions, promotions } = model;
  return html`<section class="card"><h2>${name}: обучения и повышения</h2>
    ${versions.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`${name}: версии`}><table class="table history">
      <caption>Последние версии и что о них сказала проверка</caption>
      <thead><tr><th scope="col" class="num">версия</th><th scope="col">зарегистрирована</th><th scope="col">проверка</th>
        <th scope="col">запуск в MLflow</th></tr></thead>
      <tbody>${versions.map((each) => html`<tr key=${each.version}><th scope="row" class="num">${each.version}</th>
        <td>${moment(each.registered_at)}</td><td><${Gate} gate=${each.gate} /></td>
        <td><${Run} name=${name} each=${each} mlflow=${mlflow} /></td></tr>`)}</tbody></table></div>`
      : html`<p>Версий нет.</p>`}
    ${promotions.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`${name}: чемпионы`}><table class="table history">
      <caption>Кто и когда становился чемпионом</caption>
      <thead><tr><th scope="col" class="num">версия</th><th scope="col" class="num">вместо</th><th scope="col">когда</th>
        <th scope="col">кем</th><th scope="col">почему</th></tr></thead>
      <tbody>${promotions.map((each) => html`<tr><th scope="row" class="num">${each.version}</th><td class="num">${each.previous ?? "—"}</td>
        <td>${moment(each.promoted_at)}</td><td>${each.promoted_by}</td><td>${each.why || "—"}</td></tr>`)}</tbody></table></div>` : null}
  </section>`;
}

function Gate({ gate }) {
  if (!gate) return html`<span class="muted">не проводилась</span>`;
  return html`<span class=${gate.passed ? "badge calm" : "badge hot"}>${gate.passed ? "пройдена" : "не пройдена"}</span>
    ${" "}против версии ${gate.champion}: <span lang="en">${gate.says}</span>`;
}

// MLflow shows a run beside the version that it made.
function Run({ name, each, mlflow }) {
  if (!each.run) return "—";
  return mlflow
    ? html`<a href=${`${mlflow.replace(/\/$/, "")}/#/models/${encodeURIComponent(name)}/versions/${each.version}`} target="_blank" rel="noopener">${each.run}</a>`
    : html`<code>${each.run}</code>`;
}
