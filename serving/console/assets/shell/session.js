// Who is logged in; the dialog that asks for a key, over whatever page is open.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api, ask } from "./api.js";

const state = { session: null, asking: null };
const listeners = new Set();

function tell() {
  listeners.forEach((each) => each());
}

function useStored() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const each = () => redraw((count) => count + 1);
    listeners.add(each);
    each();
    return () => listeners.delete(each);
  }, []);
  return state;
}

// The answer of GET /v1/session; null before somebody is logged in.
export function useSession() {
  return useStored().session;
}

export async function loadSession() {
  try {
    state.session = await api("/v1/session");
    tell();
  } catch (error) {
    setTimeout(loadSession, 3000); // the service is starting, or restarted behind an open page
  }
}

// Resolves when somebody has logged in; several that ask at once see one dialog.
export function askToLogIn() {
  if (!state.asking) {
    state.asking = {};
    state.asking.done = new Promise((resolve) => { state.asking.resolve = resolve; });
    tell();
  }
  return state.asking.done;
}

async function logIn(key) {
  const session = await api("/v1/session", { method: "POST", key });
  const asking = state.asking;
  Object.assign(state, { session, asking: null });
  tell();
  asking.resolve();
}

export async function logOut() {
  await ask("/v1/session", { method: "DELETE" }).catch(() => null);
  state.session = null;
  history.replaceState(null, "", "/console/");
  tell();
  await loadSession();
}

const PROBLEMS = {
  unauthorized: "Ключ не подходит: проверьте, что он введён целиком и не отозван.",
  forbidden: "Этот ключ не открывает регион, который обслуживается здесь.",
  rate_limited: "Слишком много попыток, подождите минуту.",
  store_unavailable: "Хранилище не отвечает, попробуйте позже.",
  offline: "Сервис не отвечает. Подождите и попробуйте ещё раз.",
};

export function LoginDialog() {
  const { asking, session } = useStored();
  const dialog = useRef(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (asking && dialog.current && !dialog.current.open) dialog.current.showModal();
  }, [asking]);
  if (!asking) return null;
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await logIn(new FormData(event.target).get("key").trim());
    } catch (error) {
      setProblem(PROBLEMS[error.code] || `Не получилось войти (${error.code}).`);
    }
    setBusy(false);
  };
  return html`<dialog ref=${dialog} class="login" aria-labelledby="login-title" onCancel=${(e) => e.preventDefault()}>
    <form onSubmit=${submit}>
      <h2 id="login-title">${session ? "Сеанс закончился" : "Вход"}</h2>
      <p>${session ? "Войдите снова: всё, что вы ввели на странице, сохранится." : "Введите ключ доступа, который вам выдали."}</p>
      <label class="field">Ключ
        <input name="key" type="password" autocomplete="current-password" required autofocus
          aria-invalid=${problem ? "true" : null} aria-describedby=${problem ? "login-problem" : null} />
      </label>
      ${problem ? html`<p id="login-problem" class="problem" role="alert">${problem}</p>` : null}
      <button class="main" type="submit" disabled=${busy}>${busy ? "Проверяем…" : "Войти"}</button>
    </form>
  </dialog>`;
}
