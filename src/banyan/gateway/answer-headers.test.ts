// What of a service's headers a client may have.
import { expect, test } from 'vitest';
import { cleanAnswer } from './answer-headers.ts';

test('what is the connection’s or the whole site’s stays behind; what is of the answer goes on', () => {
  const own = { 'content-type': 'text/html', etag: '"1"', 'cache-control': 'public', link: ['<a>', '<b>'] };
  const clean = cleanAnswer({
    ...own,
    connection: 'keep-alive, x-mine',
    'x-mine': '1',
    'content-security-policy': "default-src * 'unsafe-inline'",
    'content-security-policy-report-only': 'default-src *',
    'x-content-type-options': 'off',
    'referrer-policy': 'unsafe-url',
    'strict-transport-security': 'max-age=0',
    'clear-site-data': '"*"',
    'service-worker-allowed': '/',
    'x-internal-token': 'a token',
  });
  expect(clean).toEqual(own);
});
