// What is wrong, wherever it is shown: in the first row of the overview, as a number in the menu, and in words for who hears
// the page. Of the picture alone, so that all of them say the same.
import { unknownIn, type Wrong, wrongIn } from '../../shared/wrong.ts';
import { Badge } from './badge.ts';
import { computed, html } from './html.ts';
import { connection, picture } from './live.ts';
import { href } from './router.ts';
import { system } from './system.ts';

const wrong = computed<readonly Wrong[]>(() => (picture.value ? wrongIn(picture.value) : []));
const unknown = computed<readonly string[]>(() =>
  picture.value
    ? unknownIn(picture.value, {
        ...system.has,
        // It has no store to count them in.
        letters: system.has.letters || system.gateway,
      })
    : [],
);

/** Of one module, in words; nothing: nothing is wrong with it as far as is known. */
export const wrongOf = (module: string): readonly Wrong[] =>
  wrong.value.filter(({ path }) => path === `/modules/${encodeURIComponent(module)}`);

const wordsOf = (all: readonly Wrong[]) => all.map(({ words }) => words).join('; ');

/** Nothing before the first picture. */
export function wrongInWords(): string {
  if (!picture.value) return '';
  if (wrong.value.length > 0) return `${wordsOf(wrong.value)}.`;
  return unknown.value.length === 0 ? 'Nothing is wrong.' : '';
}

/** The overview's first row. */
export function WhatIsWrong() {
  const all = wrong.value;
  const then = connection.value.state === 'lost' ? ' It is from before: the host does not answer.' : '';
  const notKnown = unknown.value.length === 0 ? '' : ` Not known: ${unknown.value.join(', ')}.`;
  const tone = notKnown || then ? 'plain' : 'good';
  return html`<div class="wrong row" role="group" aria-label="What is wrong">
    ${all.length === 0 ? html`<${Badge} tone=${tone}>Nothing is wrong${notKnown ? ' as far as is known' : ''}.<//>` : all.map(({ key, tone: how, words, path, query }) => html`<a key=${key} class=${how} href=${href(path, query)} onClick=${path === '/' ? toProcesses : undefined}><${Badge} tone=${how}>${words}<//></a>`)}
    ${notKnown || then ? html`<span class="quiet">${`${notKnown}${then}`.trim()}</span>` : null}
  </div>`;
}

/** What has no view of its own stands in the table below. */
function toProcesses(event: Event): void {
  const table = document.querySelector<HTMLElement>('[role="region"][aria-label="Processes"]');
  if (!table) return;
  event.preventDefault();
  table.scrollIntoView();
  table.focus({ preventScroll: true });
}

/** Beside a link of the menu: how much is wrong there. */
export function Mark({ menu }: { menu: string }) {
  return html`<${Sum} all=${wrong.value.filter((one) => one.menu === menu)} />`;
}

/** Beside the button that opens the menu. */
export function MarkOfAll() {
  return html`<${Sum} all=${wrong.value} />`;
}

/** What is worst is counted; all of it is said. */
function Sum({ all }: { all: readonly Wrong[] }) {
  if (all.length === 0) return null;
  const { tone } = all[0]!;
  const count = all.filter((one) => one.tone === tone).reduce((sum, one) => sum + one.count, 0);
  const words = wordsOf(all);
  return html`<span class=${`mark ${tone}`} title=${words}><span aria-hidden="true">${count}</span><span class="heard">: ${words}</span></span>`;
}
