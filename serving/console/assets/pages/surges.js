// Surges: pending, open, recovering, expected, closed; who has seen them; each opens on a page of its own.
import { html } from "../vendor/htm-preact.js";
import { api, csvAddress } from "../shell/api.js";
import { Choice } from "../shell/controls.js";
import { day, days, number, percent, whole } from "../shell/format.js";
import { useLive } from "../shell/live.js";
import { Shown, useData } from "../shell/states.js";
import { notesOf, surgeLink, StateBadge } from "./surge-parts.js";

const SHOWN = [
  ["", "идущие и ожидаемые"], ["observed", "только идущие"], ["expected", "только ожидаемые"], ["closed", "и закончившиеся"],
];
const SEEN = [["", "все"], ["no", "без отметки"], ["yes", "с отметкой"]];

export default function Surges({ query, title }) {
  const shown = query.get("show");
  const asked = {
    kind: shown === "closed" ? null : shown, closed: shown === "closed" ? true : null,
    municipality: query.get("municipality"), sector: query.get("sector"),
  };
  const data = useData(async () => {
    const [surges, notes] = await Promise.all([api("/v1/surges", { query: asked }), api("/v1/surges/notes")]);
    return { ...surges, notes: notes.notes };
  }, [query.toString()]);
  useLive(["surges", "models"], data.reload);
  const wanted = (value) => value.surges.filter((surge) => {
    const seen = notesOf(surge, value.notes).length > 0;
    return !query.get("seen") || seen === (query.get("seen") === "yes");
  });
  return html`<h1>${title}</h1>
    <div class="toolbar">
      <${Choice} name="show" label="Показать" options=${SHOWN} query=${query} />
      <${Choice} name="seen" label="Отметка" options=${SEEN} query=${query} />
      ${asked.municipality || asked.sector ? html`<p class="muted inline">Только: ${asked.municipality} ${asked.sector}</p>` : null}
      <span class="gap"></span>
      <a class="button" href=${csvAddress("/v1/surges", asked)} download="surges.csv">CSV</a>
    </div>
    <${Shown} of=${data} empty=${(value) => !wanted(value).length} nothing="Всплесков, которые сюда подходят, нет.">
      ${(value) => html`<${Table} surges=${wanted(value)} notes=${value.notes} asOf=${value.as_of} />`}
    <//>`;
}

function Table({ surges, notes, asOf }) {
  return html`<div class="scroll"><table class="table">
    <caption>По данным на ${day(asOf)}; сначала самые важные</caption>
    <thead><tr><th scope="col">состояние</th><th scope="col">где</th><th scope="col">отрасль</th><th scope="col">дни</th>
      <th scope="col" class="num">пришло</th><th scope="col" class="num">обычно</th><th scope="col" class="num">во сколько раз</th>
      <th scope="col" class="num">вероятность</th><th scope="col">почему</th><th scope="col">отметка</th></tr></thead>
    <tbody>${surges.map((surge) => html`<${Row} key=${surgeLink(surge)} surge=${surge} notes=${notesOf(surge, notes)} />`)}
    </tbody></table></div>`;
}

function Row({ surge, notes }) {
  return html`<tr>
    <td><${StateBadge} surge=${surge} /></td>
    <td class="wide-ish"><a href=${surgeLink(surge)}>${surge.municipality}</a></td>
    <td>${surge.sector}</td>
    <td class="short">${days(surge.start, surge.end)}</td>
    <td class="num">${surge.observed === null ? html`${number(surge.forecast)} <span class="muted">(прогноз)</span>` : whole(surge.observed)}</td>
    <td class="num">${number(surge.expected)}</td>
    <td class="num">×${number(surge.ratio)}</td>
    <td class="num">${percent(surge.probability)}</td>
    <td class="wide">${surge.reasons.length ? surge.reasons.join("; ") : "—"}</td>
    <td>${notes.length ? html`<span class="badge calm">✓ ${notes[0].author}</span>` : html`<span class="muted">нет</span>`}</td>
  </tr>`;
}
