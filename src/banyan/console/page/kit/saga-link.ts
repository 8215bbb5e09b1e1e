// The way from an id to the saga that has it, wherever an id is shown. Ids are of many things: whose sagas there are is asked,
// and where none has it nothing is shown. While one is open its state is asked again, so that it says what the rest of
// the view does.
import { Badge, type Tone } from './badge.ts';
import { html, useEffect, useState } from './html.ts';
import { useResource } from './resource.ts';
import { href } from './router.ts';
import { may, type System, system } from './system.ts';

type Desk = System['sagas'][number];

/** Of a saga's states, and of those of its steps. */
export const SAGA_TONES: Readonly<Record<string, Tone>> = {
  running: 'busy',
  waiting: 'busy',
  compensating: 'warn',
  stuck: 'bad',
  finished: 'good',
  done: 'good',
  failed: 'bad',
};

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a saga may have this id. */
export const isId = (text: string): boolean => ID.test(text);

/** What a URL says of the desk; nothing where there is but one. */
export const ofDesk = ({ module }: Desk) => ({ of: system.sagas.length > 1 ? module : undefined });

export function SagaLink({ id }: { id: string }) {
  if (!isId(id)) return null;
  return html`${system.sagas.map((desk) => html`<${At} key=${desk.module} desk=${desk} id=${id} />`)}`;
}

function At({ desk, id }: { desk: Desk; id: string }) {
  const [open, setOpen] = useState(true);
  const { data } = useResource<{ items?: readonly { readonly id: string; readonly state: string }[] }>(
    may(desk.list.needs) ? `${desk.list.path}?${new URLSearchParams({ id })}` : null,
    open ? { everyMs: 2_000 } : {},
  );
  const found = data?.items?.find((one) => one.id === id);
  const isOpen = data === undefined || (found !== undefined && found.state !== 'finished');
  useEffect(() => setOpen(isOpen), [isOpen]);
  if (!found) return null;
  return html`<span>Saga <a class="mono" href=${href(`/sagas/${id}`, ofDesk(desk))}>${id}</a> of ${desk.module} <${Badge} tone=${SAGA_TONES[found.state]}>${found.state}<//></span>`;
}
