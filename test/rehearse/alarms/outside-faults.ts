// What the shop asks outside: the folder of pictures, what decodes them, mail, and the card network.
import { readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { again, type Fault, nothingToMend } from './fault.ts';
import { type AlarmShop, signal } from './stage.ts';

async function upload({ ask, token }: AlarmShop, width: number): Promise<unknown> {
  const raw = { width, height: width, channels: 3 as const, background: '#2a7' };
  const bytes = await sharp({ create: raw }).png().toBuffer();
  const body = new FormData();
  body.set('file', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), 'picture.png');
  return ask('POST', '/api/media', { token, body });
}

export const storageGone: Fault = {
  name: 'storage',
  part: "`STORAGE_URL`'s folder",
  struck: 'a file in its place',
  alarms: [{ alarm: 'BanyanStorageFails', labels: { module: 'media', operation: 'write' } }],
  async strike(shop) {
    const folder = join(shop.dataDir, 'media');
    await rename(folder, `${folder}.away`);
    await writeFile(folder, 'in the way');
    const stop = again(1_000, () => upload(shop, 20));
    return async () => {
      await stop();
      await rm(folder);
      await rename(`${folder}.away`, folder);
    };
  },
};

export const decodersKilled: Fault = {
  name: 'decoders',
  part: 'a decoding process of media',
  struck: 'SIGKILL of each that works, ten times',
  alarms: [{ alarm: 'BanyanDecodersKilled', labels: { module: 'media', host: 'monolith' } }],
  async strike(shop) {
    for (let n = 0; n < 10; n += 1) {
      const answered = upload(shop, 4_000).catch(() => {});
      let over = false;
      void answered.then(() => {
        over = true;
      });
      while (!over) {
        for (const pid of decodersOf(shop.monolith.pid!)) signal(pid, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return nothingToMend;
  },
};

function decodersOf(host: number): number[] {
  const threads = readdirSync(`/proc/${host}/task`);
  const children = threads.flatMap((thread) => {
    const text = readFileSync(`/proc/${host}/task/${thread}/children`, 'utf8');
    return (text.match(/\d+/g) ?? []).map(Number);
  });
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('decoding/child');
    } catch {
      return false;
    }
  });
}

export const postGone: Fault = {
  name: 'mail',
  part: 'the mail server',
  struck: 'its port closed, while orders are confirmed',
  alarms: [{ alarm: 'BanyanMailFails', labels: { module: 'notifications' } }],
  async strike({ post }) {
    await post.leave();
    return () => post.comeBack();
  },
};

export const cardsSilent: Fault = {
  name: 'cards',
  part: 'the card network',
  struck: 'cards for which it does not answer, every second',
  alarms: [{ alarm: 'BanyanCardNetworkFails', labels: { module: 'payments' } }],
  async strike({ order }) {
    return again(1_000, () => order('tok_timeout'));
  },
};
