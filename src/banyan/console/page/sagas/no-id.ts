// What is said of an id that no saga can have: nothing is asked of the host for it.
import { Empty } from '../kit/empty.ts';
import { html } from '../kit/html.ts';

export function NoId({ children }: { children?: unknown }) {
  return html`<${Empty} title="This is no whole id."><p>An id is like 019b76da-a800-7000-8000-01a6aa00d43e; paste all of it.${children}</p><//>`;
}
