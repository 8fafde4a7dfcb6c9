// The desk's work: which complaint is on the screen, which is loaded ahead, what is chosen, sent and taken back.
import { useCallback, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api } from "../shell/api.js";
import { notify, sentenceOf } from "../shell/states.js";
import { choiceOf, confirms, topicsOf } from "./desk-rules.js";

const PASSING = ["offline", "not_ready", "store_unavailable", "too_many_requests", "rate_limited", "timeout"];
const AGAIN_MS = 3000;
const EMPTY_MS = 10000;
const UNDO_SECONDS = 12;
const DRAFT = "desk-draft";
const NOTHING = { entry: null, choice: null, why: "", waiting: null, error: null, sending: false, trouble: null, taken: null };

function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (each) => each.toString(16).padStart(2, "0")).join("");
}

// This tab among those of one key: it keeps its complaints when it is loaded anew.
function screenName() {
  const name = sessionStorage.getItem("desk-screen") || randomName();
  sessionStorage.setItem("desk-screen", name);
  return name;
}

function post(path, body, headers) {
  return api(`/v1/queue/${path}`, { method: "POST", body, headers });
}

function nameOf(complaint) {
  return { source: complaint.source, id: complaint.id };
}

function isSame(one, other) {
  return one && other && one.source === other.source && one.id === other.id;
}

function draftOf(complaint) {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) || "null");
  return isSame(draft, complaint) ? draft : null;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Again and again while the trouble is one that passes; `tell(error)` hears of each.
async function patiently(act, tell) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!PASSING.includes(error.code)) throw error;
      tell(error);
      await pause(AGAIN_MS);
    }
  }
}

// {entry: {complaint, topics, agencies, words}, choice, why, waiting, error, sending, trouble, taken} and what may be done.
export function useDesk(filter) {
  const [state, setState] = useState(NOTHING);
  const own = useRef({ screen: screenName(), catalogues: new Map(), ahead: null, last: null, now: null, turn: 0, released: null });
  const change = (values) => setState((old) => ({ ...old, ...values }));
  const wanted = JSON.stringify(filter);
  own.current.filter = filter;
  own.current.state = state;

  const start = useCallback(() => begin(own.current, change), [wanted]);
  useEffect(() => {
    if (own.current.now) own.current.released = release(own.current);
    start();
    return () => { own.current.turn += 1; };
  }, [start]);
  useEffect(() => {
    if (state.entry || (state.error && !PASSING.includes(state.error.code)) || state.waiting === null && !state.error) return undefined;
    const timer = setTimeout(start, state.error ? AGAIN_MS : EMPTY_MS);
    return () => clearTimeout(timer);
  }, [state]);
  useEffect(() => {
    if (!state.entry) return;
    sessionStorage.setItem(DRAFT, JSON.stringify({ ...nameOf(state.entry.complaint), choice: state.choice, why: state.why }));
  }, [state.entry, state.choice, state.why]);

  return {
    ...state, start,
    canUndo: own.current.last !== null,
    setWhy: (why) => change({ why }),
    pickTopic: (topic) => change({ choice: choiceOf(state.entry.complaint, state.entry.topics, topic) }),
    pickAgency: (agency) => change({ choice: { ...state.choice, agency } }),
    send: () => send(own.current, change),
    later: () => putAside(own.current, change),
    undo: () => undo(own.current, change),
    take: (complaint) => take(own.current, change, complaint),
    split: (problem) => split(own.current, change, problem),
    unsplit: (cut) => unsplit(own.current, change, cut),
  };
}

async function begin(own, change) {
  const turn = ++own.turn;
  own.ahead = null;
  try {
    await own.released; // what is still this screen's would come first again
    const claimed = await claim(own, {});
    if (turn === own.turn) show(own, change, claimed);
  } catch (error) {
    if (!error.code) console.error(error);
    if (turn === own.turn) change({ error });
  }
}

// The next complaint as an entry, with what is chosen from; null where none is left.
async function claim(own, { held = [], complaint = null }) {
  const body = { screen: own.screen, held: held.map((each) => nameOf(each.complaint)), ...own.filter };
  const answer = await post("claim", complaint ? { ...body, complaint: nameOf(complaint) } : body);
  return { waiting: answer.waiting, entry: answer.complaint ? await entryOf(own, answer.complaint) : null };
}

async function entryOf(own, complaint) {
  const place = complaint.municipality || "";
  if (!own.catalogues.has(place)) own.catalogues.set(place, api("/v1/catalogue", { query: { municipality: place } }));
  const catalogue = await own.catalogues.get(place).catch((error) => { own.catalogues.delete(place); throw error; });
  const entry = { complaint, topics: topicsOf(catalogue), agencies: catalogue.agencies.map((each) => each.name), words: null };
  entry.name = randomName();
  entry.reading = api("/v1/queue/words", { query: nameOf(complaint) }).then((answer) => answer.words, () => []);
  return entry;
}

function show(own, change, { entry, waiting }) {
  own.now = entry;
  const values = { entry, error: null, sending: false, trouble: null };
  if (!entry) {
    change({ ...values, choice: null, why: "", waiting });
    return;
  }
  const draft = draftOf(entry.complaint);
  change({ ...values, choice: draft ? draft.choice : { ...entry.complaint.decided }, why: draft ? draft.why : "", waiting });
  entry.reading.then((words) => {
    entry.words = words;
    if (own.now === entry) change({ entry: { ...entry } });
  });
  if (!own.ahead) own.ahead = claim(own, { held: [entry] }).catch(() => null);
}

// What is loaded ahead, or what is claimed now, where that was nothing or failed.
async function next(own, change) {
  const turn = ++own.turn;
  const ahead = await own.ahead;
  own.ahead = null;
  try {
    const claimed = ahead && ahead.entry ? ahead : await patiently(() => claim(own, {}), (trouble) => change({ trouble }));
    if (turn !== own.turn) return;
    const waiting = ahead && ahead.entry ? Math.max((own.state.waiting || 1) - 1, 1) : claimed.waiting;
    show(own, change, { entry: claimed.entry, waiting });
  } catch (error) {
    own.now = null;
    change({ entry: null, error, sending: false });
  }
}

async function send(own, change) {
  const { entry, choice, why, sending } = own.state;
  if (!entry || sending) return;
  change({ sending: true, trouble: null, taken: null });
  const labels = { sector: choice.sector, topic: choice.topic, agency: choice.agency };
  const body = { ...nameOf(entry.complaint), ...labels, why: why.trim() || null };
  const named = { "Idempotency-Key": `${entry.name}-${JSON.stringify(body).length}-${randomName()}` };
  try {
    const stored = await patiently(() => post("answer", body, named), (trouble) => change({ trouble }));
    own.last = { number: stored.number, complaint: entry.complaint };
    const said = confirms(entry.complaint, choice) ? "Подтверждено" : "Исправлено";
    notify(`${said}: ${choice.topic}`, { undo: () => undo(own, change), seconds: UNDO_SECONDS });
  } catch (error) {
    if (error.code !== "already_answered") {
      change({ sending: false, trouble: error });
      return;
    }
    change({ taken: await whoAnswered(entry.complaint) });
  }
  sessionStorage.removeItem(DRAFT);
  await next(own, change);
}

async function whoAnswered(complaint) {
  const now = await api("/v1/queue/complaint", { query: nameOf(complaint) }).catch(() => null);
  return { id: complaint.id, answer: (now && now.answers.find((each) => !each.undone)) || null };
}

async function putAside(own, change) {
  const { entry, sending } = own.state;
  if (!entry || sending) return;
  change({ sending: true, trouble: null, taken: null });
  const body = { screen: own.screen, complaints: [nameOf(entry.complaint)], later: true };
  await patiently(() => post("release", body), (trouble) => change({ trouble }));
  const back = () => take(own, change, entry.complaint);
  notify("Отложено на потом", { undo: back, seconds: UNDO_SECONDS });
  await next(own, change);
}

// Take the last answer back and show its complaint again; what was on the screen comes behind it.
async function undo(own, change) {
  if (!own.last || own.state.sending) return;
  const { number, complaint } = own.last;
  own.last = null;
  try {
    await post("undo", { what: "answer", number });
    await take(own, change, complaint);
    notify("Отменено: решите ещё раз");
  } catch (error) {
    const text = error.code === "cannot_undo" ? "Уже нельзя отменить: прошло слишком много времени." : sentenceOf(error);
    notify(text, { problem: true });
  }
}

// Show this complaint, unless somebody else has it.
async function take(own, change, complaint) {
  const before = own.state.entry;
  const claimed = await claim(own, { held: before ? [before] : [], complaint });
  if (!claimed.entry) {
    notify("Это обращение уже у другого оператора.", { problem: true });
    return;
  }
  own.turn += 1;
  if (before && !isSame(before.complaint, complaint)) own.ahead = Promise.resolve({ entry: before, waiting: claimed.waiting });
  change({ taken: null });
  show(own, change, claimed);
}

// Give back what is on the screen and what is loaded ahead; done, whether or not that succeeds.
async function release(own) {
  const { now, ahead } = own;
  Object.assign(own, { now: null, ahead: null });
  const give = (each) => each && post("release", { screen: own.screen, complaints: [nameOf(each.complaint)] }).catch(() => null);
  await Promise.all([give(now), Promise.resolve(ahead).then((claimed) => claimed && give(claimed.entry))]);
}

async function split(own, change, problem) {
  const { entry } = own.state;
  try {
    const body = { ...nameOf(entry.complaint), start: problem.start, end: problem.end };
    const made = await post("split", body, { "Idempotency-Key": `${entry.name}-${problem.start}-${randomName()}` });
    withSplits(own, change, [...entry.complaint.splits, made.split]);
    const where = made.decision === "route" ? `направлено: ${made.decided.agency}` : "ждёт в очереди";
    notify(`Отделено как ${made.split.part_id}, ${where}`, { undo: () => unsplit(own, change, made.split), seconds: UNDO_SECONDS });
  } catch (error) {
    notify(sentenceOf(error), { problem: true });
  }
}

async function unsplit(own, change, cut) {
  try {
    await post("undo", { what: "split", number: cut.number });
    const { entry } = own.state;
    if (entry) withSplits(own, change, entry.complaint.splits.filter((each) => each.number !== cut.number));
  } catch (error) {
    notify(error.code === "cannot_undo" ? "Вернуть уже нельзя: часть разобрана или прошло много времени." : sentenceOf(error), { problem: true });
  }
}

function withSplits(own, change, splits) {
  own.now = { ...own.state.entry, complaint: { ...own.state.entry.complaint, splits } };
  change({ entry: own.now });
}
