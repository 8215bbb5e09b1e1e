// `banyan events redrive ID…|--all M [--edit]`: again, in the order of each key. An edit is checked by the
// server as the consumer will check it; what was typed is kept when it is refused.
import { readFileSync } from 'node:fs';
import type { DeadLetterDetails, Decided } from '../../banyan/events/operations/schemas.ts';
import { type Client, connect } from '../client.ts';
import { editJson } from '../editor.ts';
import { Failure, failure, misused } from '../failure.ts';
import type { Register } from '../register.ts';
import { plural } from '../times.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly all?: string;
  readonly at?: string;
  readonly edit?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

export const redrive: Register = (group, terminal) => {
  group
    .command('redrive')
    .description('try events again that failed, each key in its order')
    .argument('[id...]', 'the events')
    .option('--all <module>', 'all dead letters of this consumer')
    .option('--at <module>', 'only at this consumer, where several have the event')
    .option('--edit', 'open the data in $EDITOR first; the original is kept')
    .option('--data <file>', 'send the data in this file instead; the original is kept')
    .option('--json', 'print the admin answer unchanged')
    .action(async (ids: string[], _options: Options, command) => {
      const options = command.optsWithGlobals() as Options;
      const { all, at, edit, data, json } = options;
      if ((ids.length === 0) === (all === undefined))
        throw misused('Which ones? Either ids or --all.', 'npx banyan events redrive --all payments');
      const edited = edit || data !== undefined;
      if (edited && ids.length !== 1)
        throw misused('Data can be given for one event at a time.', 'npx banyan events redrive ID --edit');
      const client = connect(terminal, 'events redrive');
      if (!edited && ids.length !== 1) {
        const body = all === undefined ? { ids, ...(at && { module: at }) } : { module: all };
        const answer = await client.ask<{ redriven: number }>('POST', '/admin/events/redrive', {
          body,
          next: nextSteps,
          waitMs: 600_000,
        });
        const { redriven } = answer.body;
        const said =
          redriven === 0 ? `No dead letters of ${all}.` : `${plural(redriven, 'event')} on the way again`;
        terminal.out.write(json ? `${answer.text}\n` : `${said}\n`);
        return;
      }
      const id = ids[0]!;
      const better =
        data !== undefined
          ? fromFile(data)
          : edit
            ? await fromEditor(client, id, at, terminal.env)
            : undefined;
      const answer = await send(client, id, at, better);
      terminal.out.write(json ? `${answer.text}\n` : `${answer.body.items.map(said).join('\n')}\n`);
    });
};

interface Better {
  readonly data: unknown;
  /** Where the text is, in case it is refused. */
  readonly path: string;
  readonly done: () => void;
}

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
      `Mend ${better.path}, then: npx banyan events redrive ${id} --data ${better.path}`,
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

function fromFile(path: string): Better {
  const wrong = (why: string) =>
    failure(
      'bad-data',
      400,
      'The data could not be read',
      `${path}: ${why}`,
      'Give a file with one JSON value',
    );
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong((error as Error).message);
  }
  try {
    return { data: JSON.parse(text), path, done: () => {} };
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function said({ id, module, state, behind }: Decided['items'][number]): string {
  const how = behind
    ? `waits behind ${behind} of its key`
    : state === 'waiting'
      ? 'is tried now'
      : `is ${state}`;
  return `${id} ${how} at ${module}`;
}
