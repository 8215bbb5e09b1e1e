// The page before any of its code has run: what a browser has to load, and what the page has to know at once (where it is,
// whether somebody is signed in, what this system has), so that it need not ask. Guarantee: it fetches from this host alone,
// by a policy that names what may run. It knows no module by name.
import { createHash } from 'node:crypto';
import type { System } from './system-shape.ts';

export interface Shell {
  readonly html: string;
  readonly policy: string;
}

/** @param imports what the page imports by name, to the path under `assets/`. @param paths of all that is under it. */
export function shellOf(
  system: System,
  imports: Readonly<Record<string, string>>,
  paths: readonly string[],
): Shell {
  const assets = `${system.prefix}/assets`;
  const map = inScript({
    imports: Object.fromEntries(Object.entries(imports).map(([name, path]) => [name, `${assets}/${path}`])),
  });
  const styles = ['page/console.css', ...paths.filter((one) => /^page\/\w+\/\w+\.css$/.test(one)).sort()];
  // What every view needs is asked for at once, not one after another as the files name each other.
  const needed = paths.filter((one) => /^(shared\/|page\/(kit\/)?[\w-]+\.ts$)/.test(one));
  const preloads = [...needed.sort(), ...Object.values(imports)];
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${inText(system.product)}</title>
<link rel="icon" href="${assets}/page/icon.svg" type="image/svg+xml">${styles.map((one) => `<link rel="stylesheet" href="${assets}/${one}">`).join('')}
<script type="importmap">${map}</script>
${preloads.map((one) => `<link rel="modulepreload" href="${assets}/${one}">`).join('')}
<script type="module" src="${assets}/page/main.ts"></script></head>
<body><div id="app"><header class="top"><a class="brand" href="${system.prefix}">${inText(system.product)}</a></header>
<main><p class="quiet">Loading the console…</p><p class="late">If it does not come, a file of it did not: load the page again. What it shows and does, <code>npx banyan</code> shows and does in a terminal.</p><noscript><p>The console is a page with a script. What it shows and does, <code>npx banyan</code> shows and does in a terminal.</p></noscript></main></div>
<script type="application/json" id="system">${inScript(system)}</script></body></html>
`;
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${createHash('sha256').update(map).digest('base64')}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}

const inText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** JSON within a script element: nothing in it can end the element. */
const inScript = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');
