// What stands in the comment of a role, which everybody on the server can read.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { rolesOf } from './provision.ts';
import { roleState } from './roles.ts';

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
