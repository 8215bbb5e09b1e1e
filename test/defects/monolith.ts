// The shop's monolith; the services that it starts have a defect (switch.ts).
import { run } from '../../src/banyan/host/run.ts';
import { shopApp } from '../../src/shop.ts';

await run({ ...shopApp, service: () => new URL('./service.ts', import.meta.url) });
