// The frame around every page: who is logged in, navigation by what the role may ask, the page of the address.
import { html, render, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { PAGES } from "./pages/index.js";
import { followLinks, go, href, useRoute } from "./shell/router.js";
import { LoginDialog, logOut, useSession, loadSession } from "./shell/session.js";
import { startLive, useCounts } from "./shell/live.js";
import { Failure, Loading, Notices, NoAccess } from "./shell/states.js";

function mayOpen(page, session) {
  return page.needs.every((endpoint) => session.may.includes(endpoint));
}

function Frame() {
  const session = useSession();
  const route = useRoute();
  const counts = useCounts();
  useEffect(() => { if (session) startLive(session); }, [session]);
  if (!session) return html`<${LoginDialog} /><p class="starting">Загрузка…</p>`;
  const open = PAGES.filter((page) => mayOpen(page, session));
  const wanted = route.page || (open[0] && open[0].id);
  const page = PAGES.find((each) => each.id === wanted);
  return html`
    <a class="skip" href="#main">К содержанию</a>
    <header class="bar">
      <a class="brand" href=${href("", {})}>ЦУР</a>
      <nav aria-label="Разделы"><ul>
        ${open.filter((each) => !each.hidden).map((each) => html`
          <li><a href=${href(each.id, {})} aria-current=${each.id === (page && (page.under || page.id)) ? "page" : null}>
            ${each.title}${each.count && counts[each.count] ? html`<span class="count">${counts[each.count]}</span>` : null}</a></li>`)}
      </ul></nav>
      <${Who} session=${session} route=${route} />
    </header>
    <main id="main" tabindex="-1">
      ${!page ? html`<h1>Нет такой страницы</h1><p>Выберите раздел выше.</p>`
        : !mayOpen(page, session) ? html`<h1>${page.title}</h1><${NoAccess} />`
        : html`<${Lazy} key=${page.id} page=${page} query=${route.query} session=${session} />`}
    </main>
    <${Notices} />
    <${LoginDialog} />`;
}

function Who({ session, route }) {
  const chosen = route.query.get("region") || session.region;
  return html`<div class="who">
    ${session.regions.length > 1
      ? html`<label class="quiet-field"><span class="hidden">Регион</span>
          <select value=${chosen} onChange=${(event) => go(route.page, { region: event.target.value })}>
            ${session.regions.map((each) => html`<option value=${each.id}>${each.title}</option>`)}
          </select></label>`
      : html`<span class="region">${session.regions.length ? session.regions[0].title : session.region}</span>`}
    ${session.keyless ? null : html`
      <span class="name" title=${ROLES[session.role]}>${session.name}</span>
      <button class="quiet" type="button" onClick=${logOut}>Выйти</button>`}
  </div>`;
}

const ROLES = {
  routing: "система маршрутизации", operator: "оператор", analyst: "аналитик", head: "руководитель", engineer: "инженер",
  admin: "администратор",
};

// A page's module is loaded when it is opened for the first time.
function Lazy({ page, query, session }) {
  const [module, setModule] = useState(null);
  const [error, setError] = useState(null);
  const shown = useRef(false);
  useEffect(() => {
    page.load().then(setModule, () => setError({ code: "offline" }));
  }, []);
  useEffect(() => {
    document.title = `${page.title} — ЦУР`;
    const heading = document.querySelector("main h1");
    if (module && heading && !shown.current && Lazy.before) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    if (module) { shown.current = true; Lazy.before = page.id; }
  });
  if (error) return html`<h1>${page.title}</h1><${Failure} error=${error} onRetry=${() => location.reload()} />`;
  if (!module) return html`<h1>${page.title}</h1><${Loading} />`;
  return html`<${module.default} query=${query} session=${session} title=${page.title} />`;
}

followLinks();
loadSession();
render(html`<${Frame} />`, Object.assign(document.getElementById("app"), { textContent: "" }));
