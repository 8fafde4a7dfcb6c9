// Management decisions: what was decided because of what the figures said, by whom, until when, done or not.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Choice } from "../shell/controls.js";
import { dropDraft, keepDraft, readDraft } from "../shell/evidence.js";
import { changeText, intervalText, valueText } from "../shell/figures.js";
import { day, days, moment, number, plain } from "../shell/format.js";
import { change } from "../shell/router.js";
import { notify, sentenceOf, Shown, useData } from "../shell/states.js";

const STATUSES = [["", "все"], ["open", "в работе"], ["done", "выполнены"], ["dropped", "сняты"]];
const STATUS = { open: "в работе", done: "выполнено", dropped: "снято" };
const KINDS = { surge: "Всплеск", heatmap: "Клетка тепловой карты", topic: "Новая тема", kpi: "Показатель" };
const PATH = "/v1/management-decisions";
const NONE = "Решений пока нет. Запишите первое: с пустого места или от показателя, всплеска, клетки тепловой карты, новой темы.";

export default function Decisions({ query, session, title }) {
  const status = query.get("status");
  const decisions = useData(() => api(PATH, { query: { status } }), [status, query.get("region")]);
  const [closing, setClosing] = useState(null);
  const close = () => change({ new: null }, { replace: true });
  return html`<h1>${title}</h1>
    <div class="toolbar">
      <${Choice} name="status" label="Показать" options=${STATUSES} query=${query} />
      ${session.may.includes(`POST ${PATH}`) ? html`<button type="button" class="main" onClick=${() => change({ new: "1" })}>Записать решение</button>` : null}
    </div>
    <${Shown} of=${decisions} empty=${(value) => !value.decisions.length}
      nothing=${session.may.includes(`POST ${PATH}`) ? NONE : "Решений пока нет."}>
      ${(value) => html`<${Table} decisions=${value.decisions} onClose=${session.may.includes(`PATCH ${PATH}/{number}`) ? setClosing : null} />`}
    <//>
    ${query.get("new") === "1" && session.may.includes(`POST ${PATH}`) ? html`<${NewDecision} onClose=${close} onSaved=${() => { close(); decisions.reload(); }} />` : null}
    ${closing ? html`<${Closing} decision=${closing} onClose=${() => setClosing(null)}
      onSaved=${() => { setClosing(null); decisions.reload(); }} />` : null}`;
}

function Table({ decisions, onClose }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Решения"><table class="table decisions">
    <caption>Новые сверху</caption>
    <thead><tr><th scope="col">Решение</th><th scope="col">Исполнитель</th><th scope="col">Срок</th>
      <th scope="col">Состояние</th><th scope="col">Основание</th><th scope="col">Записано</th></tr></thead>
    <tbody>${decisions.map((each) => html`<tr key=${each.number}>
      <th scope="row" class="wide">${plain(each.what)}${each.result ? html`<p class="muted">Итог: ${plain(each.result)}</p>` : null}</th>
      <td>${plain(each.responsible)}</td>
      <td>${day(each.due_on, { year: true })}${each.overdue ? html` <span class="badge hot">просрочено</span>` : null}</td>
      <td><span class=${each.status === "done" ? "badge calm" : "badge"}>${STATUS[each.status]}</span>
        ${each.status === "open" && onClose ? html`<br /><button type="button" class="quiet" onClick=${() => onClose(each)}
          aria-label=${`Закрыть решение: ${each.what.slice(0, 80)}`}>Закрыть…</button>` : null}</td>
      <td class="wide">${each.evidence ? html`<${Evidence} evidence=${each.evidence} at=${each.created_at} />` : html`<span class="muted">без данных</span>`}</td>
      <td>${moment(each.created_at)}<br /><span class="muted">${each.author}</span></td></tr>`)}</tbody></table></div>`;
}

// The evidence as it was on the day the decision was recorded, with a link to what the page shows today.
function Evidence({ evidence, at }) {
  return html`<details><summary>${KINDS[evidence.kind]}: ${plain(evidence.title)}</summary>
    <p class="muted">Как было ${moment(at)}${evidence.link ? html` · <a href=${`/console/${evidence.link}`}>как сейчас</a>` : null}</p>
    <${Snapshot} evidence=${evidence} /></details>`;
}

function Snapshot({ evidence }) {
  const { figure, start, end, before_start: beforeStart, before_end: beforeEnd } = evidence.data;
  if (evidence.kind === "kpi" && figure) {
    const unit = UNITS[evidence.data.kpi] || "share";
    return html`<dl class="facts">
      <div><dt>${days(start, end)}</dt><dd>${valueText(unit, figure)}${intervalText(unit, figure) ? ` (${intervalText(unit, figure)})` : ""}, n = ${number(figure.n)}</dd></div>
      <div><dt>изменение к ${days(beforeStart, beforeEnd)}</dt><dd>${changeText(unit, figure) || "—"}</dd></div></dl>`;
  }
  const rows = Object.entries(evidence.data).filter(([, value]) => value === null || typeof value !== "object");
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt>
    <dd>${typeof value === "number" ? number(value) : plain(String(value ?? "—"))}</dd></div>`)}</dl>`;
}

const UNITS = {
  volume: "count", overdue: "count", routing_median: "hours", routing_p90: "hours", answer_median: "days", answer_p90: "days",
};

function Dialog({ title, onClose, onSubmit, children }) {
  const dialog = useRef(null);
  useEffect(() => { if (!dialog.current.open) dialog.current.showModal(); }, []);
  const send = (event) => { event.preventDefault(); onSubmit(); };
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
    <form onSubmit=${send}><h2 id="dialog-title">${title}</h2>${children}</form></dialog>`;
}

function NewDecision({ onClose, onSaved }) {
  const [draft, setDraft] = useState(readDraft);
  const [problem, setProblem] = useState(null);
  const set = (changes) => setDraft((old) => { const next = { ...old, ...changes }; keepDraft(next); return next; });
  const field = (name) => ({ value: draft[name] || "", onInput: (event) => set({ [name]: event.target.value }) });
  const submit = async () => {
    const { what, responsible, due_on: due, evidence } = draft;
    try {
      await api(PATH, { method: "POST", body: { what, responsible, due_on: due || null, evidence: evidence || null } });
    } catch (error) {
      setProblem(sentenceOf(error));
      return;
    }
    dropDraft();
    notify("Решение записано");
    onSaved();
  };
  return html`<${Dialog} title="Новое решение" onClose=${onClose} onSubmit=${submit}>
    <label class="field">Что решено<textarea required maxlength="2000" rows="3" ...${field("what")}></textarea></label>
    <label class="field">Кто исполняет<input required maxlength="300" ...${field("responsible")} /></label>
    <label class="field">Срок<input type="date" ...${field("due_on")} /></label>
    <div><p class="muted">Основание</p>
      ${draft.evidence ? html`<p>${KINDS[draft.evidence.kind]}: ${plain(draft.evidence.title)}
        <button type="button" class="quiet" onClick=${() => set({ evidence: null })}>Убрать</button></p>`
        : html`<p>Без данных. Чтобы решение опиралось на данные, начните с показателя, всплеска или клетки тепловой карты.</p>`}</div>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : null}
    <p class="actions"><button type="button" onClick=${onClose}>Отмена</button><button class="main">Записать</button></p><//>`;
}

function Closing({ decision, onClose, onSaved }) {
  const [result, setResult] = useState(decision.result || "");
  const [status, setStatus] = useState("done");
  const [problem, setProblem] = useState(null);
  const put = (body) => api(`${PATH}/${decision.number}`, { method: "PATCH", body });
  const submit = async () => {
    try {
      await put({ status, result: result || null });
    } catch (error) {
      setProblem(sentenceOf(error));
      return;
    }
    notify("Решение закрыто");
    onSaved();
  };
  return html`<${Dialog} title="Закрыть решение" onClose=${onClose} onSubmit=${submit}>
    <p>${plain(decision.what)}</p>
    <label class="field">Состояние<select value=${status} onChange=${(event) => setStatus(event.target.value)}>
      <option value="done">выполнено</option><option value="dropped">снято</option></select></label>
    <label class="field">Итог<textarea maxlength="2000" rows="3" value=${result} onInput=${(event) => setResult(event.target.value)}></textarea></label>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : null}
    <p class="actions"><button type="button" onClick=${onClose}>Отмена</button><button class="main">Сохранить</button></p><//>`;
}
