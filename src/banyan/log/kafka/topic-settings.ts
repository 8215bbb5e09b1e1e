// What topics are set to, as the broker says it; whoever made them, and whoever changed that since.
import type { Admin } from 'kafkajs';

/** ConfigResourceTypes.TOPIC of kafkajs, a name that Node does not find in it. */
const TOPIC = 2;

/** By topic; what the broker does not say is left out. Rejects where it lets us read no configuration. */
export async function topicSettings<N extends string>(
  admin: Admin,
  topics: readonly string[],
  names: readonly N[],
): Promise<Map<string, Readonly<Partial<Record<N, string>>>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: TOPIC, name, configNames: [...names] })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  ) as Map<string, Partial<Record<N, string>>>;
}
