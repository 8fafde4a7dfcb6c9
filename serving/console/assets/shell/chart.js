// A picture that the service draws (Vega-Lite as SVG), put into the page so that it takes its colours. What it says is
// said by a table beside it, too.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api } from "./api.js";
import { sentenceOf } from "./states.js";

const NARROWEST = 280;

// `path` and `query` as of `api`; `label` says what the picture shows.
export function Chart({ path, query, label }) {
  const place = useRef(null);
  const [width, setWidth] = useState(0);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(true);
  useEffect(() => {
    const measure = () => setWidth(Math.max(Math.floor(place.current.clientWidth), NARROWEST));
    measure();
    const observer = new ResizeObserver(debounced(measure));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!width) return undefined;
    const giveUp = new AbortController();
    setBusy(true);
    api(path, { query: { ...query, width }, as: "text", signal: giveUp.signal }).then((text) => {
      const picture = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      picture.setAttribute("aria-hidden", "true");
      place.current.replaceChildren(document.importNode(picture, true));
      setError(null);
      setBusy(false);
    }).catch((problem) => {
      if (problem.name === "AbortError") return;
      setError(problem);
      setBusy(false);
    });
    return () => giveUp.abort();
  }, [path, JSON.stringify(query), width]);
  return html`<figure class="chart" role="img" aria-label=${label}>
    <div ref=${place} class=${busy ? "updating" : null} aria-busy=${busy ? "true" : "false"}></div>
    ${error ? html`<p class="banner warn">График не построен. ${sentenceOf(error)}</p>` : null}
  </figure>`;
}

function debounced(act) {
  let timer = null;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, 200);
  };
}
