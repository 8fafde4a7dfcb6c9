// Small controls that several pages share.
import { html } from "../vendor/htm-preact.js";
import { change } from "./router.js";

// A labelled choice that lives in the address: options are [value, text]; `ifAbsent` is the value of no parameter.
export function Choice({ name, label, options, query, ifAbsent = "" }) {
  const value = query.get(name) || ifAbsent;
  const pick = (event) => change({ [name]: event.target.value === ifAbsent ? null : event.target.value });
  return html`<label class="field">${label}
    <select value=${value} onChange=${pick}>
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select></label>`;
}

// A date that lives in the address.
export function DateField({ name, label, query, max }) {
  return html`<label class="field">${label}
    <input type="date" value=${query.get(name) || ""} max=${max}
      onChange=${(event) => change({ [name]: event.target.value || null })} /></label>`;
}

// A switch that lives in the address.
export function Check({ name, label, query }) {
  return html`<label class="check"><input type="checkbox" checked=${query.get(name) === "1"}
    onChange=${(event) => change({ [name]: event.target.checked ? "1" : null })} />${label}</label>`;
}
