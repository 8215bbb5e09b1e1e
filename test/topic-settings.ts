// Settings of a topic on a real broker, as somebody changes them who may: what is not named gets the broker's own.
import { quiet } from '../src/banyan/events/testing/shop.ts';
import { createClient } from '../src/banyan/log/kafka/client.ts';

/** ConfigResourceTypes.TOPIC of kafkajs, a name that Node does not find in it. */
const TOPIC = 2;

export async function setTopic(
  brokerUrl: string,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const admin = createClient(brokerUrl, 'topic-settings', quiet).admin();
  await admin.connect();
  try {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries }],
    });
  } finally {
    await admin.disconnect();
  }
}
