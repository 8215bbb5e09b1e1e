// `banyan events tail [TOPIC]`: live, one line an event, until Ctrl-C. A monolith that restarts is waited for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tailed } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { Failure } from '../failure.ts';
import { oneLine, shorten } from '../plain.ts';
import type { Register } from '../register.ts';
import { type Style, styleFor, type Terminal } from '../terminal.ts';
import { local, moment } from '../times.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly from?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 30_000;

export const tail: Register = (group, terminal) => {
  group
    .command('tail')
    .description('print events as they arrive in the log')
    .argument('[topic]', 'only this one, such as orders.events')
    .option('--from <time>', 'begin in the past: 2026-11-21T10:00Z, or how long ago: 10m', moment)
    .option('--json', 'one JSON object a line')
    .action(async (topic: string | undefined, _options: Options, command) => {
      const { from, json = false } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'events tail');
      const style = styleFor(terminal, terminal.out);
      let cursor: string | undefined;
      let failing = 0;
      while (!terminal.interrupted.aborted) {
        const query = new URLSearchParams({
          ...(topic && { topic }),
          ...(cursor ? { cursor } : from ? { from } : {}),
        });
        try {
          const { body } = await client.ask<Tailed>('GET', `/admin/events/tail?${query}`, {
            next: nextSteps,
          });
          cursor = body.nextCursor;
          failing = 0;
          for (const one of body.items)
            terminal.out.write(`${json ? JSON.stringify(one) : lineOf(one, terminal, style)}\n`);
        } catch (error) {
          if (terminal.interrupted.aborted) return;
          // Once it has begun it outlives a restart; where it was is in the cursor.
          failing ||= Date.now();
          const passing = error instanceof Failure && error.problem.status >= 500;
          if (!passing || cursor === undefined || Date.now() - failing > TIMEOUT_MS) throw error;
          await sleep(500);
        }
      }
    });
};

/** In 80 columns for a person; whole for a program, so that grep and awk find what they look for. */
function lineOf(one: Tailed['items'][number], { out }: Terminal, style: Style): string {
  const { at, type, key, sequence, id, data, text, wrong } = one;
  const what = wrong ? `unreadable: ${wrong}` : type;
  const time = local(at).slice(11);
  if (!out.isTerminal)
    return `${at} ${id} ${oneLine(what)} ${oneLine(key)} #${sequence ?? '?'} ${oneLine(text ?? JSON.stringify(data))}`;
  const rest = shorten(` ${oneLine(key)} #${sequence ?? '?'}`, Math.max(10, 80 - 10 - what.length));
  return `${style('dim', time)}  ${style(wrong ? 'red' : 'cyan', shorten(oneLine(what), 60))}${rest}`;
}
