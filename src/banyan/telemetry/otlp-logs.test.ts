// A line of the log as it leaves by OTLP: what a receiver reads of it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect, test } from 'vitest';
import { Delivery, Outage } from './delivery.ts';
import { LogLines } from './log-lines.ts';
import { sendLogs } from './otlp-logs.ts';

interface Record {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly traceId?: string;
  readonly spanId?: string;
}

/** What came of these lines. */
async function sent(lines: readonly (object | string)[]): Promise<Record[]> {
  const records: Record[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { resourceLogs } = JSON.parse(Buffer.concat(parts).toString());
    records.push(...resourceLogs[0].scopeLogs[0].logRecords);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const none = () => {};
  const log = { warn: none, info: none } as unknown as ConstructorParameters<typeof Outage>[0];
  const open = sendLogs({
    exporting: { url: `http://127.0.0.1:${port}/v1/logs`, headers: {}, timeoutMillis: 1000 },
    batching: { maxQueueSize: 100, scheduledDelayMillis: 1000, exportTimeoutMillis: 1000 },
    resource: resourceFromAttributes({}),
    delivery: new Delivery('logs', new Outage(log), { dropped: none, failures: none }),
  });
  const kept = new LogLines();
  for (const line of lines) kept.write(typeof line === 'string' ? line : JSON.stringify(line));
  kept.to(open);
  await open.close();
  server.closeAllConnections();
  server.close();
  return records;
}

const at = '2026-01-02T03:04:05.678Z';
const trace = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331' };

test('the sentence is the body, the level the severity, all else attributes, and the trace its span', async () => {
  const [one] = await sent([
    {
      level: 'warn',
      time: at,
      host: 'monolith',
      ...trace,
      module: 'parcels',
      attempt: 2,
      msg: 'a parcel waits',
    },
  ]);
  expect(one).toMatchObject({
    timeUnixNano: `${Date.parse(at)}000000`,
    severityNumber: 13,
    severityText: 'warn',
    body: { stringValue: 'a parcel waits' },
    traceId: trace.trace_id,
    spanId: trace.span_id,
  });
  expect(one!.attributes.map(({ key }) => key).sort()).toEqual(['attempt', 'module']);
});

test('an error is an exception, a level of pino’s own a severity, and no line of ours is none', async () => {
  const records = await sent([
    {
      level: 50,
      time: at,
      err: { type: 'TypeError', message: 'x', stack: 'TypeError: x\n at y', code: 'E1' },
      msg: '',
    },
    'no JSON',
  ]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ severityNumber: 17, severityText: 'error' });
  expect(records[0]!.traceId).toBeUndefined();
  expect(Object.fromEntries(records[0]!.attributes.map(({ key, value }) => [key, value]))).toEqual({
    'exception.type': { stringValue: 'TypeError' },
    'exception.message': { stringValue: 'x' },
    'exception.stacktrace': { stringValue: 'TypeError: x\n at y' },
    'error.type': { stringValue: 'E1' },
  });
});

test('what looks like a secret does not leave', async () => {
  const secrets = ['s3cret-password', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'];
  const [one] = await sent([
    {
      level: 'info',
      time: at,
      password: secrets[0],
      url: `postgres://banyan:${secrets[0]}@db:5432/banyan`,
      msg: `a token ${secrets[1]} was refused`,
    },
  ]);
  for (const secret of secrets) expect(JSON.stringify(one)).not.toContain(secret);
  expect(one!.body.stringValue).toBe('a token [secret] was refused');
});
