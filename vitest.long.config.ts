// `npm run test:all`: the long suite alone (npm test has the rest). One file at a time: they measure and kill.
import { mergeConfig } from 'vitest/config';
import quick from './vitest.config.ts';

const long = mergeConfig(quick, {
  test: { maxWorkers: 1, fileParallelism: false, testTimeout: 600_000, hookTimeout: 120_000 },
});
long.test!.include = ['src/**/*.long.test.ts', 'test/**/*.long.test.ts'];
long.test!.exclude = ['**/node_modules/**'];
export default long;
