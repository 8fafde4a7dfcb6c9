// The desk's own rules: what is proposed, what a choice entails, what a search finds, what a key means. No page in it.

export const SLOTS = 5;
const TOPIC_CODES = ["Digit1", "Digit2", "Digit3", "Digit4", "Digit5"];
const AGENCY_CODES = ["Digit6", "Digit7", "Digit8", "Digit9", "Digit0"];
const ACTIONS = { Slash: "search", KeyG: "later", KeyJ: "undo", KeyR: "why", KeyH: "split", Enter: "send" };

// Keys as they are printed: letters of the Russian layout, which lie where the codes say in any layout.
export const KEYS = { search: "/", later: "П", undo: "О", why: "К", split: "Р", send: "Enter" };
export const TOPIC_KEYS = ["1", "2", "3", "4", "5"];
export const AGENCY_KEYS = ["6", "7", "8", "9", "0"];

// What a key pressed beside all fields means: {topic: 0}, {agency: 2}, {action: "later"}; null: nothing.
export function meaning(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return null;
  const code = event.code.replace("Numpad", "Digit").replace("DigitEnter", "Enter");
  if (TOPIC_CODES.includes(code)) return { topic: TOPIC_CODES.indexOf(code) };
  if (AGENCY_CODES.includes(code)) return { agency: AGENCY_CODES.indexOf(code) };
  return ACTIONS[code] ? { action: ACTIONS[code] } : null;
}

// The topics of a catalogue as one list of {sector, topic, agencies}.
export function topicsOf(catalogue) {
  return catalogue.sectors.flatMap((sector) => sector.topics.map((topic) => (
    { sector: sector.name, topic: topic.name, description: topic.description, agencies: topic.agencies })));
}

export function sameTopic(one, other) {
  return one.topic === other.topic && one.sector === other.sector;
}

// Five topics: the decided one, and the likeliest others.
export function topicSlots(complaint) {
  const proposed = complaint.proposals.topics;
  const decided = proposed.find((each) => sameTopic(each, complaint.decided)) || complaint.decided;
  return [decided, ...proposed.filter((each) => !sameTopic(each, decided))].slice(0, SLOTS);
}

// Who may answer for a topic here, the likeliest first; behind them the agencies that are likely all the same.
export function agencySlots(complaint, topics, choice) {
  const likely = complaint.proposals.agencies.map((each) => each.label);
  const rank = (name) => (likely.includes(name) ? likely.indexOf(name) : likely.length);
  const entry = topics.find((each) => sameTopic(each, choice));
  const here = [...(entry ? entry.agencies : [])].sort((one, other) => rank(one) - rank(other));
  const decided = sameTopic(choice, complaint.decided) ? [complaint.decided.agency] : [];
  return [...new Set([...decided, ...here, ...likely])].slice(0, SLOTS);
}

// What the choice of a topic entails: its sector, and the agency that answers for it here.
export function choiceOf(complaint, topics, { sector, topic }) {
  if (sameTopic({ sector, topic }, complaint.decided)) return { ...complaint.decided };
  const [agency] = agencySlots(complaint, topics, { sector, topic });
  return { sector, topic, agency };
}

export function confirms(complaint, choice) {
  return sameTopic(choice, complaint.decided) && choice.agency === complaint.decided.agency;
}

function folded(text) {
  return text.toLocaleLowerCase("ru").replaceAll("ё", "е");
}

// How well a name answers a search: 0 at its beginning, 1 at the beginning of a word, 2 inside; null not at all.
function fit(name, words) {
  const text = folded(name);
  if (!words.every((word) => text.includes(word))) return null;
  if (text.startsWith(words[0])) return 0;
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(words[0])) ? 1 : 2;
}

// Topics and agencies whose names hold all words, the best first; a sector's name finds its topics, behind the others.
export function search(text, topics, agencies, most = 8) {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = topics.map((each) => {
    const own = fit(each.topic, words);
    const all = fit(`${each.sector} ${each.topic} ${each.description}`, words);
    return { kind: "topic", rank: own ?? (all === null ? null : 3), ...each };
  });
  const bodies = agencies.map((name) => ({ kind: "agency", rank: fit(name, words), agency: name }));
  const hits = [...found, ...bodies].filter((each) => each.rank !== null);
  return hits.sort((one, other) => one.rank - other.rank).slice(0, most);
}

// How long ago, and how long there is left, as people say it.
export function span(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  if (minutes < 60) return [minutes, "минуту", "минуты", "минут"];
  const hours = Math.round(minutes / 60);
  if (hours < 48) return [hours, "час", "часа", "часов"];
  return [Math.round(hours / 24), "день", "дня", "дней"];
}

// A text in pieces of {text, marked, problem}, cut where words that carried the decision and problems begin and end.
// Spans count characters, as Python does.
export function pieces(text, words, problems) {
  const characters = Array.from(text);
  const cuts = [0, characters.length, ...[...words, ...problems].flatMap((each) => [each.start, each.end])];
  const edges = [...new Set(cuts)].filter((cut) => cut <= characters.length).sort((one, other) => one - other);
  return edges.slice(0, -1).map((start, index) => {
    const inside = (each) => each.start <= start && start < each.end;
    return {
      text: characters.slice(start, edges[index + 1]).join(""),
      marked: words.some(inside),
      problem: problems.findIndex(inside),
    };
  });
}
