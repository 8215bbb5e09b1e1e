// `banyan events redrive ID…|--all M [--edit]`: again, in the order of each key. An edit is checked by the
// server as the consumer will check it; what was typed is kept when it is refused.
import type { DeadLetterDetails, Decided } from '../../banyan/events/operations/schemas.ts';
import { type Client, connect } from '../client.ts';
import { editJson } from '../editor.ts';
import { Failure, misused } from '../failure.ts';
import type { Register } from '../register.ts';
import { plural } from '../times.ts';
import { type Better, dataFrom, dataOption } from './events-data.ts';
import { nextSteps } from './events-next.ts';
import { isSelection, type Selection, selectionOf, withSelection } from './events-selection.ts';

interface Options extends Selection {
  readonly all?: string;
  readonly perSecond?: string;
  readonly at?: string;
  readonly edit?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

export const redrive: Register = (group, terminal) => {
  const command = group
    .command('redrive')
    .description('try events again that failed, each key in its order')
    .argument('[id...]', 'the events');
  withSelection(command)
    .option('--all <module>', 'all dead letters of this consumer')
    .option('--per-second <n>', 'so many a second, not all at once')
    .option('--at <module>', 'only at this consumer, where several have the event')
    .option('--edit', 'open the data in $EDITOR first; the original is kept')
    .option('--data <file>', 'send the data in this file, or this JSON, instead; the original is kept')
    .option('--json', 'print the admin answer unchanged')
    .action(async (ids: string[], _options: Options, command) => {
      const options = command.optsWithGlobals() as Options;
      const { all, at, edit, data, json } = options;
      if ((ids.length === 0) === (all === undefined && !isSelection(options)))
        throw misused(
          'Which ones? Either ids, or --all or a filter.',
          'npx banyan events redrive --all payments',
        );
      const edited = edit || data !== undefined;
      if (edited && ids.length !== 1)
        throw misused('Data can be given for one event at a time.', 'npx banyan events redrive ID --edit');
      const client = connect(terminal, 'events redrive');
      const rate = rateOf(options);
      if (!edited && (ids.length !== 1 || rate)) {
        const module = all ?? at;
        const meant = ids.length > 0 ? { ids } : selectionOf(options);
        const body = { ...meant, ...(module && { module }), ...(rate && { perSecond: rate }) };
        const answer = await client.ask<{ redriven: number }>('POST', '/admin/events/redrive', {
          body,
          next: nextSteps,
          waitMs: 600_000,
        });
        const { redriven } = answer.body;
        const said =
          redriven === 0
            ? `No dead letters ${all ? `of ${all}` : 'that are meant'}.`
            : `${plural(redriven, 'event')} on the way again${rate ? `, ${rate} a second` : ''}`;
        terminal.out.write(json ? `${answer.text}\n` : `${said}\n`);
        return;
      }
      const id = ids[0]!;
      const better =
        data !== undefined
          ? dataFrom(data)
          : edit
            ? await fromEditor(client, id, at, terminal.env)
            : undefined;
      const answer = await send(client, id, at, better);
      terminal.out.write(json ? `${answer.text}\n` : `${answer.body.items.map(said).join('\n')}\n`);
    });
};

async function send(client: Client, id: string, at: string | undefined, better: Better | undefined) {
  const path = `/admin/events/dead/${encodeURIComponent(id)}/redrive`;
  const body = { ...(at && { module: at }), ...(better && { data: better.data }) };
  try {
    const answer = await client.ask<Decided>('POST', path, { body, next: nextSteps });
    better?.done();
    return answer;
  } catch (error) {
    if (!(error instanceof Failure) || !better || error.problem.status !== 422) throw error;
    throw new Failure(
      error.problem,
      `Mend ${better.path ?? 'it'}, then: npx banyan events redrive ${id} ${dataOption(better.path ?? '{}')}`,
      error.text,
    );
  }
}

async function fromEditor(
  client: Client,
  id: string,
  at: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Better> {
  const query = at === undefined ? '' : `?module=${encodeURIComponent(at)}`;
  const { body } = await client.ask<DeadLetterDetails>(
    'GET',
    `/admin/events/dead/${encodeURIComponent(id)}${query}`,
    {
      next: nextSteps,
    },
  );
  const before = body.text ?? JSON.stringify(body.data, null, 2);
  return editJson(before, id, env, `npx banyan events redrive ${id} --data`);
}

function rateOf({ perSecond }: Options): number | undefined {
  if (perSecond === undefined) return undefined;
  const rate = Number(perSecond);
  if (rate > 0 && rate <= 1_000) return rate;
  throw misused(
    `--per-second takes a number up to 1000, and not ${perSecond}.`,
    'npx banyan events redrive --all payments --per-second 10',
  );
}

function said({ id, module, state, behind }: Decided['items'][number]): string {
  const how = behind
    ? `waits behind ${behind} of its key`
    : state === 'waiting'
      ? 'is tried now'
      : `is ${state}`;
  return `${id} ${how} at ${module}`;
}
