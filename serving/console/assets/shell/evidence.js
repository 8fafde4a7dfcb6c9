// From a figure to a management decision: what is on the screen goes along as its evidence.
import { html } from "../vendor/htm-preact.js";
import { go } from "./router.js";

const DRAFT = "tsur.decision";

// Open the form of a new decision with this evidence: {kind: surge | heatmap | topic | kpi, title, link, data}; `link` is the
// page's address behind /console/, `data` the figures as they are shown (no complaints).
function recordDecision(evidence) {
  sessionStorage.setItem(DRAFT, JSON.stringify({ ...readDraft(), evidence }));
  go("decisions", { new: "1" });
}

// What is typed of a decision and not recorded yet: it outlives a reload.
export function readDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT)) || {};
  } catch {
    return {};
  }
}

export function keepDraft(draft) {
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

export function dropDraft() {
  sessionStorage.removeItem(DRAFT);
}

// The address of this page behind /console/, for `link`.
export function hereLink() {
  return location.pathname.replace("/console/", "") + location.search;
}

// A button for those who may record decisions; `evidence` as `recordDecision` takes it, `data` without texts of complaints.
export function DecisionButton({ session, evidence }) {
  if (!session.may.includes("POST /v1/management-decisions")) return null;
  return html`<button type="button" onClick=${() => recordDecision(evidence)}>Записать решение</button>`;
}
