// `npm run test:chaos`: faults struck on real processes and real brokers, apart from the other long suites because
// it takes minutes for each of them.
import { mergeConfig } from 'vitest/config';
import quick, { chaos } from './vitest.config.ts';

const config = mergeConfig(quick, { test: { maxWorkers: 1, testTimeout: 600_000, hookTimeout: 120_000 } });
config.test!.include = chaos;
config.test!.exclude = ['**/node_modules/**'];
export default config;
