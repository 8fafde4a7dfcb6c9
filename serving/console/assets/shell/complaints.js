// A list of complaints, page by page: masked texts as GET /v1/complaints answers them.
import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { api } from "./api.js";
import { moment, plain, plural } from "./format.js";
import { Failure, Loading, notify, sentenceOf, useData } from "./states.js";

const PAGE = 20;

// `asked` are filters of the endpoint, `nothing` is said where there are none, `all` how many there are, if that is known.
export function Complaints({ asked, nothing, all = null }) {
  const key = JSON.stringify(asked);
  const query = { ...asked, limit: PAGE };
  const [pages, setPages] = useState([]);
  const first = useData(() => api("/v1/complaints", { query }), [key]);
  useEffect(() => setPages([]), [key]);
  if (first.value === null) return first.error ? html`<${Failure} error=${first.error} onRetry=${first.reload} />` : html`<${Loading} />`;
  const shown = [first.value, ...pages];
  const complaints = shown.flatMap((page) => page.complaints);
  const { next } = shown[shown.length - 1];
  const more = () => api("/v1/complaints", { query: { ...query, cursor: next } }).then(
    (page) => setPages([...pages, page]), (error) => notify(sentenceOf(error), { problem: true }));
  if (!complaints.length) return html`<p class="muted">${nothing}</p>`;
  return html`<ul class="log">${complaints.map((each) => html`<li key=${`${each.source} ${each.id}`}>
      <span class="muted">${moment(each.created_at)} · ${each.municipality || "место не указано"} · ${each.stands.topic || "без темы"}</span>
      <p class="quote" dir="auto">${plain(each.text)}</p></li>`)}</ul>
    ${all === null ? null : html`<p class="muted" role="status">Показано ${complaints.length} из ${all}</p>`}
    ${next ? html`<button type="button" onClick=${more}>Ещё ${plural(PAGE, "обращение", "обращения", "обращений")}</button>` : null}`;
}
