// What a module asks for and the environment does not have is an error that says what to do.
import { expect, test } from 'vitest';
import { knownOnly } from './load.ts';

test('a module gets the settings that there are, unset ones as undefined', () => {
  const { smtpUrl, dataDir } = knownOnly('mail', { smtpUrl: undefined, dataDir: '/data' });
  expect([smtpUrl, dataDir]).toEqual([undefined, '/data']);
});

test('a setting that nobody reads is named, with where to add it', () => {
  const make = ({ stmpUrl }: { stmpUrl: string }) => stmpUrl;
  const settings = knownOnly('mail', { smtpUrl: 'smtp://mail' }) as unknown as { stmpUrl: string };
  expect(() => make(settings)).toThrow(/^mail asks for the setting "stmpUrl".*of: \['mail'\].*src\/shop\.ts/);
});
