// What a page shows while it has nothing to show, and how it gets what it shows.
import { html, useCallback, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { moment } from "./format.js";

const SENTENCES = {
  offline: "Сервис не отвечает. Проверьте сеть; страница обновится сама, когда он ответит.",
  no_champion: "Модель ещё не обучена: показывать пока нечего. Обратитесь к инженеру.",
  not_ready: "Модели загружаются. Это занимает несколько секунд.",
  bad_bundle: "Модель не читается. Обратитесь к инженеру.",
  forecast_stale: "Прогнозы устарели: их нужно обновить на свежих данных. Обратитесь к инженеру.",
  unknown_series: "Такого ряда нет: выберите другой муниципалитет или отрасль.",
  unknown_complaint: "Такого обращения здесь нет.",
  store_unavailable: "Хранилище не отвечает. Страница обновится сама.",
  rate_limited: "Слишком много запросов с этим ключом, подождите минуту.",
  too_many_requests: "Сервис занят, подождите немного.",
  timeout: "Ответ занял слишком много времени. Попробуйте ещё раз.",
  internal: "Внутренняя ошибка сервиса. Если повторится, сообщите инженеру.",
};
const PASSING = ["offline", "not_ready", "store_unavailable", "too_many_requests", "rate_limited", "timeout"];
const RETRY_MS = 5000;

export function sentenceOf(error) {
  if (SENTENCES[error.code]) return SENTENCES[error.code];
  return error.message ? `Запрос не выполнен: ${error.message}` : "Запрос не выполнен.";
}

// What `load(signal)` resolves to, anew whenever `inputs` change. Returns {value, error, loading, at, reload}: a value
// that could not be brought up to date stays, with the error beside it. What passes by itself is asked again by itself.
export function useData(load, inputs) {
  const [state, setState] = useState({ value: null, error: null, loading: true, at: null });
  const latest = useRef(0);
  const reload = useCallback(() => {
    const turn = ++latest.current;
    setState((old) => ({ ...old, loading: true }));
    const still = (next) => { if (turn === latest.current) setState(next); };
    load().then(
      (value) => still({ value, error: null, loading: false, at: new Date() }),
      (error) => {
        if (error.name === "AbortError") return;
        if (!error.code) console.error(error);
        still((old) => ({ ...old, error, loading: false }));
      },
    );
  }, inputs);
  useEffect(() => {
    setState((old) => ({ ...old, error: null }));
    reload();
    return () => { latest.current += 1; };
  }, [reload]);
  useEffect(() => {
    if (!state.error || !PASSING.includes(state.error.code)) return undefined;
    const timer = setTimeout(reload, RETRY_MS);
    return () => clearTimeout(timer);
  }, [state.error, reload]);
  return { ...state, reload };
}

// The value as `children(value)` draws it, or why there is none. `empty(value)` says that there is nothing in it.
export function Shown({ of, empty, nothing, children }) {
  if (of.value === null) {
    if (of.error) return html`<${Failure} error=${of.error} onRetry=${of.reload} />`;
    return html`<${Loading} />`;
  }
  const stale = of.error
    ? html`<p class="banner warn" role="status">Данные на ${moment(of.at)}. ${sentenceOf(of.error)}</p>` : null;
  if (empty && empty(of.value)) return html`${stale}<${Empty}>${nothing}<//>`;
  return html`${stale}<div class=${of.loading ? "updating" : null} aria-busy=${of.loading ? "true" : "false"}>
    ${children(of.value)}</div>`;
}

export function Loading() {
  return html`<p class="state" role="status"><span class="spinner" aria-hidden="true"></span>Загрузка…</p>`;
}

export function Empty({ children }) {
  return html`<p class="state empty">${children || "Здесь пока ничего нет."}</p>`;
}

export function NoAccess() {
  return html`<p class="state">Эта страница не открывается вашим ключом. Если она нужна вам для работы, попросите
    администратора выдать ключ с другой ролью.</p>`;
}

export function Failure({ error, onRetry }) {
  if (error.code === "forbidden") return html`<${NoAccess} />`;
  return html`<div class="state failed" role="alert"><p>${sentenceOf(error)}</p>
    ${onRetry ? html`<button type="button" onClick=${onRetry}>Повторить</button>` : null}</div>`;
}

// Short messages at the foot of the page: `notify("Сохранено")`, with `{undo: fn}` a button beside it.
const notices = { list: [], tell: () => undefined, number: 0 };

export function notify(text, { undo = null, undoLabel = "Отменить", seconds = 6, problem = false } = {}) {
  const notice = { number: ++notices.number, text, undo, undoLabel, problem };
  notices.list = [...notices.list.slice(-2), notice];
  notices.tell();
  setTimeout(() => dismiss(notice.number), seconds * 1000);
}

function dismiss(number) {
  notices.list = notices.list.filter((each) => each.number !== number);
  notices.tell();
}

export function Notices() {
  const [, redraw] = useState(0);
  notices.tell = () => redraw((count) => count + 1);
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.list.map((each) => html`<p key=${each.number} class=${each.problem ? "notice bad" : "notice"}>
      <span>${each.text}</span>
      ${each.undo ? html`<button type="button" class="quiet" onClick=${() => { dismiss(each.number); each.undo(); }}>
        ${each.undoLabel}</button>` : null}</p>`)}
  </div>`;
}
