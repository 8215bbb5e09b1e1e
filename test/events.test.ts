// Events as an operator meets them, on the Postgres log (events-suite.ts).
import { eventsSuite } from './events-suite.ts';

eventsSuite(async () => undefined);
