// The workflows by the checker that GitHub's own syntax has (https://github.com/rhysd/actionlint), where it is installed:
// go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

test('actionlint finds nothing', ({ skip }) => {
  const { error, stdout, stderr, status } = spawnSync('actionlint', ['-no-color'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (error)
    skip('actionlint is not on the PATH: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7');
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
