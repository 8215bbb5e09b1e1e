// `npm run test:all`: the long suites (npm test has the rest). One file at a time: they measure, kill and freeze.
import { mergeConfig } from 'vitest/config';
import quick, { chaos, long } from './vitest.config.ts';

const config = mergeConfig(quick, {
  test: { maxWorkers: 1, fileParallelism: false, testTimeout: 600_000, hookTimeout: 120_000 },
});
config.test!.include = long;
config.test!.exclude = [...chaos, '**/node_modules/**'];
export default config;
