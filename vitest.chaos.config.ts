// `npm run test:chaos`: faults struck on real processes and real brokers, apart from the other long suites because
// it takes minutes for each of them.
import { chaos } from './vitest.config.ts';
import config from './vitest.long.config.ts';

config.test!.include = chaos;
config.test!.exclude = ['**/node_modules/**'];
export default config;
