// The address is the view: /console/PAGE?everything=else. Whoever gets it sees the same.
import { useEffect, useState } from "../vendor/htm-preact.js";

const ROOT = "/console/";
const listeners = new Set();

function read() {
  const page = decodeURIComponent(location.pathname.startsWith(ROOT) ? location.pathname.slice(ROOT.length) : "");
  return { page: page.replace(/\/+$/, ""), query: new URLSearchParams(location.search) };
}

// The address of a page; what is empty is left out, the region is kept.
export function href(page, params) {
  const all = { region: new URLSearchParams(location.search).get("region"), ...params };
  const kept = Object.entries(all).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return ROOT + page + (query ? `?${query}` : "");
}

function open(address, replace) {
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  listeners.forEach((tell) => tell());
}

// Go to a page.
export function go(page, params) {
  open(href(page, params), false);
}

// Change some parameters of this page's address; null takes one away. `replace` leaves no step to go back to.
export function change(params, { replace = false } = {}) {
  const { page, query } = read();
  open(href(page, { ...Object.fromEntries(query), ...params }), replace);
}

// The page and the parameters of the address; draws again when they change.
export function useRoute() {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const tell = () => setRoute(read());
    listeners.add(tell);
    addEventListener("popstate", tell);
    tell();
    return () => { listeners.delete(tell); removeEventListener("popstate", tell); };
  }, []);
  return route;
}

// Plain links to the console are followed without loading it anew; with a key held down the browser does as usual.
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.getAttribute("href").startsWith("#") || !link.pathname.startsWith(ROOT)) return;
    event.preventDefault();
    open(link.pathname + link.search, false);
    scrollTo(0, 0);
  });
}
