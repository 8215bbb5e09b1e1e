// Where the page is, as its URL says: every view, filter and thing that is open has one, so that a reload, the back button and
// a pasted link show the same. Links are plain <a href>; this file takes the click.
import { computed, type ReadonlySignal, signal } from './html.ts';
import { system } from './system.ts';

export type Query = Readonly<Record<string, string>>;

const place = signal(here());

/** Below the console's prefix: `/`, `/dead`, `/modules/x`. */
export const path: ReadonlySignal<string> = computed(() => place.value.path);
/** What stands behind the `?`. */
export const query: ReadonlySignal<Query> = computed(() => place.value.query);

/** The URL of a view: `href('/dead', { module: 'x', state: undefined })`. What is undefined or empty is left out. */
export function href(
  to: string,
  wanted: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return `${system.prefix}${to === '/' ? '' : to}${text ? `?${text}` : ''}`;
}

/** @param url as `href` makes it. `replace`: back leads past where the page was. */
export function navigate(url: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  place.value = here();
}

/** The same view with other filters. */
export function setQuery(
  changes: Readonly<Record<string, string | number | boolean | undefined>>,
  { replace = true } = {},
): void {
  navigate(href(path.value, { ...query.value, ...changes }), { replace });
}

/** `/modules/:name` of `/modules/x` is `{ name: 'x' }`; undefined: it is another path. */
export function match(pattern: string, at: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split('/'), at.split('/')];
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const said = given[index]!;
    if (part.startsWith(':')) found[part.slice(1)] = decoded(said);
    else if (part !== said) return undefined;
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function here(): { path: string; query: Query } {
  const below = location.pathname.slice(system.prefix.length).replace(/\/+$/, '');
  return {
    path: below === '' ? '/' : below,
    query: Object.fromEntries(new URLSearchParams(location.search)),
  };
}

/** Takes clicks on links within the console; others, and those with a key held, are the browser's. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = here();
  });
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    const { pathname } = link;
    if (pathname !== system.prefix && !pathname.startsWith(`${system.prefix}/`)) return;
    if (pathname.startsWith(`${system.prefix}/api/`) || pathname.startsWith(`${system.prefix}/assets/`))
      return;
    event.preventDefault();
    navigate(link.href);
  });
}
