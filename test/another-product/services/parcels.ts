// parcels in a process of its own.
import { run } from '#banyan';
import { carrier } from '../product.ts';

await run(carrier, { MODULES: 'parcels' });
