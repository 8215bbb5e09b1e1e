// A host that kills itself (SIGKILL: nothing is closed, nothing is said) the first time it reaches a named step
// with events in hand. Run by steps.test.ts: `node victim.ts <database url> <step> [broker url] [group prefix]`.
import { Pool } from 'pg';
import { createKafkaLog } from '../../log/kafka/log.ts';
import { createPostgresLog } from '../../log/postgres.ts';
import { on } from '../../saga/on.ts';
import { createEventRuntime } from '../runtime.ts';
import { openStore, quiet, shop, till, urlOf } from './shop.ts';

const [url, fatal, broker, groupPrefix] = process.argv.slice(2) as [string, string, string?, string?];
let handled = 0;

const die = (step: string, ids: readonly string[]) => {
  if (step !== fatal) return;
  // A relay looks for rows before there are any, and offsets are committed without naming events.
  const inHand =
    ids.length > 0 || (step === 'before-claim' && waiting > 0) || (step.endsWith('-offset') && handled > 0);
  if (inHand) process.kill(process.pid, 'SIGKILL');
};

let waiting = 0;
const admin = new Pool({ connectionString: url, max: 1 });
const steps = {
  relay: async (step: string, ids: readonly string[]) => {
    if (step === 'before-claim')
      waiting = (await admin.query('SELECT count(*)::int AS n FROM shop.event_outbox')).rows[0].n;
    die(step, ids);
  },
  inbox: (step: string, ids: readonly string[]) => {
    if (step === 'after-commit') handled += 1;
    die(step, ids);
  },
};

const shopStore = openStore(shop, url, () => {});
const tillStore = openStore(till, url, () => {});
const eventLog = broker
  ? createKafkaLog({ url: broker, clientId: 'victim', log: quiet, groupPrefix })
  : createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
const common = { contracts: [shop, till], eventLog, hostId: 'victim', log: quiet };
const selling = createEventRuntime({ ...common, contract: shop, listeners: [], store: shopStore, steps });
const paying = createEventRuntime({
  ...common,
  contract: till,
  store: tillStore,
  steps: { inbox: steps.inbox },
  listeners: [
    on(shop.events.sold, async (data, { tx, delivery }) => {
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        data.orderId,
        data.n,
      ]);
      await tx.publish(till.events.paid, data);
    }),
  ],
});
await Promise.all([selling.relay.start(), paying.relay.start(), paying.consumers.start()]);
