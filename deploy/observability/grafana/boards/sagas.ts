// Work that takes several steps, and what the outside answered: sagas that are not over, attempts of jobs, cards, mails.
import { type Board, modules } from '../board.ts';
import { lines, verdict } from '../panels.ts';
import { inAll, OF_MODULE, orZero, orZeroByModule, rate, rows } from '../queries.ts';

const CONSOLE = [{ title: 'In the console', url: 'http://localhost:3000/console' }];

export const sagas: Board = {
  name: 'sagas',
  title: 'Banyan: sagas',
  about: 'What is under way over several modules, how long, and what came of what was asked of others.',
  variables: [modules()],
  wrong: [
    verdict(
      {
        title: 'Stuck',
        about: 'Past the deadline of their step. `banyan saga` names the module, the cause and the remedy.',
        unit: 'short',
        links: CONSOLE,
      },
      { wrong: 1 },
      [
        orZero(`sum(${rows('module, style, step', 'banyan_sagas_open', 'state="stuck"', OF_MODULE)})`),
        'stuck',
      ],
    ),
    verdict(
      { title: 'Longest at its step', about: 'Of those that are not stuck yet.', unit: 's', links: CONSOLE },
      { look: 10, wrong: 30 },
      [orZero(`max(banyan_sagas_oldest_seconds{state!="stuck",${OF_MODULE}})`), 'oldest'],
    ),
    verdict(
      {
        title: 'Attempts that fail',
        about: 'Of jobs: at rows that waited and at steps of sagas. They are made again.',
        unit: 'percentunit',
      },
      { look: 0.01, wrong: 0.2 },
      [
        orZero(
          `sum(${rate('banyan_job_attempts_failed_total', OF_MODULE)}) / ` +
            `clamp_min(sum(${rate('banyan_job_attempts_total', OF_MODULE)}), 1e-9)`,
        ),
        'failed',
      ],
    ),
    verdict(
      {
        title: 'Payments that timed out',
        about: 'The card network was silent, in the time shown: they were voided.',
        unit: 'short',
      },
      { look: 1 },
      [orZero(`sum(${inAll('payments_ended_total', 'outcome="timeout"')})`), 'timeouts'],
    ),
    verdict(
      {
        title: 'The card network fails',
        about: 'Asks that were not answered, or by an error, in the time shown.',
        unit: 'short',
      },
      { look: 1 },
      [orZero(`sum(${inAll('payments_network_failures_total')})`), 'failures'],
    ),
    verdict(
      { title: 'Mails given up', about: 'In the time shown: the customer has not been told.', unit: 'short' },
      { wrong: 1 },
      [orZero(`sum(${inAll('notifications_mails_total', 'outcome="given-up"')})`), 'mails'],
    ),
  ],
  rows: [
    {
      title: 'Sagas',
      panels: [
        lines({ title: 'Begun', about: 'By the style that was in force.', unit: 'ops', links: CONSOLE }, [
          `sum by (module, style) (${rate('banyan_sagas_begun_total', OF_MODULE)})`,
          '{{module}} {{style}}',
        ]),
        lines(
          {
            title: 'Not over, by state',
            about: '`stuck` is past the deadline of its step.',
            unit: 'short',
            links: CONSOLE,
          },
          [
            orZeroByModule(
              `sum by (module, state) (${rows('module, style, step, state', 'banyan_sagas_open', OF_MODULE)})`,
            ),
            '{{module}} {{state}}',
          ],
        ),
        lines({ title: 'Not over, by step', about: 'Where they stand.', unit: 'short', links: CONSOLE }, [
          orZeroByModule(
            `sum by (module, step) (${rows('module, style, step, state', 'banyan_sagas_open', OF_MODULE)})`,
          ),
          '{{module}} {{step}}',
        ]),
        lines({ title: 'The longest at its step', about: 'Of each state.', unit: 's', links: CONSOLE }, [
          orZeroByModule(rows('module, state', 'banyan_sagas_oldest_seconds', OF_MODULE)),
          '{{module}} {{state}}',
        ]),
      ],
    },
    {
      title: 'Jobs',
      panels: [
        lines({ title: 'Attempts', about: 'At rows that waited, and at steps of sagas.', unit: 'ops' }, [
          `sum by (module) (${rate('banyan_job_attempts_total', OF_MODULE)})`,
          '{{module}}',
        ]),
        lines(
          { title: 'Attempts that failed', about: 'They are made again, later and later.', unit: 'ops' },
          [`sum by (module) (${rate('banyan_job_attempts_failed_total', OF_MODULE)})`, '{{module}}'],
        ),
      ],
    },
    {
      title: 'What the outside answered',
      panels: [
        lines(
          {
            title: 'Payments ended',
            about: 'By how; `timeout`: the network was silent.',
            unit: 'ops',
            span: 8,
          },
          [`sum by (outcome) (${rate('payments_ended_total')})`, '{{outcome}}'],
        ),
        lines({ title: 'The card network fails', about: 'By how.', unit: 'ops', span: 8 }, [
          `sum by (kind) (${rate('payments_network_failures_total')})`,
          '{{kind}}',
        ]),
        lines({ title: 'Mails', about: '`failed` are attempts, and made again.', unit: 'ops', span: 8 }, [
          `sum by (outcome) (${rate('notifications_mails_total')})`,
          '{{outcome}}',
        ]),
      ],
    },
  ],
};
