// docs/events-catalogue.md: every event, who publishes it, who listens, what its data is, and what may change. Made of the
// contracts and of what the modules register; nothing of it is written by hand. Pure.
import type { Contract, EventDefinition } from '../../src/banyan/contract/contract.ts';
import type { Listener } from '../../src/banyan/events/listener.ts';

type Schema = Readonly<Record<string, unknown>>;

export function cataloguePage(
  contracts: readonly Contract[],
  listening: ReadonlyMap<string, readonly Listener[]>,
): string {
  const publishers = contracts.filter(({ events }) => Object.keys(events).length > 0);
  const events = publishers.flatMap((contract) => eventsOf(contract));
  const who = (event: EventDefinition) => listenersTo(event, listening);
  return [
    '# The events',
    '',
    '<!-- Made by `npm run catalogue` from the contracts and the listeners of the modules: change those, not this. -->',
    '',
    `${events.length} events of ${publishers.length} modules. [events.md](events.md) says what is promised of all of them, \`/asyncapi.json\` has them`,
    'for programs, `GET /admin/events/catalogue` those of a host that runs.',
    '',
    '| event | version | when | who listens |',
    '|---|---|---|---|',
    ...events.map((event) => {
      const name = `[${event.module}.${event.name}](#${anchorOf(event)})`;
      return `| ${name} | ${event.version} | ${cell(event.summary)} | ${named(who(event).map(({ module }) => module))} |`;
    }),
    '',
    ...whatMayChange,
    ...publishers.flatMap((contract) => [
      `## ${contract.module}`,
      '',
      `${contract.summary}. Topic \`${contract.module}.events\`. ${heard(contract.module, listening)}`,
      '',
      ...eventsOf(contract).flatMap((event) => section(event, who(event))),
    ]),
    ...silent(contracts, listening),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

const whatMayChange = [
  '## What may change',
  '',
  '`banyan contract diff REV` holds a change to this; [pipeline.md](pipeline.md#what-may-change) has all rules.',
  '',
  '- **Compatible, the version stays:** a new event; a new optional field; a sentence, a description, an example.',
  '- **A new version** (`v2`): a field that is gone, renamed, or of another type; one that is required now and was not, since events of',
  '  before stand in the log for 7 days and are read by the schema of now; a word more or less in a list of words; another limit',
  '  or key. Who knows `v1` alone keeps events of `v2` waiting with the later ones of their key, so listeners are deployed first.',
  '- **Listeners** take fields that they do not know.',
  '',
];

function eventsOf({ events }: Contract): EventDefinition[] {
  return Object.values(events as Record<string, EventDefinition>);
}

interface Consumer {
  readonly module: string;
  readonly listener: Listener;
}

function listenersTo(
  event: EventDefinition,
  listening: ReadonlyMap<string, readonly Listener[]>,
): Consumer[] {
  return [...listening].flatMap(([module, listeners]) =>
    listeners.filter((one) => one.event.type === event.type).map((listener) => ({ module, listener })),
  );
}

/** Which modules the events come to that this one listens to. */
function heard(module: string, listening: ReadonlyMap<string, readonly Listener[]>): string {
  const to = [...new Set((listening.get(module) ?? []).map(({ event }) => event.module))].sort();
  return to.length === 0 ? 'It listens to nobody.' : `It listens to ${to.join(', ')}.`;
}

function section(event: EventDefinition, consumers: readonly Consumer[]): string[] {
  const { type, summary, key, data } = event;
  const replayable = consumers.filter(({ listener }) => listener.replayable).map(({ module }) => module);
  const facts = [
    `Key: \`${key}\`.`,
    `Listeners: ${named(consumers.map(({ module }) => module))}.`,
    ...(replayable.length > 0 ? [`Replayable to ${named(replayable)}.`] : []),
  ];
  return [
    `### ${event.module}.${event.name}`,
    '',
    `\`${type}\`: ${summary}. ${facts.join(' ')}`,
    '',
    '| field | type | |',
    '|---|---|---|',
    ...fieldsOf(data as unknown as Schema).map(
      ({ path, type: of, about }) => `| \`${path}\` | ${cell(of)} | ${cell(about)} |`,
    ),
    '',
  ];
}

/** Modules that publish nothing are named: who looks for theirs knows that there are none. */
function silent(
  contracts: readonly Contract[],
  listening: ReadonlyMap<string, readonly Listener[]>,
): string[] {
  const some = contracts.filter(({ events }) => Object.keys(events).length === 0);
  if (some.length === 0) return [];
  return [
    '## Modules without events',
    '',
    ...some.map(({ module, summary }) => `- **${module}** (${summary}). ${heard(module, listening)}`),
    '',
  ];
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly about: string;
}

/** One row a field, those of what is in it below it: `lines[].quantity`. */
function fieldsOf(schema: Schema, within = ''): Field[] {
  const required = (schema.required ?? []) as readonly string[];
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([name, field]) => {
    const path = `${within}${name}`;
    const optional = required.includes(name) ? [] : ['may be missing'];
    const described = typeof field.description === 'string' ? [field.description] : [];
    const below =
      field.type === 'array'
        ? fieldsOf(field.items as Schema, `${path}[].`)
        : field.type === 'object'
          ? fieldsOf(field, `${path}.`)
          : [];
    return [{ path, type: typeOf(field), about: [...optional, ...described].join('; ') }, ...below];
  });
}

const LIMITS: readonly (readonly [string, string])[] = [
  ['minimum', 'from'],
  ['maximum', 'to'],
  ['minLength', 'at least'],
  ['maxLength', 'at most'],
];

function typeOf(schema: Schema): string {
  const choices = schema.anyOf as readonly Schema[] | undefined;
  if (choices) return choices.map(typeOf).join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.type === 'array') return `list of ${typeOf(schema.items as Schema)}`;
  const limits = LIMITS.flatMap(([key, word]) =>
    schema[key] === undefined ? [] : [`${word} ${schema[key]}`],
  );
  const words = [
    String(schema.type ?? 'anything'),
    ...(schema.format === undefined ? [] : [`(${schema.format})`]),
    ...limits,
  ];
  return words.join(' ');
}

const named = (modules: readonly string[]) =>
  modules.length === 0 ? 'nobody' : [...modules].sort().join(', ');

/** As the pages of the repository are shown, a heading is found by its words. */
const anchorOf = ({ module, name }: EventDefinition) => `${module}${name}`.toLowerCase();

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
