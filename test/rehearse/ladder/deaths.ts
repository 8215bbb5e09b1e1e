// Who dies in the middle of a shadow, one kind after the other; and that nothing is left of it, and that all goes on then.
import { setTimeout as pause } from 'node:timers/promises';
import { type KillOptions, killMidShadow } from '../../shadow/kill.ts';
import { type ShadowRoom, traces, type Who } from '../../shadow/room.ts';
import type { Findings } from '../share/findings.ts';

export interface Death {
  readonly kind: string;
  /** Transactions that had written, at that moment. */
  readonly open: number;
  readonly endedMs: number;
}

interface Kind extends Pick<KillOptions, 'openAt' | 'frozen'> {
  readonly title: string;
  readonly who: Who;
  readonly name: string;
}

const KINDS: readonly Kind[] = [
  { title: 'kill -9 of the service of orders', who: 'callers', openAt: 'callers', name: 'orders.place' },
  {
    title: 'kill -9 of the service of catalog',
    who: 'called',
    openAt: 'called',
    name: 'catalog.changeProduct',
  },
  {
    title: 'kill -9 of the monolith, open at the service of orders',
    who: 'monolith',
    openAt: 'callers',
    name: 'orders.place',
  },
  {
    title: 'kill -9 of the monolith, open at the service of catalog',
    who: 'monolith',
    openAt: 'called',
    name: 'catalog.changeProduct',
  },
  {
    title: 'kill -9 of the monolith, open at its own trial',
    who: 'monolith',
    openAt: 'monolith',
    name: 'orders.place',
  },
  {
    title: 'the service of orders frozen, until the database ended it',
    who: 'callers',
    openAt: 'callers',
    frozen: true,
    name: 'orders.place',
  },
];
export const DEATHS = KINDS.length;

/** The budget of one that freezes. */
const FROZEN_MS = 400;
/** A link to a process that died is made again after a while. */
const PATIENCE_MS = 30_000;

/** @param nth takes the kinds in turn. */
export async function playDeath(
  { room, found, signal }: { room: ShadowRoom; found: Findings; signal: AbortSignal },
  nth: number,
): Promise<Death> {
  const { title, who, openAt, frozen = false, name } = KINDS[nth % KINDS.length]!;
  const request = await room.cases[name]!();
  const before = await room.standing();
  const how = { near: openAt === 'monolith', ...(frozen && { ms: FROZEN_MS }) };
  const keepAsking = () => room.ask(name, request, how);
  const { open, endedMs } = await killMidShadow(room, who, { keepAsking, openAt, frozen, signal });
  for (const trace of traces(before, await room.standing())) found.add(`left after ${title}`, trace);
  if (!frozen) await room.again(who);
  await goesOn();
  return { kind: title, open: open.length, endedMs };

  async function goesOn(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const { far, failed } = await room.ask(name, request);
      if (far && far.status < 300) return;
      if (Date.now() > deadline) {
        found.add(`does not go on after ${title}`, failed?.message ?? JSON.stringify(far));
        return;
      }
      await pause(20);
    }
  }
}
