// New topics: groups of complaints that fit no topic; a draft for the catalogue, or dismissed.
import { html, useState } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Choice } from "../shell/controls.js";
import { DecisionButton, hereLink } from "../shell/evidence.js";
import { day, days, moment, number, percent, plain, plural, whole } from "../shell/format.js";
import { notify, sentenceOf, Shown, useData } from "../shell/states.js";

const DAYS = [["7", "7 дней"], ["14", "14 дней"], ["30", "30 дней"], ["60", "60 дней"]];
const SHOWN = [["", "не решённые"], ["all", "все"]];

export default function Topics({ query, session, title }) {
  const asked = { days: query.get("days") };
  const topics = useData(() => api("/v1/emerging", { query: asked }), [asked.days, query.get("region")]);
  const verdicts = useData(() => api("/v1/emerging/verdicts"), [query.get("region")]);
  const reload = () => { topics.reload(); verdicts.reload(); };
  const wanted = (value) => value.topics.filter((topic) => query.get("show") === "all" || !topic.verdict);
  return html`<h1>${title}</h1>
    <div class="toolbar">
      <${Choice} name="days" label="За последние" options=${DAYS} query=${query} ifAbsent="14" />
      <${Choice} name="show" label="Показать" options=${SHOWN} query=${query} />
    </div>
    <${Shown} of=${topics}>
      ${(value) => html`
        <p class="muted">${days(value.start, value.end)}: просмотрено ${plural(value.recent, "обращение", "обращения", "обращений")},
          из них ${whole(value.doubtful)} не подошли ни к одной теме.</p>
        ${value.enough_past ? null : html`<p class="banner warn">Прошлых обращений пока слишком мало, чтобы называть что-то новым.</p>`}
        ${value.unread ? html`<p class="banner">Ещё не прочитано текущей моделью: ${whole(value.unread)}. Обновите страницу позже.</p>` : null}
        ${wanted(value).length ? wanted(value).map((topic) => html`<${Topic} key=${topic.words.join()} topic=${topic} session=${session}
          reload=${reload} />`) : html`<p class="state empty">Новых тем нет.</p>`}`}
    <//>
    <h2>Решения по темам</h2>
    <${Shown} of=${verdicts} empty=${(value) => !value.verdicts.length} nothing="Решений пока не было.">
      ${(value) => html`<${Verdicts} verdicts=${value.verdicts} />`}
    <//>`;
}

function Topic({ topic, session, reload }) {
  const places = Object.entries(topic.municipalities);
  return html`<article class="card">
    <h2>${topic.words.join(", ")}</h2>
    <p>${topic.summary_ru}</p>
    <dl class="facts">
      <div><dt>обращений</dt><dd>${whole(topic.size)}</dd></div>
      <div><dt>растёт с</dt><dd>${day(topic.since)}</dd></div>
      <div><dt>было в день</dt><dd>${number(topic.per_day_before)}</dd></div>
      <div><dt>стало в день</dt><dd>${number(topic.per_day_now)}</dd></div>
      <div><dt>ближайшая тема</dt><dd>${topic.nearest}</dd></div>
      <div><dt>уверенность в ней</dt><dd>${percent(topic.confidence)}</dd></div>
    </dl>
    <p class="muted">Где: ${places.map(([place, count]) => `${place} — ${whole(count)}`).join(", ") || "места не указаны"}</p>
    <h3>Примеры</h3>
    <ul class="log">${topic.examples.map((each) => html`<li><p class="quote" dir="auto">${plain(each)}</p></li>`)}</ul>
    <${DecisionButton} session=${session} evidence=${evidenceOf(topic)} />
    ${topic.verdict ? html`<p class="banner good">${said(topic.verdict)}</p>` : null}
    ${session.may.includes("POST /v1/emerging/verdicts") ? html`<${VerdictForm} topic=${topic} session=${session} reload=${reload} />` : null}
  </article>`;
}

function evidenceOf({ words, size, since, per_day_before, per_day_now, municipalities, nearest }) {
  const data = { words, size, since, per_day_before, per_day_now, municipalities, nearest };
  return { kind: "topic", title: `Новая тема: ${words.join(", ")}`, link: hereLink(), data };
}

function said(verdict) {
  const what = verdict.verdict === "draft" ? `Черновик темы «${verdict.title}»` : "Отклонено";
  return `${what}: ${verdict.author}, ${moment(verdict.decided_at)}${verdict.note ? `. ${verdict.note}` : ""}`;
}

function VerdictForm({ topic, session, reload }) {
  const [open, setOpen] = useState(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const catalogue = useData(() => (open === "draft" ? api("/v1/catalogue") : Promise.resolve({ sectors: [] })), [open]);
  if (!open) {
    return html`<div class="toolbar"><button type="button" class="main" onClick=${() => setOpen("draft")}>Взять в рубрикатор черновиком</button>
      <button type="button" onClick=${() => setOpen("dismissed")}>Отклонить</button></div>`;
  }
  const submit = async (event) => {
    event.preventDefault();
    const typed = Object.fromEntries(new FormData(event.target));
    const { words, complaints } = topic;
    setBusy(true);
    setProblem(null);
    try {
      await api("/v1/emerging/verdicts", { method: "POST", body: { verdict: open, words, complaints, ...typed } });
      notify(open === "draft" ? "Черновик темы сохранён" : "Тема отклонена");
      setOpen(null);
      reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  const sectors = catalogue.value ? catalogue.value.sectors : [];
  return html`<form class="stack" onSubmit=${submit}>
    ${open === "draft" ? html`
      <label class="field">Название темы<input name="title" required maxlength="300" /></label>
      <label class="field">Отрасль<input name="sector" required maxlength="300" list="sectors" /></label>
      <datalist id="sectors">${sectors.map((each) => html`<option value=${each.name} />`)}</datalist>` : null}
    <label class="field">${open === "draft" ? "Пояснение" : "Почему это не тема"}<textarea name="note" maxlength="2000"></textarea></label>
    <label class="field">Кто решил<input name="author" required maxlength="200" value=${session.name} /></label>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : null}
    <div class="toolbar"><button class="main" type="submit" disabled=${busy}>${open === "draft" ? "Сохранить черновик" : "Отклонить"}</button>
      <button type="button" onClick=${() => setOpen(null)}>Не решать</button></div>
  </form>`;
}

function Verdicts({ verdicts }) {
  return html`<ul class="log">${verdicts.map((each) => html`<li>
    ${said(each)} <span class="muted">${plural(each.complaints, "обращение", "обращения", "обращений")}; ${each.words.join(", ")}</span>
    ${each.yaml ? html`<details><summary>Строки для рубрикатора</summary><pre class="card-text" tabindex="0">${each.yaml}</pre></details>` : null}
  </li>`)}</ul>`;
}
