// Whose share a request is in: its user's, else its Idempotency-Key's, else its trace's; once, and by nobody's made-up word.
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { believeShare, shareOf, sharePassedOn } from './request-share.ts';
import { traceFor } from './traced.ts';

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const token = (claims: object, signature = 'c2lnbmF0dXJl') =>
  `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;

const trace = 'a'.repeat(32);
const traceparent = `00-${trace}-${'b'.repeat(16)}-01`;
const once = { 'idempotency-key': 'key-1', traceparent };

it.each([
  ['the user', { authorization: token({ sub: 'anna' }), ...once }, 'anna'],
  ['the Idempotency-Key', once, 'key-1'],
  ['the Idempotency-Key of an operator', { authorization: 'Bearer opaque', ...once }, 'key-1'],
  ['the trace', { traceparent }, trace],
  ['the trace where the Idempotency-Key is no word', { traceparent, 'idempotency-key': 'a key' }, trace],
  ['the trace where the token has dots and is none', { traceparent, authorization: 'Bearer a.b.c' }, trace],
  ['the trace where the user is no word', { traceparent, authorization: token({ sub: 'a\nb' }) }, trace],
  ['the trace where the user is none', { traceparent, authorization: token({ sub: 7 }) }, trace],
])('is %s', (_, headers, key) => {
  expect(shareOf(request(headers)).key).toBe(key);
});

it('is that of the token, not of another that ends alike', () => {
  const sub = (name: string) => shareOf(request({ authorization: token({ sub: name }) })).key;
  expect([sub('anna'), sub('bert'), sub('anna')]).toEqual(['anna', 'bert', 'anna']);
});

it('is one trace for all that a request does, also where it began here', () => {
  const raw = request({});
  const { key } = shareOf(raw);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(traceFor(raw).slice(3, 35)).toBe(key);
  expect(shareOf(raw)).toBe(shareOf(raw));
});

it('is what another host said, once that is believed; a client is not asked', () => {
  const said = {
    'x-banyan-bucket': 'passed-on',
    authorization: token({ sub: 'anna' }),
    'x-banyan-side': 'service',
  };
  expect(shareOf(request(said)).key).toBe('anna');
  const raw = request(said);
  believeShare(raw);
  expect(shareOf(raw)).toMatchObject({ key: 'passed-on', side: 'service' });
  const nothing = request({ 'x-banyan-bucket': 'two words' });
  believeShare(nothing);
  expect(sharePassedOn(nothing)).toBeUndefined();
});

it.each([
  ['service', 'service'],
  ['in-process', 'in-process'],
  ['elsewhere', undefined],
])('asks for the side %s: %s', (side, asked) => {
  expect(shareOf(request({ 'x-banyan-side': side })).side).toBe(asked);
});
