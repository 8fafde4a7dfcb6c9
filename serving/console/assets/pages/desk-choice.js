// What an operator chooses from: five topics, five agencies, a search where none of them fits.
import { html, useState } from "../vendor/htm-preact.js";
import { percent } from "../shell/format.js";
import { AGENCY_KEYS, KEYS, TOPIC_KEYS, agencySlots, sameTopic, search, topicSlots } from "./desk-rules.js";

// Topics and agencies as two groups of radio buttons, each with its key.
export function Proposals({ complaint, topics, choice, onTopic, onAgency }) {
  const proposed = topicSlots(complaint);
  const chosen = proposed.some((each) => sameTopic(each, choice)) ? null : choice;
  const agencies = agencySlots(complaint, topics, choice);
  const confidence = new Map(complaint.proposals.agencies.map((each) => [each.label, each.confidence]));
  return html`<div class="choices">
    <fieldset><legend>Тема</legend>
      ${proposed.map((each, index) => html`<${Option} key=${`${each.sector} ${each.topic}`} name="topic" shortcut=${TOPIC_KEYS[index]}
        checked=${sameTopic(each, choice)} onPick=${() => onTopic(each)} text=${each.topic} note=${each.sector}
        confidence=${each.confidence} decided=${sameTopic(each, complaint.decided)} />`)}
      ${chosen ? html`<${Option} name="topic" checked=${true} onPick=${() => onTopic(chosen)} text=${chosen.topic} note=${chosen.sector} />` : null}
    </fieldset>
    <fieldset><legend>Исполнитель</legend>
      ${agencies.map((each, index) => html`<${Option} key=${each} name="agency" shortcut=${AGENCY_KEYS[index]}
        checked=${each === choice.agency} onPick=${() => onAgency(each)} text=${each} confidence=${confidence.get(each)}
        decided=${each === complaint.decided.agency} />`)}
      ${agencies.includes(choice.agency) ? null : html`<${Option} name="agency" checked=${true}
        onPick=${() => onAgency(choice.agency)} text=${choice.agency} />`}
    </fieldset></div>`;
}

function Option({ name, shortcut, checked, onPick, text, note, confidence, decided }) {
  return html`<label class=${checked ? "option picked" : "option"}>
    <input type="radio" name=${name} checked=${checked} onChange=${onPick} onClick=${onPick} />
    ${shortcut ? html`<kbd aria-hidden="true">${shortcut}</kbd>` : html`<span></span>`}
    <span class="what">${text}${note ? html`<small> ${note}</small>` : null}</span>
    <span class="sure">${decided ? html`<span class="hidden">решение модели, </span><b aria-hidden="true">●</b> ` : null}${
      confidence === undefined ? "" : percent(Number(confidence.toFixed(2)))}</span>
  </label>`;
}

// A search box over the catalogue: a combobox whose first hit is what Enter takes.
export function Search({ topics, agencies, sectors, box, onPick }) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const hits = search(text, topics, agencies);
  const pick = (hit) => {
    setText("");
    box.current.blur();
    onPick(hit);
  };
  const move = (event) => {
    if (event.key === "ArrowDown") setActive((active + 1) % Math.max(hits.length, 1));
    else if (event.key === "ArrowUp") setActive((active + hits.length - 1) % Math.max(hits.length, 1));
    else if (event.key === "Enter" && hits.length) pick(hits[active]);
    else if (event.key === "Escape") { setText(""); box.current.blur(); } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="search">
    <label class="field">Другая тема или исполнитель (${KEYS.search})
      <input ref=${box} type="text" role="combobox" autocomplete="off" aria-expanded=${hits.length ? "true" : "false"}
        aria-controls="desk-hits" aria-activedescendant=${hits.length ? `desk-hit-${active}` : null} value=${text}
        onInput=${(event) => { setText(event.target.value); setActive(0); }} onKeyDown=${move} /></label>
    <ul id="desk-hits" role="listbox" aria-label="Найдено" class=${hits.length ? "hits" : "hits hidden"}>
      ${hits.map((hit, index) => html`<li id=${`desk-hit-${index}`} role="option" aria-selected=${index === active ? "true" : "false"}
        onMouseDown=${(event) => event.preventDefault()} onClick=${() => pick(hit)}>
        ${hit.kind === "topic" ? html`${hit.topic}<small> ${hit.sector}</small>` : html`${hit.agency}<small> исполнитель</small>`}</li>`)}
    </ul>
    ${text && !hits.length ? html`<p class="muted" role="status">Ничего не нашлось.</p>` : null}
    <p class="sectors"><span class="muted">Темы отрасли: </span>${sectors.map((each) => html`<button type="button" class="quiet"
      onClick=${() => { setText(each.label); setActive(0); box.current.focus(); }}>${each.label}</button>`)}</p>
  </div>`;
}
