// Each sentence that a host can be held out by has its word.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { REFUSAL_HEADER, type RefusalReason, refusalInWords } from '../identity/hop.ts';
import type { Instance } from '../routing/snapshot.ts';
import { type HeldCause, heldCause } from './held-cause.ts';
import { unready } from './inquiry.ts';

const refused = (reason: RefusalReason, aheadMs = 0) =>
  heldCause(
    refusalInWords('parcels-1', {
      [REFUSAL_HEADER]: reason,
      date: new Date(Date.now() + aheadMs).toUTCString(),
    }),
  );

test('a refused token is told by why it was refused, and by the clocks before all else', () => {
  const causes: [RefusalReason, HeldCause][] = [
    ['expired', 'clock'],
    ['early', 'clock'],
    ['key', 'key'],
    ['audience', 'name'],
    ['legacy', 'version'],
    ['signature', 'signature'],
    ['missing', 'other'],
  ];
  for (const [reason, cause] of causes) expect(refused(reason), reason).toBe(cause);
  expect(refused('signature', -200_000)).toBe('clock');
});

test('one that does not answer is told from one that says that it cannot serve', async () => {
  const server = createServer((_request, response) => response.writeHead(503).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const instance = { id: 'parcels-1', url } as Instance;
  const busy = await unready(instance);
  await new Promise((resolve) => server.close(resolve));
  expect([heldCause(busy!), heldCause((await unready(instance))!)]).toEqual(['probe', 'silent']);
});
