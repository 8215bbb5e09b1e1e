// Where a service may say that it is reached: an origin, in a network that is named, and never where clouds keep secrets.
import { expect, test } from 'vitest';
import { notAnOrigin, notAPlace, refusedAddress, serviceNetworks } from './advertised.ts';

const taken = (url: string, ...named: string[]) =>
  notAnOrigin(url) === undefined && refusedAddress('x-1', url, serviceNetworks(named)) === undefined;

test('loopback is taken, and what is named', () => {
  for (const url of ['http://127.0.0.1:4000', 'http://localhost:1', 'https://[::1]:4000', 'http://127.9.9.9'])
    expect(taken(url), url).toBe(true);
  expect(taken('http://10.1.2.3:4000', '10.0.0.0/8')).toBe(true);
  expect(taken('http://[::ffff:10.1.2.3]:4000', '10.0.0.0/8')).toBe(true);
  expect(taken('http://PARCELS.:4000', 'parcels')).toBe(true);
  expect(taken('http://a.b.svc.local', '*.svc.local')).toBe(true);
});

test('nothing else is', () => {
  for (const url of ['http://10.1.2.3:4000', 'http://parcels:4000', 'http://example.com', 'http://[fd00::1]'])
    expect(taken(url), url).toBe(false);
  expect(taken('http://svc.local', '*.svc.local')).toBe(false);
  expect(taken('http://evil-svc.local', '*.svc.local')).toBe(false);
  expect(refusedAddress('x-1', 'http://10.1.2.3', serviceNetworks([]))).toMatch(
    /10\.1\.2\.3.*SERVICE_NETWORKS/,
  );
});

test('link-local and metadata addresses are refused in every spelling, whatever is named', () => {
  const everybody = ['0.0.0.0/0', '::/0', '*.internal', 'metadata'];
  for (const host of [
    '169.254.169.254',
    '0xa9fea9fe',
    '0xa9.0xfe.0xa9.0xfe',
    '2852039166',
    '0251.0376.0251.0376',
    '169.254.43518',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '0.0.0.0',
    '[::]',
    'metadata.google.internal',
    'metadata.google.internal.',
    'metadata',
  ])
    expect(taken(`http://${host}:80`, ...everybody), host).toBe(false);
  expect(taken('http://8.8.8.8', ...everybody)).toBe(true);
  expect(taken('http://[::1]', ...everybody)).toBe(true);
});

test('an address is an origin and nothing else', () => {
  for (const url of [
    'http://127.0.0.1/x',
    'http://127.0.0.1?x',
    'http://127.0.0.1#x',
    'http://a@127.0.0.1',
    'http://a:b@127.0.0.1',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'http://',
    'http://127.0.0.1:99999',
    'nonsense',
  ])
    expect(notAnOrigin(url), url).toEqual(expect.any(String));
  expect(notAnOrigin('http://127.0.0.1:80/')).toBeUndefined();
});

test('a list of places is checked part by part', () => {
  expect(notAPlace(['10.0.0.0/8', 'parcels', '*.svc.local', '::1', 'a-b.c'])).toBeUndefined();
  for (const part of ['10.0.0.0/33', '300.1.2.3', '*', 'a b', '', 'http://x', '*.*.x', 'a/8'])
    expect(notAPlace(['parcels', part]), part).toBe(part);
});
