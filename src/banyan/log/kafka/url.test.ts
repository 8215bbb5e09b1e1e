// What a broker URL says, and what is said of one that is wrong: never what stands in it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseBrokerUrl, readCa } from './url.ts';

describe('the broker URL', () => {
  test('names brokers, TLS and credentials', () => {
    expect(parseBrokerUrl('kafka://a:9092')).toEqual({ brokers: ['a:9092'], tls: false });
    expect(parseBrokerUrl('kafka://[::1]:9092,b.c:1')).toEqual({
      brokers: ['[::1]:9092', 'b.c:1'],
      tls: false,
    });
    expect(parseBrokerUrl('kafkas://u%40x:p%3A@a:9092,b:9093/')).toEqual({
      brokers: ['a:9092', 'b:9093'],
      tls: true,
      user: 'u@x',
      password: 'p:',
    });
  });

  test.each([
    ['p%3Aq%40r%2Fs%25', 'p:q@r/s%'],
    ['a:b', 'a:b'],
    ['what?#is', 'what?#is'],
    ['', ''],
  ])('takes the password %s', (text, password) => {
    expect(parseBrokerUrl(`kafka://u:${text}@a:1`)).toMatchObject({ user: 'u', password });
  });

  test('names the mechanism and the authority', () => {
    expect(parseBrokerUrl('kafkas://u:p@a:9093/?mechanism=SCRAM-SHA-512&ca=/etc/ca%20of%20us.pem')).toEqual({
      brokers: ['a:9093'],
      tls: true,
      user: 'u',
      password: 'p',
      mechanism: 'scram-sha-512',
      ca: '/etc/ca of us.pem',
    });
    expect(parseBrokerUrl('kafka://u:p@a:9093?mechanism=plain')).toMatchObject({ mechanism: 'plain' });
  });

  test.each([
    ['http://a:9092', /kafka\[s\]:\/\//],
    ['kafka://', /kafka\[s\]:\/\//],
    ['kafka://a', /kafka\[s\]:\/\//],
    ['kafka://a:x', /kafka\[s\]:\/\//],
    ['kafka://a:0', /kafka\[s\]:\/\//],
    ['kafka://a:65536', /kafka\[s\]:\/\//],
    ['kafka://a:1,,b:2', /kafka\[s\]:\/\//],
    ['kafka://u:secret@x@a:1', /write @ as %40/],
    ['kafka://secret@a:1', /a user without a password/],
    ['kafka://:secret@a:1', /a user without a password/],
    ['kafka://u:secret%@a:1', /% itself is %25/],
    [
      'kafka://u:secret@a:1?mechanism=gssapi',
      /mechanism that is not known.*plain, scram-sha-256, scram-sha-512/,
    ],
    ['kafka://u:secret@a:1?mechanism=plain&mechanism=plain', /has mechanism 2 times/],
    ['kafka://u:secret@a:1?sasl=plain', /a parameter that is not known.*mechanism and ca/],
    ['kafka://a:1?mechanism=plain', /a mechanism and no user/],
    ['kafka://a:1?ca=/ca.pem', /a ca and no TLS.*kafkas:/],
    ['kafkas://a:1?ca=', /an empty ca/],
  ])('%s is refused', (url, words) => {
    const read = () => parseBrokerUrl(url);
    expect(read).toThrow(words);
    expect(read).not.toThrow(/secret|gssapi|sasl/);
  });

  test('its certificates have to be there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'banyan-ca-'));
    try {
      const ca = join(folder, 'ca.pem');
      expect(() => readCa({ ca })).toThrow(/a ca that cannot be read \(ENOENT\).*ca\.pem.*PEM file/);
      writeFileSync(ca, 'no certificate');
      expect(() => readCa({ ca })).toThrow(/a ca that holds no certificate/);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(readCa({})).toBeUndefined();
  });
});
