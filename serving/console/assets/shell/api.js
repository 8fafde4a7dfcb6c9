// Asking the service: the cookie says who, the address says which region. A session that is over is begun anew in a
// dialog over the page, and the request is sent again: whoever asked notices nothing, and nothing typed is lost.
import { askToLogIn } from "./session.js";

export class ApiError extends Error {
  constructor(status, code, message, details) {
    super(message);
    Object.assign(this, { status, code, details: details || [] });
  }
}

function addressOf(path, query) {
  const given = Object.entries(query || {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return path + (text ? (path.includes("?") ? "&" : "?") + text : "");
}

function headersOf(body, key, extra) {
  const headers = { "X-Console": "1", ...extra };
  const region = new URLSearchParams(location.search).get("region");
  if (region) headers["X-Region"] = region;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["X-API-Key"] = key;
  return headers;
}

// The raw answer, whatever its status; ApiError `offline` where there is none.
export async function ask(path, { method = "GET", query, body, key, headers, signal } = {}) {
  try {
    return await fetch(addressOf(path, query), {
      method, signal, headers: headersOf(body, key, headers),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "the service does not answer");
  }
}

async function problemOf(answer) {
  const said = await answer.json().catch(() => ({}));
  const error = said.error || { code: "internal", message: `status ${answer.status}` };
  return new ApiError(answer.status, error.code, error.message, error.details);
}

// The answer's JSON (text with `as: "text"`; null of 204). Options: method, query, body, headers, signal, as.
export async function api(path, options = {}) {
  let answer = await ask(path, options);
  while (answer.status === 401 && !options.key) {
    await askToLogIn();
    answer = await ask(path, options);
  }
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204) return null;
  return options.as === "text" ? answer.text() : answer.json();
}

// The address of a table to download, for a plain link.
export function csvAddress(path, query) {
  return addressOf(path, { ...query, format: "csv" });
}
