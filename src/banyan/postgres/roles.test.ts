// What the server is told of a role's password, and what stands in its comment, which everybody on the server can read.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { rolesOf } from './provision.ts';
import { roleState } from './roles.ts';
import { scramVerifier } from './scram-verifier.ts';

const stateOf = (secret: string, password: string) =>
  roleState(
    rolesOf({
      adminUrl: 'postgres://nobody@127.0.0.1:1/none',
      secret,
      passwords: { banyan_parcels: password },
      modules: [],
      schemas: [{ schema: 'parcels', role: 'banyan_parcels', ddl: '' }],
      moduleDdl: () => '',
      log: pino({ level: 'silent' }),
    })[0]!,
  );

test('a comment changes with the password, and without the secret no password can be tried by it', () => {
  expect(stateOf('a secret', 'a word')).toBe(stateOf('a secret', 'a word'));
  expect(stateOf('a secret', 'a word')).not.toBe(stateOf('a secret', 'another word'));
  expect(stateOf('a secret', 'a word')).not.toBe(stateOf('another secret', 'a word'));
});

test('of a password the server is told what it would keep of it, and never the password', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  // The example of RFC 7677.
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
  expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil'));
  expect(scramVerifier('\u2168\u00a0\u00adx', salt)).toBe(scramVerifier('IX x', salt));
});
