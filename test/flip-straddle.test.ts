// Requests that outlast a flip: they finish where they began, and whoever wants to stop that side waits for
// them, or says that the time was not enough and stops nothing.

import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { overview, place, scale } from './flip-modules.ts';
import { multipart } from './flip-traffic.ts';
import { type Customer, type Shop, withShop } from './shop.ts';

withShop((shop) => {
  let customer: Customer;
  let picture: Buffer;
  beforeAll(async () => {
    customer = await shop().customer();
    // Noise does not compress: close to the 10 MB that a picture may have.
    const raw = Buffer.alloc(1500 * 2000 * 3).map((_, index) => (index * 2654435761) >>> (index % 23));
    picture = await sharp(raw, { raw: { width: 1500, height: 2000, channels: 3 } })
      .png()
      .toBuffer();
  });

  const extract = async () => {
    expect((await scale(shop(), 'media', 1)).status).toBe(200);
    expect((await place(shop(), 'media', 'service')).status).toBe(200);
  };
  const goHome = async () => expect((await place(shop(), 'media', 'in-process')).status).toBe(200);
  const instances = async () => (await overview(shop(), 'media')).instances;

  test('an upload that began at the service ends there, and the restore waits for it', async () => {
    await extract();
    const { pid } = (await instances())[0]!;
    const upload = trickle(shop(), customer, picture);
    await upload.write(0.4);
    await goHome();

    const hasty = await scale(shop(), 'media', 0, 300);
    expect(hasty).toMatchObject({ status: 504, body: { code: 'drain-timeout', status: 504 } });
    expect(await instances()).toMatchObject([{ pid, healthy: true }]);
    expect((await shop().call('GET', '/api/users/me', { token: customer.token })).status).toBe(200);

    let stopped = false;
    const patient = scale(shop(), 'media', 0, 20_000).finally(() => {
      stopped = true;
    });
    await upload.write(0.8);
    expect(stopped).toBe(false);
    const { status, servedBy, body } = await upload.end();
    expect(stopped).toBe(false);
    expect({ status, servedBy }).toEqual({ status: 201, servedBy: 'media-1' });
    expect((await patient).body).toMatchObject({ placement: 'in-process', instances: [], desired: 0 });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');

    const { id } = JSON.parse(body.toString());
    const shown = await shop().call('GET', `/api/media/${id}`);
    expect(shown.headers.get('x-served-by')).toBe('monolith');
    expect(picture.equals(shown.body)).toBe(true);
  });

  test('an upload that began in the process ends there', async () => {
    const upload = trickle(shop(), customer, picture);
    await upload.write(0.4);
    await extract();
    await upload.write(0.8);
    expect(await upload.end()).toMatchObject({ status: 201, servedBy: 'monolith' });
  });

  test('an answer that a client reads slowly is read to its end', async () => {
    const { body } = await shop().call('POST', '/api/media', {
      token: customer.token,
      headers: { 'content-type': multipart(picture).type },
      body: multipart(picture).body,
    });
    await extract();
    const answer = await slowly(shop(), `/api/media/${body.id}`);
    expect(answer.headers['x-served-by']).toBe('media-1');
    await goHome();
    const hasty = await scale(shop(), 'media', 0, 300);
    expect(hasty).toMatchObject({ status: 504, body: { code: 'drain-timeout' } });
    expect(await instances()).toMatchObject([{ healthy: true }]);

    const patient = scale(shop(), 'media', 0, 20_000);
    const bytes = await readAll(answer);
    expect(picture.equals(bytes)).toBe(true);
    expect((await patient).status).toBe(200);
  });
});

/** An upload whose body is sent up to the given share of it; each write resolves when the kernel has it. */
function trickle(shop: Shop, customer: Customer, file: Buffer) {
  const { body, type } = multipart(file);
  const request = httpRequest(new URL('/api/media', shop.url), {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${customer.token}`,
      'content-type': type,
      'content-length': body.length,
    },
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => {});
  let sent = 0;
  const write = (share: number) =>
    new Promise<void>((resolve, reject) => {
      const end = Math.round(body.length * share);
      request.write(body.subarray(sent, end), (error) => (error ? reject(error) : resolve()));
      sent = end;
    });
  return {
    write,
    async end() {
      request.end(body.subarray(sent));
      const [response] = await answered;
      const answer = await readAll(response);
      return { status: response.statusCode, servedBy: response.headers['x-served-by'], body: answer };
    },
  };
}

/** The head of an answer whose body nobody reads yet. */
async function slowly(shop: Shop, path: string): Promise<IncomingMessage> {
  const request = httpRequest(new URL(path, shop.url), { agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts);
}
