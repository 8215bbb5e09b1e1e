// What is left out of the log while a server is away, and what never is.
import { expect, test } from 'vitest';
import { libraryProblem, ModuleUnavailable } from '../contract/problem.ts';
import { createOutageFilter, isUnreachable, serializeError } from './outage-lines.ts';

const refused = (port: number) =>
  Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), { code: 'ECONNREFUSED' });

test('the same outage is said once a minute, another one at once, a defect always', () => {
  let now = 0;
  const leaveOut = createOutageFilter(() => now);
  expect(leaveOut({ err: refused(9) }, 'trying again')).toBe(false);
  expect(leaveOut({ err: refused(9) }, 'trying again')).toBe(true);
  expect(leaveOut({ err: refused(10) }, 'trying again')).toBe(false);
  expect(leaveOut({ err: refused(9) }, 'not sent')).toBe(false);
  now = 60_000;
  expect(leaveOut({ err: refused(9) }, 'trying again')).toBe(false);
  for (const line of [{ err: new TypeError('x is undefined') }, { module: 'orders' }, null, 'words'])
    expect([leaveOut(line, 'm'), leaveOut(line, 'm')]).toEqual([false, false]);
});

test('that a module is away is said once a minute, whatever requests there are, and without a stack', () => {
  const leaveOut = createOutageFilter(() => 0);
  const away = new ModuleUnavailable('catalog', 'catalog is not available: connect ECONNREFUSED ::1:9.');
  const late = libraryProblem('deadline-exceeded', { detail: 'catalog.list did not answer.' });
  for (const err of [away, late])
    expect([leaveOut({ err }, 'm'), leaveOut({ err }, 'm')]).toEqual([false, true]);
  const broken = libraryProblem('internal');
  expect([leaveOut({ err: broken }, 'm'), leaveOut({ err: broken }, 'm')]).toEqual([false, false]);
  expect(leaveOut(new Error('headers timeout'), 'response errored')).toBe(true);
  expect(serializeError(away)).toEqual({
    type: 'ModuleUnavailable',
    message: 'catalog is not available: connect ECONNREFUSED ::1:9.',
    code: 'unavailable',
  });
  expect(away.body.detail).not.toContain('ECONN');
});

test('an outage has no stack, a defect has', () => {
  expect(serializeError(refused(9))).toEqual({
    type: 'Error',
    message: 'connect ECONNREFUSED 127.0.0.1:9',
    code: 'ECONNREFUSED',
  });
  expect(isUnreachable(new Error('not sent', { cause: refused(9) }))).toBe(true);
  expect(serializeError(new TypeError('x is undefined'))).toHaveProperty('stack');
});
