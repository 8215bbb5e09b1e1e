// AsyncAPI 3.0 from contracts alone: one channel per topic, one message per event, with the headers that both
// logs carry. What stands here is what consumers in other languages may rely on.
import type { Contract, EventDefinition } from '../contract/contract.ts';
import type { Documented } from '../contract/openapi.ts';

type Json = Record<string, unknown>;

const string = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more });

/** Who listens to what: module name to the events it handles. Only hosts that run the modules know it. */
export type Consumers = Readonly<Record<string, readonly EventDefinition[]>>;

/** The document of these contracts. */
export function asyncapi(
  contracts: readonly Contract[],
  { title, version }: Documented,
  consumers: Consumers = {},
): Json {
  const channels: Json = {};
  const operations: Json = {};
  const messages: Json = {};
  for (const contract of contracts) {
    const events = Object.values(contract.events as Record<string, EventDefinition>);
    if (events.length === 0) continue;
    const channel = `${contract.module}Events`;
    channels[channel] = {
      address: `${contract.module}.events`,
      title: contract.summary,
      description: `What ${contract.module} publishes. Order holds per key; delivery is at least once, so drop what you have seen by ce_id.`,
      tags: [{ name: contract.module }],
      messages: Object.fromEntries(
        events.map(({ name }) => [name, { $ref: `#/components/messages/${contract.module}.${name}` }]),
      ),
      bindings: { kafka: { topic: `${contract.module}.events`, bindingVersion: '0.5.0' } },
    };
    operations[`${contract.module}Publishes`] = {
      action: 'send',
      channel: { $ref: `#/channels/${channel}` },
      summary: `${contract.module} publishes`,
      messages: events.map(({ name }) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
    };
    for (const event of events) messages[`${contract.module}.${event.name}`] = message(event);
  }
  for (const [consumer, events] of Object.entries(consumers)) {
    for (const [module, some] of Map.groupBy(events, (event) => event.module)) {
      operations[`${consumer}ListensTo${module[0]!.toUpperCase()}${module.slice(1)}`] = {
        action: 'receive',
        channel: { $ref: `#/channels/${module}Events` },
        summary: `${consumer} listens to ${module}`,
        messages: some.map(({ name }) => ({ $ref: `#/channels/${module}Events/messages/${name}` })),
      };
    }
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: `${title} events`,
      version,
      description:
        'CloudEvents 1.0 in the binary mode of its Kafka protocol binding, on Kafka and on the embedded log alike.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { messages, messageTraits: { cloudEvent } },
  };
}

function message(event: EventDefinition): Json {
  return {
    name: event.type,
    title: event.summary,
    contentType: 'application/json',
    tags: [{ name: event.module }],
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
    headers: {
      type: 'object',
      required: ['ce_type', 'ce_source'],
      properties: {
        ce_type: { const: event.type },
        ce_source: { const: `/modules/${event.module}` },
        ce_subject: string(`The key: ${event.key} of the data`),
      },
    },
    payload: JSON.parse(JSON.stringify(event.data)) as Json,
    bindings: { kafka: { key: string(`${event.key} of the data`), bindingVersion: '0.5.0' } },
  };
}

const cloudEvent: Json = {
  headers: {
    type: 'object',
    required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_subject', 'ce_time', 'ce_sequence'],
    properties: {
      ce_specversion: { const: '1.0' },
      ce_id: string('Unique; what makes an effect happen once', { format: 'uuid' }),
      ce_source: string('The module that publishes'),
      ce_type: string('<module>.<event>.v<major>'),
      ce_subject: string('The key'),
      ce_time: string('When the change was made', { format: 'date-time' }),
      ce_sequence: string('Per topic and key, from 1, without gaps, in decimal', {
        pattern: '^[1-9][0-9]*$',
      }),
      ce_correlationid: string('The id of the event that began the chain'),
      ce_causationid: string('The id of the event that caused this one'),
      ce_instance: string('The host that published it: monolith, or a service instance such as <module>-1'),
      traceparent: string('W3C trace context'),
      'content-type': { const: 'application/json' },
    },
  },
};
