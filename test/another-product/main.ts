// The carrier's monolith as a process.
import { run } from '#banyan';
import { carrier } from './product.ts';

await run(carrier);
