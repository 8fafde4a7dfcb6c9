// What changes while a page is open: one stream of server-sent events for all of it, begun anew when it breaks.
// fetch, not EventSource: that one sends no region, and gives up at the first answer that is not 200.
import { useEffect, useState } from "../vendor/htm-preact.js";
import { ask } from "./api.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;
const state = { counts: {}, broken: false };
const listeners = new Set();
let running = false;

// `changed`: names of counts; null: anything may have.
function tell(changed) {
  listeners.forEach((each) => each(changed));
}

// One event: {"decisions": 12, "corrections": 3, …}; whatever differs from before has changed.
function read(text) {
  const line = text.split("\n").find((each) => each.startsWith("data:"));
  if (!line) return;
  const counts = JSON.parse(line.slice(5));
  const first = !Object.keys(state.counts).length;
  const changed = Object.keys(counts).filter((name) => JSON.stringify(counts[name]) !== JSON.stringify(state.counts[name]));
  state.counts = counts;
  tell(first ? [] : changed);
}

async function follow() {
  const answer = await ask("/v1/events");
  if (!answer.ok) throw new Error(String(answer.status));
  if (state.broken) {
    state.broken = false;
    tell(null); // the service was away: whatever is shown may be old
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    events.forEach(read);
  }
}

async function run() {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const began = Date.now();
    await follow().catch(() => null);
    state.broken = true;
    if (Date.now() - began > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

// Begin, once somebody is logged in who may.
export function startLive(session) {
  if (running || !session.may.includes("GET /v1/events")) return;
  running = true;
  run();
}

// Call `reload` when one of these has changed: "decisions", "corrections", "surges", "models", ….
export function useLive(names, reload) {
  const wanted = [names].flat();
  useEffect(() => {
    const each = (changed) => { if (!changed || changed.some((name) => wanted.includes(name))) reload(); };
    listeners.add(each);
    return () => listeners.delete(each);
  }, [reload, wanted.join()]);
}

// The last counts; draws again when they change.
export function useCounts() {
  const [counts, setCounts] = useState(state.counts);
  useEffect(() => {
    const each = () => setCounts(state.counts);
    listeners.add(each);
    each();
    return () => listeners.delete(each);
  }, []);
  return counts;
}
