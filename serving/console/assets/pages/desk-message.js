// The message of a citizen: as text, with the words that carried the decision marked and several problems told apart.
import { html } from "../vendor/htm-preact.js";
import { moment, plain, plural } from "../shell/format.js";
import { KEYS, pieces, span } from "./desk-rules.js";

const HEAVIEST = 6;
const SOURCES = {
  incident: "«Инцидент Менеджмент»", pos: "ПОС", dobrodel: "«Добродел»", hotline: "горячая линия",
  municipality: "муниципалитет", other: "другой источник",
};

export function sourceName(source) {
  return SOURCES[source] || source;
}

export function Facts({ complaint }) {
  const now = Date.now();
  const left = new Date(complaint.urgent_at) - now;
  return html`<dl class="facts">
    <div><dt>Источник</dt><dd>${sourceName(complaint.source)}</dd></div>
    <div><dt>Номер</dt><dd>${plain(complaint.id)}</dd></div>
    <div><dt>Где</dt><dd>${complaint.municipality ? plain(complaint.municipality) : "не указано"}</dd></div>
    <div><dt>Пришло</dt><dd title=${moment(complaint.created_at)}>${plural(...span(now - new Date(complaint.created_at)))} назад</dd></div>
    <div><dt>Срок</dt><dd><span class=${left < 0 ? "badge hot" : left < 86400000 ? "badge warm" : "badge"}
      title=${moment(complaint.urgent_at)}>${left < 0 ? `просрочено на ${plural(...span(left))}` : `ещё ${plural(...span(left))}`}</span></dd></div>
  </dl>`;
}

// `words` null: still being found. `onSplit(problem)` and `onUnsplit(split)` act on a problem.
export function Message({ complaint, words, onSplit, onUnsplit }) {
  const heavy = [...(words || [])].filter((each) => each.weight > 0).sort((one, other) => other.weight - one.weight);
  const problems = complaint.problems.length > 1 ? complaint.problems : [];
  const parts = pieces(plain(complaint.text), heavy.slice(0, HEAVIEST), problems);
  return html`<section aria-label="Обращение">
    <p class="quote message" dir="auto">${parts.map((each) => html`<${Piece} piece=${each} />`)}</p>
    <p class="muted small" aria-live="polite">${words === null ? "Ищем слова, на которых основано решение…"
      : heavy.length ? "Подчёркнуты слова, на которых основано решение." : "Отдельных решающих слов нет."}</p>
    ${problems.length ? html`<${Problems} complaint=${complaint} problems=${problems} onSplit=${onSplit} onUnsplit=${onUnsplit} />` : null}
    ${complaint.reasons_ru.length ? html`<ul class="plain muted">${complaint.reasons_ru.map((each) => html`<li>${each}</li>`)}</ul>` : null}
  </section>`;
}

function Piece({ piece }) {
  const text = piece.marked ? html`<mark>${piece.text}</mark>` : piece.text;
  return piece.problem < 0 ? text : html`<span class=${`problem-${piece.problem % 3}`}>${text}</span>`;
}

export function splitOf(complaint, problem) {
  return complaint.splits.find((each) => each.start < problem.end && problem.start < each.end);
}

// The next problem that can still be split off; the first one stays with the message.
export function nextToSplit(complaint) {
  return complaint.problems.slice(1).find((each) => !splitOf(complaint, each)) || null;
}

function Problems({ complaint, problems, onSplit, onUnsplit }) {
  const characters = Array.from(plain(complaint.text));
  const next = nextToSplit(complaint);
  return html`<h3>Проблем в сообщении: ${problems.length}</h3>
    <ol class="problems">${problems.map((problem, index) => {
      const split = splitOf(complaint, problem);
      const text = characters.slice(problem.start, problem.end).join("");
      return html`<li key=${problem.start}><span class=${`problem-${index % 3}`}>${text}</span>
        <span class="muted"> ${problem.sector.label}: ${problem.topic.label}</span>
        ${index === 0 ? html` <span class="badge">остаётся здесь</span>` : null}
        ${split ? html` <span class="badge calm">отделено: ${split.part_id}</span>` : null}
        ${split && split.undo_until ? html` <button type="button" class="quiet" onClick=${() => onUnsplit(split)}>Вернуть</button>` : null}
        ${index > 0 && !split ? html` <button type="button" onClick=${() => onSplit(problem)}>Отделить
          ${problem === next ? html` <kbd>${KEYS.split}</kbd>` : null}</button>` : null}</li>`;
    })}</ol>`;
}
