// What a release says of itself: what it breaks first, then each commit where it belongs.
import { expect, test } from 'vitest';
import { changelog } from '../../pipeline/release/changelog.ts';

const layout = { modules: ['orders', 'users'], foldersOf: (module: string) => [`src/modules/${module}/`] };
const none = { broken: [], changed: [], added: [] };
const promises = {
  ...{ broken: 1, changed: 0, added: 1 },
  modules: [
    { module: 'orders', ...none, broken: [{ path: '/operations/place', message: 'the operation is gone' }] },
  ],
  host: [
    { module: 'admin', ...none, added: [{ path: '/operations/more', message: 'the operation is new' }] },
  ],
  openapi: { ...none, said: 2 },
  asyncapi: { ...none, said: 0 },
};

test('what is broken stands first, a commit under each module that it changed, the rest at the end', () => {
  const text = changelog(
    { version: 'v2.0.0', since: 'v1.4.0' },
    [
      { subject: 'Both', files: ['src/modules/orders/a.ts', 'src/modules/users/b.ts'] },
      { subject: 'One', files: ['src/modules/users/c.ts', 'README.md'] },
      { subject: 'Neither', files: ['src/banyan/x.ts'] },
    ],
    promises,
    layout,
  );
  expect(text).toBe(`## v2.0.0

Since v1.4.0.

### Broken

- **orders** \`/operations/place\`: the operation is gone

### Added

- **admin** \`/operations/more\`: the operation is new

### orders

- Both

### users

- Both
- One

### What all of them stand on

- Neither
`);
});

test('the first one has nothing before it', () => {
  expect(changelog({ version: 'v0.1.0', since: undefined }, [], undefined, layout)).toBe(
    '## v0.1.0\n\nThe first release.\n',
  );
});
