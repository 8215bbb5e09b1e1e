// Whether every host answers, now and from here: its probes, and who sends it nothing. A host that the registry still takes for alive
// may have stopped a moment ago. Pure.
import type { HostRow } from '../placement/tables.ts';
import type { HostSeen } from './asking.ts';
import { error, type Finding, ok, warning } from './finding.ts';

const HELD_OUT = 'docs/operations.md#a-service-is-held-out';

/** @param gateways whoever lives, and may hold one out. */
export function probeOf(seen: HostSeen, gateways: readonly HostRow[]): Finding {
  const { row, live, ready } = seen;
  const { id, url } = row;
  if ('why' in live) return error('probe', id, `does not answer at ${url}: ${live.why}`, remedyOf(row));
  if (row.draining || row.retiring) return ok('probe', id, 'lives, and is on its way out');
  const held = heldOutBy(row, gateways);
  if (held) return error('probe', id, held, `See ${HELD_OUT}`);
  if (live.answer.status >= 500)
    return error('probe', id, `answers ${live.answer.status} to GET /health/live`, remedyOf(row));
  if ('why' in ready) return error('probe', id, `GET /health/ready: ${ready.why}`, remedyOf(row));
  if (ready.answer.status >= 500) return notReady(row, ready.answer);
  // In another language there need be no such pages: that it answers is enough.
  return ok('probe', id, `answers within ${Math.max(1, Math.round(live.answer.ms))} ms, and is ready`);
}

function notReady(row: HostRow, { status, words }: { status: number; words: string }): Finding {
  const said = `answers ${status} to GET /health/ready${words ? ` (${words})` : ''}`;
  // What comes up is not ready yet.
  return words.startsWith('starting')
    ? warning('probe', row.id, said, 'It starts. Ask again: npx banyan doctor')
    : error('probe', row.id, said, remedyOf(row));
}

function remedyOf({ role, modules }: HostRow): string {
  if (role === 'service' && modules[0] !== undefined)
    return `Its last words: npx banyan logs ${modules[0]} on its monolith's machine, or where its stdout goes; where it stands still, end it, and it is started again`;
  const how = role === 'gateway' ? 'docs/operations.md#the-gateway-alone' : 'docs/operations.md#replicas';
  return `Its own log says why; start it again: ${how}`;
}

function heldOutBy({ host }: HostRow, gateways: readonly HostRow[]): string | undefined {
  const by = gateways.flatMap((gateway) => {
    const held = gateway.held[host];
    return held ? [`${gateway.id} sends it nothing: ${held.reason}`] : [];
  });
  return by.length > 0 ? by.join('; ') : undefined;
}
