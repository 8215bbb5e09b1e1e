// Texts that somebody hostile may get to where a person reads them: names, reasons, event data, lines of logs. What the
// console shows of them is text: nothing of it runs, nothing of it becomes an element.
import type { Page } from 'puppeteer-core';

/** Each says `pwned` where it runs. */
export const hostile: readonly string[] = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=1">',
  '"><svg onload=window.pwned=1>',
  `'-(window.pwned=1)-'`,
  '</script><script>window.pwned=1</script>',
  'javascript:window.pwned=1',
  '{{pwned=1}}$' + '{window.pwned=1}',
  '<a href="javascript:window.pwned=1" class="injected">click</a>',
  '<style>body{display:none}</style><iframe src="//evil.example"></iframe>',
  '\u202Etxt.exe\u202C &lt;b&gt; &amp;amp; \u0007',
];

/** What ran or became an element; nothing: all was shown as text. */
export function whatRan(page: Page): Promise<string[]> {
  return page.evaluate(`[
    ...(window.pwned === undefined ? [] : ['a script ran']),
    ...[...document.querySelectorAll('#app script, #app iframe[src*="evil"], #app style, .injected, [onerror], [onload], a[href^="javascript:"]')]
      .map((one) => one.outerHTML.slice(0, 80)),
  ]`) as Promise<string[]>;
}
