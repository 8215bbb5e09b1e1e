// What stands beside a module wherever it is listed: its processes with their state, and the buttons that move it.
import type { PictureModule } from '../../shared/picture-shape.ts';
import { Act, type Needs } from './act.ts';
import { Badge } from './badge.ts';
import { endOf, stateOf } from './ended.ts';
import { html } from './html.ts';
import { isAway, WHILE_AWAY } from './offered.ts';
import { setQuery } from './router.ts';
import { system } from './system.ts';
import { isUnderWay } from './words.ts';

export function instanceBadge(id: string, one: PictureModule['instances'][string]) {
  const { tone, word } = stateOf(one);
  const { heldOut } = one;
  const end = endOf(one);
  return html`<${Badge} tone=${tone}>${id} ${word}<//>${heldOut ? html`<div class="quiet why">held out by ${heldOut}</div>` : null}${end === undefined ? null : html`<div class="quiet why" title=${end}>${end}</div>`}`;
}

/** What moves a module at all; its store has a scope of its own. */
const MOVES: Needs = system.has.stores ? ['place', 'store'] : 'place';

/** Named by what they do to which module. */
export function ModuleButtons({ name, module }: { name: string; module: PictureModule }) {
  const { placement, desired, transfer } = module;
  const open = (what: string) => () => setQuery({ [what]: name }, { replace: false });
  const why = isAway() ? WHILE_AWAY : isUnderWay(transfer) ? `${name} is on its way.` : undefined;
  const button = (what: string, label: string, words: string, needs: Needs = 'place') =>
    html`<${Act} needs=${needs} class="small" aria-label=${label} title=${why} disabled=${why !== undefined} onClick=${open(what)}>${words}<//>`;
  return html`<div class="row moves">
    ${placement === 'service' ? null : button('extract', `Extract ${name}`, 'Extract')}
    ${placement === 'in-process' && desired === 0 ? null : button('restore', `Restore ${name}`, 'Restore')}
    ${button('move', `Move ${name}…`, 'Move…', MOVES)}
  </div>`;
}
