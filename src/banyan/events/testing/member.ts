// A member of a consumer group as a process of its own, to be frozen: prints the id of each record that it gets.
// `node member.ts <broker url> <group prefix> <topic>`
import { createKafkaLog } from '../../log/kafka/log.ts';
import { quiet } from './shop.ts';

const [url, groupPrefix, topic] = process.argv.slice(2) as [string, string, string];
const log = createKafkaLog({ url, clientId: 'frozen', log: quiet, groupPrefix });
await log.subscribe({
  group: 'shared',
  topics: [topic],
  onBatch: async ({ records }) => {
    for (const { headers } of records) process.stdout.write(`${headers.ce_id}\n`);
  },
});
process.on('disconnect', () => process.exit());
