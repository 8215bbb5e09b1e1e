// Signing in: a name, which stands in the history of what is changed, and a token, which is sent once and then kept by the
// browser where no script can read it.
import { ask, Problem } from './kit/api.ts';
import { html, useEffect, useState } from './kit/html.ts';
import { ProblemBox } from './kit/problem.ts';
import { operator, type SignedIn, signedOutBecause, system } from './kit/system.ts';

export function SignIn() {
  const [name, setName] = useState(remembered());
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(undefined);
  useEffect(() => {
    document.title = `Sign in · ${system.product}`;
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const who = await ask<SignedIn>('POST', '/session', { name, token });
      remember(name);
      signedOutBecause.value = null;
      operator.value = who;
    } catch (error) {
      setProblem(inWords(error));
      setBusy(false);
    }
  };
  const why = signedOutBecause.value;
  return html`<div class="signin">
    <h1 tabindex="-1">Sign in</h1>
    <p>The console shows what runs where, and moves it.</p>
    ${why ? html`<p class="notice" role="status">${why}</p>` : null}
    <form onSubmit=${submit}>
      <label>Name
        <input name="name" aria-describedby="name-hint" autocomplete="username" required maxlength="60" value=${name} onInput=${(event: InputEvent) => setName((event.target as HTMLInputElement).value)} />
      </label>
      <p class="quiet hint" id="name-hint">Stands in the history beside what you change.</p>
      <label>Token
        <input name="token" type="password" autocomplete="current-password" required value=${token} onInput=${(event: InputEvent) => setToken((event.target as HTMLInputElement).value)} />
      </label>
      ${problem === undefined ? null : html`<${ProblemBox} problem=${problem} />`}
      <div class="actions"><button type="submit" class="primary" disabled=${busy}>Sign in</button></div>
    </form>
    <h2>Where the token is</h2>
    <dl class="quiet tokens">
      <dt>After <code>npm start</code></dt>
      <dd>In a file that the first start made; what it printed names it: <code>cat .banyan/admin-token</code>, or <code>admin-token</code> in <code>DATA_DIR</code>.</dd>
      <dt>Where <code>ADMIN_TOKEN</code> was set, as in a deployment</dt>
      <dd>It is that, and in no file: ask whoever keeps the settings of the deployment.</dd>
      <dt>Your own, with as much as you may do</dt>
      <dd>Somebody who has one of these makes it: <code>npx banyan operators add NAME --scope read</code> prints it, once.</dd>
    </dl>
  </div>`;
}

/** Whoever typed a token is told of that token. */
function inWords(error: unknown): Problem {
  if (!(error instanceof Problem)) return new Problem(0, 'The page failed', String(error));
  return error.status === 401 ? new Problem(401, 'The token is not right', error.detail) : error;
}

const KEY = 'banyan-console-name';

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // A browser that keeps nothing: the name is typed again.
  }
}
