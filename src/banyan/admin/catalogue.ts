// The handlers of the catalogue's contract.
import type { Contract, EventDefinition } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';
import type { catalogue } from './catalogue-contract.ts';

interface Listening {
  readonly name: string;
  readonly events: { readonly parts: { readonly listeners: readonly { readonly event: EventDefinition }[] } };
}

export function catalogueHandlers(
  contracts: readonly Contract[],
  running: readonly Listening[],
): Handlers<typeof catalogue> {
  const listeningTo = (type: string) =>
    running.flatMap(({ name, events }) =>
      events.parts.listeners.some(({ event }) => event.type === type) ? [name] : [],
    );
  return {
    list: async () => ({
      items: contracts.flatMap(({ events }) =>
        Object.values(events as Record<string, EventDefinition>).map(
          ({ type, module, name, version, topic, key, summary, data }) => ({
            ...{ type, module, name, version, topic, key, summary },
            schema: JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
            listeners: running.length === 0 ? null : listeningTo(type),
          }),
        ),
      ),
    }),
  };
}
