// One surge: what is known of it, its series, who has seen it, and the complaints behind it.
import { html, useState } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Chart } from "../shell/chart.js";
import { DecisionButton, hereLink } from "../shell/evidence.js";
import { day, days, moment, number, percent, plain, plusDays, whole } from "../shell/format.js";
import { Complaints } from "../shell/complaints.js";
import { useLive } from "../shell/live.js";
import { href } from "../shell/router.js";
import { notify, sentenceOf, Shown, useData } from "../shell/states.js";
import { notesOf, StateBadge } from "./surge-parts.js";

const MOVES_DAYS = 7;
const SUMS = ["весь регион", "все отрасли"];

export default function SurgePage({ query, session, title }) {
  const named = Object.fromEntries(["kind", "municipality", "sector", "start"].map((name) => [name, query.get(name)]));
  const data = useData(async () => {
    const [answer, notes] = await Promise.all([
      api("/v1/surges", { query: { closed: true, min_probability: 0 } }), api("/v1/surges/notes", { query: { limit: 2000 } }),
    ]);
    return { surge: find(answer.surges, named), notes: notes.notes, asOf: answer.as_of };
  }, [query.toString()]);
  useLive(["surges", "models"], data.reload);
  return html`<h1>${title}</h1>
    <${Shown} of=${data} empty=${(value) => !value.surge}
      nothing=${html`Такого всплеска в последних данных нет: он закончился давно, или данные уточнились.${" "}
        <a href=${href("surges", {})}>Все всплески</a>`}>
      ${(value) => html`<${One} surge=${value.surge} notes=${notesOf(value.surge, value.notes)} session=${session} reload=${data.reload} />`}
    <//>`;
}

// The first day of a surge may move while it grows: the nearest of the same place and sector is meant.
function find(surges, named) {
  const same = surges.filter((surge) => surge.kind === named.kind && surge.municipality === named.municipality
    && surge.sector === named.sector);
  return same.find((surge) => surge.start === named.start)
    || same.find((surge) => named.start >= plusDays(surge.start, -MOVES_DAYS) && named.start <= surge.end);
}

function One({ surge, notes, session, reload }) {
  const place = SUMS.includes(surge.municipality) ? null : surge.municipality;
  const sector = SUMS.includes(surge.sector) ? null : surge.sector;
  const name = `${surge.municipality}, ${surge.sector}`;
  return html`
    <h2>${name} <${StateBadge} surge=${surge} /></h2>
    <dl class="facts">
      <div><dt>дни</dt><dd>${days(surge.start, surge.end)}</dd></div>
      <div><dt>${surge.observed === null ? "прогноз" : "пришло"}</dt><dd>${surge.observed === null ? number(surge.forecast) : whole(surge.observed)}</dd></div>
      <div><dt>обычно</dt><dd>${number(surge.expected)}</dd></div>
      <div><dt>сверх обычного</dt><dd>${number(surge.excess)}</dd></div>
      <div><dt>вероятность</dt><dd>${percent(surge.probability)}</dd></div>
      ${surge.noticed ? html`<div><dt>замечен</dt><dd>${day(surge.noticed)}</dd></div>` : null}
      ${surge.closed ? html`<div><dt>закончился</dt><dd>${day(surge.closed)}</dd></div>` : null}
    </dl>
    ${surge.reasons.length ? html`<ul class="plain">${surge.reasons.map((each) => html`<li>${each}</li>`)}</ul>` : null}
    <${Chart} path="/v1/series/chart" query=${{ municipality: place, sector }} label=${`График ряда: ${name}`} />
    <p class="toolbar"><a href=${href("series", { municipality: place, sector })}>Открыть ряд с таблицей по дням</a>
      <${DecisionButton} session=${session} evidence=${{ kind: "surge", title: `Всплеск: ${name}`, link: hereLink(), data: surge }} /></p>
    <div class="columns">
      <section aria-labelledby="seen-title"><h2 id="seen-title">Отметки</h2>
        ${session.may.includes("POST /v1/surges/notes") ? html`<${NoteForm} surge=${surge} session=${session} reload=${reload} />` : null}
        <${Notes} notes=${notes} /></section>
      ${session.may.includes("GET /v1/complaints") ? html`<section aria-labelledby="behind-title"><h2 id="behind-title">Обращения за всплеском</h2>
        <${Behind} surge=${surge} place=${place} sector=${sector} /></section>` : null}
    </div>`;
}

function NoteForm({ surge, session, reload }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    const typed = Object.fromEntries(new FormData(form));
    const { kind, municipality, sector, start } = surge;
    setBusy(true);
    setProblem(null);
    try {
      await api("/v1/surges/notes", { method: "POST", body: { kind, municipality, sector, start, ...typed } });
      form.elements.note.value = "";
      notify("Отметка сохранена");
      reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return html`<form onSubmit=${submit} class="stack">
    <label class="field">Кто отметил<input name="author" required maxlength="200" value=${session.name} /></label>
    <label class="field">Что известно, что сделано<textarea name="note" maxlength="2000"></textarea></label>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : null}
    <div><button class="main" type="submit" disabled=${busy}>Отметить всплеск</button></div>
  </form>`;
}

function Notes({ notes }) {
  if (!notes.length) return html`<p class="muted">Этот всплеск ещё никто не отметил.</p>`;
  return html`<ul class="log">${notes.map((note) => html`<li><b>${note.author}</b> <span class="muted">${moment(note.noted_at)}</span>
    ${note.note ? html`<p class="quote" dir="auto">${plain(note.note)}</p>` : null}</li>`)}</ul>`;
}

// The complaints of the surge's days.
function Behind({ surge, place, sector }) {
  const asked = { municipality: place, sector, since: surge.start, until: surge.end };
  return html`<${Complaints} asked=${asked}
    nothing="В хранилище нет обращений за эти дни: счётчики всплеска пришли из другой системы." />`;
}
