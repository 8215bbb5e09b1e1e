// What an operator sees of each module beside its placement: its ladder, and whether what should be tried on its service is
// not at the moment. It asks other hosts only where something is mirrored.
import type { LadderRows } from '../ladder/climb/rows.ts';
import type { Shadowing } from '../ladder/judge/shadowing.ts';
import type { Besides } from '../placement/admin.ts';

export function createBesides(
  rows: Pick<LadderRows, 'last'>,
  shadowing: Pick<Shadowing, 'paused'>,
): () => Promise<ReadonlyMap<string, Besides>> {
  return async () => {
    const [last, paused] = await Promise.all([rows.last(), shadowing.paused()]);
    const all = new Map<string, Besides>(last.map(({ module, ...ladder }) => [module, { ladder }]));
    for (const [module, mirrorPaused] of paused) all.set(module, { ...all.get(module), mirrorPaused });
    return all;
  };
}
