// The frame around every view: the top bar with the menu, who is signed in and how fresh what is shown is; the view of the
// moment with its heading, which gets the focus when the view changes; or the sign-in. It knows no view by name.

import { ask } from './kit/api.ts';
import { Badge, type Tone } from './kit/badge.ts';
import { forgetDrafts } from './kit/drafts.ts';
import { Empty, Loading } from './kit/empty.ts';
import { html, useEffect, useLayoutEffect, useRef, useState, type VNode } from './kit/html.ts';
import { type Connection, connection } from './kit/live.ts';
import { ProblemBox } from './kit/problem.ts';
import { href, match, path, query } from './kit/router.ts';
import { operator, signedOut, system } from './kit/system.ts';
import { lasting, now } from './kit/time.ts';
import { Mark, MarkOfAll, wrongInWords } from './kit/wrong.ts';
import { type PageEntry, type PageModule, pages } from './pages.ts';
import { SignIn } from './sign-in.ts';

const shown = pages.filter((one) => one.shown(system));

export function App() {
  const at = path.value;
  const found = entryAt(at);
  return html`
    <a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <${Top} current=${found?.entry.under ?? found?.entry.path} />
    <main id="main">
      ${operator.value === null ? html`<${SignIn} />` : found ? html`<${View} key=${found.entry.path} entry=${found.entry} params=${found.params} />` : html`<${Unknown} at=${at} />`}
    </main>
    <${Printed} />
    <${Heard} />`;
}

/** On paper alone: which view this was, and when. */
function Printed() {
  const { value } = now;
  // The address is what the router says; it is read here so that it is told anew.
  const at = href(path.value, query.value);
  return html`<footer class="printed">${location.origin}${at} · printed ${new Date(value).toLocaleString()}, ${new Date(value).toISOString().slice(0, 19).replace('T', ' ')} UTC</footer>`;
}

function entryAt(at: string): { entry: PageEntry; params: Readonly<Record<string, string>> } | undefined {
  for (const entry of shown) {
    const params = match(entry.path, at);
    if (params) return { entry, params };
  }
  return undefined;
}

function toMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('h1')?.focus();
}

function Top({ current }: { current: string | undefined }) {
  const [open, setOpen] = useState(false);
  const who = operator.value;
  const at = path.value;
  useEffect(() => setOpen(false), [at]);
  return html`<header class="top">
    <a class="brand" href=${href('/')}>${system.product}</a>
    ${
      who === null
        ? null
        : html`
        <button type="button" class="menu" aria-expanded=${open} aria-controls="nav" onClick=${() => setOpen(!open)}>Menu<${MarkOfAll} /></button>
        <nav id="nav" class=${open ? 'open' : ''} aria-label="Views">
          ${shown.map(({ path: to, nav }) => nav && html`<a key=${to} href=${href(to)} aria-current=${current === to ? 'page' : undefined}>${nav}<${Mark} menu=${to} /></a>`)}
        </nav>
        <div class="status"><${Freshness} /></div>
        <div class="who"><span title=${`Scopes: ${who.scopes.join(', ')}`}>${who.name}${who.as === 'operator' ? '' : html` <span class="quiet">as ${who.as}</span>`}</span>
          <button type="button" class="small" onClick=${signOut}>Sign out</button></div>`
    }
  </header>`;
}

async function signOut(): Promise<void> {
  forgetDrafts();
  try {
    await ask('DELETE', '/session');
  } finally {
    signedOut(null);
  }
}

const TONES: Readonly<Record<Connection['state'], Tone>> = {
  live: 'good',
  late: 'warn',
  polling: 'warn',
  lost: 'bad',
  connecting: 'busy',
  paused: 'plain',
};

/** How fresh the picture is, in words. */
function Freshness() {
  const { state, since } = connection.value;
  const age = lasting(Math.max(1_000, now.value - since));
  const words = {
    live: 'Live',
    late: `Nothing new for ${age}`,
    polling: 'Every 5 s',
    connecting: 'Connecting',
    paused: 'Paused',
    lost: `No answer for ${age}`,
  }[state];
  const title = {
    live: 'What is shown comes as it changes, once a second at most.',
    late: 'The host says something each second, and has not for some: it is slow, or does not answer any more.',
    polling:
      'There is no stream to this host: too many pages watch it, or something between cuts it. The page asks every 5 seconds.',
    connecting: 'The page asks for the picture.',
    paused: 'This tab was not visible.',
    lost: 'The host does not answer. What is shown is what it said last; the page goes on asking.',
  }[state];
  return html`<${Badge} tone=${TONES[state]} title=${title}>${words}<//>`;
}

const HEARD: Readonly<Partial<Record<Connection['state'], string>>> = {
  live: 'Live.',
  polling: 'Asking every 5 seconds.',
  lost: 'The host does not answer.',
};

/** For who hears the page: how the connection is and whether anything is wrong, not more often than every 5 s. */
function Heard() {
  const { state } = connection.value;
  const [said, setSaid] = useState('');
  const latest = useRef(0);
  const words = `${HEARD[state] ?? ''} ${wrongInWords()}`.trim();
  useEffect(() => {
    const timer = setTimeout(
      () => {
        latest.current = Date.now();
        setSaid(words);
      },
      Math.max(0, latest.current + 5_000 - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [words]);
  return html`<div class="heard" aria-live="polite">${said}</div>`;
}

function View({ entry, params }: { entry: PageEntry; params: Readonly<Record<string, string>> }) {
  const [loaded, setLoaded] = useState<PageModule | undefined>(undefined);
  const [problem, setProblem] = useState<unknown>(undefined);
  const load = () => {
    setProblem(undefined);
    entry.load().then(setLoaded as (one: PageModule) => void, setProblem);
  };
  useEffect(load, [entry]);
  if (problem !== undefined)
    return html`<h1 tabindex="-1">Not loaded</h1><${ProblemBox} problem=${problem} again=${load} />`;
  if (!loaded) return html`<${Loading} />`;
  const { title, default: Page } = loaded;
  return html`<${Titled} title=${typeof title === 'string' ? title : title(params)}><${Page} params=${params} /><//>`;
}

let first = true;

/** The heading, which has the focus after a change of the view; not after the first, where the browser has it. */
export function Titled({ title, children }: { title: string; children?: unknown }): VNode<never> {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = `${title} · ${system.product}`;
    if (!first) heading.current?.focus({ preventScroll: true });
    if (!first) scrollTo(0, 0);
    first = false;
  }, [title]);
  return html`<h1 tabindex="-1" ref=${heading}>${title}</h1>${children}`;
}

function Unknown({ at }: { at: string }) {
  return html`<${Titled} title="No such view"><${Empty} title="Nothing is here.">
    <p><code>${at}</code> is no view of this console, or ${system.gateway ? 'this host, a gateway alone, has not what it shows: a monolith’s console may have it' : 'this system does not have what it shows'}. <a href=${href('/')}>Go to the overview</a>.</p>
  <//><//>`;
}
