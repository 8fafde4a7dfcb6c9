// An operator's desk: the most urgent complaint of the queue, or the one that teaches most, what the model proposes, one key to confirm it.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { Choice } from "../shell/controls.js";
import { moment, plain, plural, whole } from "../shell/format.js";
import { Empty, Failure, Loading, Shown, sentenceOf, useData } from "../shell/states.js";
import { Proposals, Search } from "./desk-choice.js";
import { Facts, Message, nextToSplit, sourceName } from "./desk-message.js";
import { KEYS, agencySlots, confirms, meaning, topicSlots } from "./desk-rules.js";
import { useDesk } from "./desk-state.js";

const FILTERS = ["sector", "municipality", "source", "order"];
const ORDERS = [["", "срочные"], ["instructive", "спорные: учат модель"]];
const FIELDS = "input:not([type=radio]):not([type=checkbox]), textarea, select";

export default function Desk({ query, title }) {
  const filter = Object.fromEntries(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  const desk = useDesk(filter);
  const [keysOn, setKeysOn] = useState(localStorage.getItem("desk-keys") !== "off");
  const turnKeys = (on) => { localStorage.setItem("desk-keys", on ? "on" : "off"); setKeysOn(on); };
  return html`<h1>${title}</h1>
    <${Toolbar} query=${query} desk=${desk} keysOn=${keysOn} onKeys=${turnKeys} />
    ${desk.taken ? html`<${Taken} taken=${desk.taken} />` : null}
    ${desk.error ? html`<${Failure} error=${desk.error} onRetry=${desk.start} />`
      : desk.entry ? html`<${Work} desk=${desk} keysOn=${keysOn} />`
      : desk.waiting === null ? html`<${Loading} />` : html`<${Nothing} waiting=${desk.waiting} />`}
    <${Queue} desk=${desk} query=${query} />`;
}

function Nothing({ waiting }) {
  return waiting ? html`<${Empty}>Свободных обращений нет: ${plural(waiting, "обращение", "обращения", "обращений")} у других операторов или
      отложены. Новые появятся здесь сами.<//>`
    : html`<${Empty}>Все обращения разобраны. Новые появятся здесь сами.<//>`;
}

function Toolbar({ query, desk, keysOn, onKeys }) {
  const counts = useData(() => api("/v1/queue", { query: { limit: 0 } }), [query.get("region"), desk.entry && desk.entry.name]);
  const kinds = (name) => (counts.value ? counts.value[name] : []).filter((each) => each.name !== null);
  const options = (name, text = (each) => each) => [["", "все"], ...kinds(name).map((each) => (
    [each.name, `${text(each.name)} (${whole(each.count)})`]))];
  const kept = (list, name) => (list.some(([value]) => value === (query.get(name) || "")) ? list : [...list, [query.get(name), query.get(name)]]);
  return html`<div class="toolbar">
    <${Choice} name="sector" label="Отрасль" query=${query} options=${kept(options("sectors"), "sector")} />
    <${Choice} name="municipality" label="Муниципалитет" query=${query} options=${kept(options("municipalities", plain), "municipality")} />
    <${Choice} name="source" label="Источник" query=${query} options=${kept(options("sources", sourceName), "source")} />
    <${Choice} name="order" label="Сначала" query=${query} options=${ORDERS} />
    <label class="check"><input type="checkbox" checked=${keysOn} onChange=${(event) => onKeys(event.target.checked)} />Горячие клавиши</label>
    <span class="gap"></span>
    ${counts.value ? html`<p class="waiting">Ждут: <b>${whole(counts.value.waiting)}</b>${counts.value.overdue
      ? html`, просрочено: <b class="problem">${whole(counts.value.overdue)}</b>` : null}</p>` : null}
  </div>`;
}

function Taken({ taken }) {
  const { answer } = taken;
  const what = answer ? `: ${answer.labels.topic || answer.labels.sector || ""} → ${answer.labels.agency || "без исполнителя"} (${moment(answer.at)})` : "";
  return html`<p class="banner warn" role="alert">Обращение ${taken.id} уже решил другой оператор${what}. Ваше решение не записано.</p>`;
}

function Work({ desk, keysOn }) {
  const { complaint, topics, agencies, words } = desk.entry;
  const box = useRef(null);
  const why = useRef(null);
  const confirming = confirms(complaint, desk.choice);
  const next = nextToSplit(complaint);
  const act = {
    send: desk.send, later: desk.later, undo: desk.undo,
    search: () => box.current.focus(), why: () => why.current.focus(), split: () => next && desk.split(next),
  };
  useKeys(keysOn, (pressed) => {
    if (pressed.action) act[pressed.action]();
    const topic = topicSlots(complaint)[pressed.topic];
    const agency = agencySlots(complaint, topics, desk.choice)[pressed.agency];
    if (topic) desk.pickTopic(topic);
    if (agency) desk.pickAgency(agency);
  });
  const found = (hit) => (hit.kind === "topic" ? desk.pickTopic(hit) : desk.pickAgency(hit.agency));
  const leave = (event) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault();
    event.target.blur(); // keys are shortcuts again
    if (event.key === "Enter") desk.send();
  };
  return html`<div class="desk">
    <div class="card"><${Facts} complaint=${complaint} />
      <${Message} complaint=${complaint} words=${words} onSplit=${desk.split} onUnsplit=${desk.unsplit} /></div>
    <div class="card">
      <${Proposals} complaint=${complaint} topics=${topics} choice=${desk.choice} onTopic=${desk.pickTopic} onAgency=${desk.pickAgency} />
      <${Search} key=${complaint.id} topics=${topics} agencies=${agencies} sectors=${complaint.proposals.sectors} box=${box}
        onPick=${found} />
      <label class="field">Почему (необязательно, увидят коллеги) (${KEYS.why})
        <input ref=${why} type="text" maxlength="1000" value=${desk.why} onInput=${(event) => desk.setWhy(event.target.value)} onKeyDown=${leave} /></label>
      ${desk.trouble ? html`<p class="banner bad" role="alert">Пока не записано. ${reasonOf(desk.trouble)}</p>` : null}
      <div class="actions">
        <button type="button" class="main" disabled=${desk.sending} onClick=${desk.send}>${desk.sending ? "Записываем…"
          : confirming ? "Верно" : "Исправить"} <kbd>${KEYS.send}</kbd></button>
        <button type="button" disabled=${desk.sending} onClick=${desk.later}>Позже <kbd>${KEYS.later}</kbd></button>
        <button type="button" disabled=${!desk.canUndo || desk.sending} onClick=${desk.undo}>Отменить прошлое <kbd>${KEYS.undo}</kbd></button>
      </div>
      <${Help} />
    </div>
    <p class="hidden" role="status">Обращение ${complaint.id}, ${complaint.decided.topic}</p>
  </div>`;
}

function reasonOf(trouble) {
  return trouble.code === "unknown_label" ? "Такой темы или исполнителя в рубрикаторе больше нет: выберите другие." : sentenceOf(trouble);
}

function Help() {
  return html`<p class="muted small"><kbd>1</kbd>–<kbd>5</kbd> тема, <kbd>6</kbd>–<kbd>0</kbd> исполнитель, <kbd>${KEYS.send}</kbd> записать,
    <kbd>${KEYS.search}</kbd> искать, <kbd>${KEYS.why}</kbd> почему, <kbd>${KEYS.split}</kbd> отделить проблему, <kbd>${KEYS.later}</kbd> позже,
    <kbd>${KEYS.undo}</kbd> отменить прошлое, <kbd>Esc</kbd> выйти из поля. Раскладка не важна. ● — решение модели.</p>`;
}

// Keys pressed beside all fields and buttons; none while a dialog is open.
function useKeys(on, act) {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!on) return undefined;
    const press = (event) => {
      if (event.defaultPrevented || event.repeat || event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
      if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
      const pressed = meaning(event);
      if (!pressed) return;
      event.preventDefault();
      latest.current(pressed);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [on]);
}

// What else waits; opened when it is asked for, for each row shown is somebody's complaint that was seen.
function Queue({ desk, query }) {
  const [open, setOpen] = useState(false);
  return html`<details class="queue" onToggle=${(event) => setOpen(event.target.open)}><summary>Очередь</summary>
    ${open ? html`<${Rows} desk=${desk} query=${query} />` : null}</details>`;
}

function Rows({ desk, query }) {
  const asked = { ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name)])), limit: 20 };
  const rows = useData(() => api("/v1/queue", { query: asked }), [query.toString(), desk.entry && desk.entry.name]);
  return html`<${Shown} of=${rows} empty=${(value) => !value.complaints.length} nothing="Никто не ждёт.">
    ${(value) => html`<div class="scroll" tabindex="0" role="region" aria-label="Очередь"><table class="table"><caption>Первые: ${value.complaints.length} из ${whole(value.waiting)}</caption>
      <thead><tr><th scope="col">номер</th><th scope="col">срок</th><th scope="col">где</th><th scope="col">источник</th><th scope="col">модель</th>
        <th scope="col">состояние</th></tr></thead>
      <tbody>${value.complaints.map((each) => html`<tr key=${`${each.source} ${each.id}`}>
        <th scope="row">${plain(each.id)}</th><td>${moment(each.urgent_at)}</td><td>${plain(each.municipality) || "—"}</td>
        <td>${sourceName(each.source)}</td><td>${each.decided.topic}</td>
        <td>${each.claimed ? "у оператора" : html`<button type="button" class="quiet" onClick=${() => desk.take(each)}>${each.later
          ? "отложено: взять" : "взять"}<span class="hidden"> обращение ${each.id}</span></button>`}</td></tr>`)}</tbody></table></div>`}
  <//>`;
}
