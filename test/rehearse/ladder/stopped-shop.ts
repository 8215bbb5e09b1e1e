// A shop that has stopped, with its shadows: PostgreSQL, prepared by a monolith that has ended again, and the processes of
// test/shadow over it. Whatever was started is gone after `stop`, also when it comes only half up.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openServer } from '../../../src/banyan/events/testing/server.ts';
import { launch } from '../../../stage/launch.ts';
import { openShadowRoom, type ShadowRoom } from '../../shadow/room.ts';
import { started } from '../../started.ts';

export const openStoppedShop = (signal: AbortSignal): Promise<{ room: ShadowRoom; stop(): Promise<void> }> =>
  started(async (ends) => {
    const folder = mkdtempSync(join(tmpdir(), 'banyan-rehearsal-'));
    ends.push(async () => rmSync(folder, { recursive: true, force: true }));
    const server = await openServer();
    ends.push(() => server.stop());
    const env = {
      NODE_ENV: 'test',
      PORT: '0',
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      ADMIN_TOKEN: randomBytes(24).toString('base64url'),
      ROOT_KEY: randomBytes(24).toString('base64url'),
    };
    const host = launch({ env });
    ends.push(() => host.end());
    await host.up(signal);
    await host.end();
    const room = await openShadowRoom({ databaseUrl: server.url, env });
    ends.push(() => room.close());
    return { room };
  });
