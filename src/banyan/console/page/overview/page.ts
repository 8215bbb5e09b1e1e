// The first view: both architectures side by side, what is on its way, and the same in a table with the switch of each module.
// All of it is drawn from the picture alone, so that a reload and another tab show the same.
import { Lacks } from '../kit/act.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html } from '../kit/html.ts';
import { picture } from '../kit/live.ts';
import { ModuleDialogs } from '../kit/module-dialogs.ts';
import { narrow } from '../kit/narrow.ts';
import { Away, isAway } from '../kit/offered.ts';
import { UnderWay } from '../kit/under-way.ts';
import { WhatIsWrong } from '../kit/wrong.ts';
import { Drawing } from './drawing.ts';
import { Flows } from './flows.ts';
import { Gateway } from './gateway.ts';
import { HostTable } from './hosts.ts';
import { Missing } from './missing.ts';
import { ModuleTable } from './table.ts';

export const title = 'Overview';

export default function Page() {
  const now = picture.value;
  if (!now) return html`<${Loading} what="Asking what runs where" />`;
  if (Object.keys(now.modules).length === 0)
    return html`<${Missing} picture=${now} /><${Empty} title="No module is placed yet." />`;
  const stacked = narrow.value;
  const drawn = html`<div class="drawn scroll" id="drawn" tabindex="0" role="region" aria-label="The picture"><${Drawing} picture=${now} stacked=${stacked} /></div>`;
  return html`<div class=${isAway() ? 'overview stale' : 'overview'}>
    <${Away} />
    <${Gateway} picture=${now} />
    <${WhatIsWrong} />
    <${Missing} picture=${now} />
    <${UnderWay} picture=${now} />
    ${stacked ? html`<p class="quiet"><button type="button" class="small" onClick=${toPicture}>The picture</button> stands below the tables.</p>` : drawn}
    <h2>Modules</h2>
    <${Lacks} needs="place" />
    <${ModuleTable} picture=${now} />
    <h2>Processes</h2>
    <${HostTable} picture=${now} />
    <${Flows} picture=${now} />
    ${stacked ? html`<h2>The picture</h2>${drawn}` : null}
    <${ModuleDialogs} picture=${now} />
  </div>`;
}

function toPicture(): void {
  const drawn = document.getElementById('drawn');
  drawn?.scrollIntoView();
  drawn?.focus({ preventScroll: true });
}
