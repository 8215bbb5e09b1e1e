// Events on their way: from the outbox of a module into the log, out of it into the inboxes of others, and what stays behind.
import { type Board, modules } from '../board.ts';
import { lines, verdict } from '../panels.ts';
import { countOf, OF_MODULE, orZero, orZeroByModule, rate, rows } from '../queries.ts';

const parked = rows('module, topic, partition', 'banyan_events_parked', OF_MODULE);
const refused = rows('module, part', 'banyan_events_refused', OF_MODULE);

/** Every module that has events has this one. */
const KNOWN = 'banyan_events_relay_held';

export const events: Board = {
  name: 'events',
  title: 'Banyan: events',
  about: 'Outbox, log, inbox: what flows, what waits, and what a person must decide about.',
  variables: [modules()],
  wrong: [
    verdict(
      {
        title: 'Letters for a person',
        about:
          'Events that a module gave up: what is behind them of the same key waits. `banyan events dead`, or the console.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${rows('module', 'banyan_events_dead_letters', OF_MODULE)})`), 'letters'],
    ),
    verdict(
      { title: 'Keys that are held', about: 'They do not go on by themselves.', unit: 'short' },
      { wrong: 1 },
      [orZero(`sum(${rows('module', 'banyan_events_held_keys', OF_MODULE)})`), 'keys'],
    ),
    verdict(
      {
        title: 'Parked or refused',
        about:
          'Partitions that are not read because something in them cannot be, and parts that the log does not let do their work.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(`${parked} or ${refused}`), 'parts'],
    ),
    verdict(
      {
        title: 'Modules without the log',
        about: 'Their consumers get no answer of it: nothing arrives, and nothing is lost.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(`min by (module) (banyan_events_log_reachable{${OF_MODULE}}) == 0`), 'modules'],
    ),
    verdict(
      {
        title: 'Oldest not sent',
        about: 'The relay’s lag: how long the oldest published event waits.',
        unit: 's',
      },
      { look: 5, wrong: 60 },
      [orZero(`max(banyan_events_outbox_oldest_seconds{${OF_MODULE}})`), 'oldest'],
    ),
    verdict(
      {
        title: 'Oldest not taken',
        about: 'The consumers’ lag: how long the oldest event waits in the log.',
        unit: 's',
      },
      { look: 5, wrong: 60 },
      [orZero(`max(banyan_events_lag_seconds{${OF_MODULE}})`), 'oldest'],
    ),
  ],
  rows: [
    {
      title: 'What flows',
      panels: [
        lines({ title: 'Sent to the log', about: 'By the relays of each module.', unit: 'eps', span: 8 }, [
          `sum by (module) (${rate('banyan_events_sent_total', OF_MODULE)})`,
          '{{module}}',
        ]),
        lines(
          {
            title: 'Taken effect',
            about: 'Effects that were committed, by the module that listens.',
            unit: 'eps',
            span: 8,
          },
          [`sum by (module) (${rate('banyan_events_handled_total', OF_MODULE)})`, '{{module}}'],
        ),
        lines(
          {
            title: 'Failed at first',
            about: 'Failed at their first attempt, or could not be read. They are tried again.',
            unit: 'eps',
            span: 8,
          },
          [`sum by (module) (${rate('banyan_events_failed_total', OF_MODULE)})`, '{{module}}'],
        ),
        lines(
          { title: 'Sent over the last minute', about: 'By all hosts, as the store counts it.', unit: 'eps' },
          [rows('module', 'banyan_events_relay_per_second', OF_MODULE), '{{module}}'],
        ),
        lines(
          {
            title: 'Who sends',
            about: '1 while some host holds the relay. 0 for long: nobody sends.',
            unit: 'short',
          },
          [rows('module', 'banyan_events_relay_held', OF_MODULE), '{{module}}'],
        ),
      ],
    },
    {
      title: 'What waits',
      panels: [
        lines({ title: 'Not sent', about: 'In the outboxes.', unit: 'short' }, [
          rows('module', 'banyan_events_outbox_waiting', OF_MODULE),
          '{{module}}',
        ]),
        lines({ title: 'Not sent: the oldest', about: 'The relay’s lag.', unit: 's' }, [
          rows('module', 'banyan_events_outbox_oldest_seconds', OF_MODULE),
          '{{module}}',
        ]),
        lines({ title: 'Not taken', about: 'In the log, by who listens and to what.', unit: 'short' }, [
          rows('module, topic', 'banyan_events_lag', OF_MODULE),
          '{{module}} of {{topic}}',
        ]),
        lines({ title: 'Not taken: the oldest', about: 'The consumers’ lag.', unit: 's' }, [
          orZeroByModule(rows('module, topic', 'banyan_events_lag_seconds', OF_MODULE), KNOWN),
          '{{module}} of {{topic}}',
        ]),
      ],
    },
    {
      title: 'What stays behind',
      panels: [
        lines(
          {
            title: 'Deliveries not done',
            about:
              'By state: `early` waits for an earlier one of its key, `unknown-version` for a newer host, `dead` for a person.',
            unit: 'short',
          },
          [rows('module, state', 'banyan_events_deliveries', OF_MODULE), '{{module}} {{state}}'],
        ),
        lines(
          {
            title: 'Deliveries not done: the oldest',
            about: 'Of each state; 0 where there is none.',
            unit: 's',
          },
          [
            orZeroByModule(rows('module, state', 'banyan_events_oldest_delivery_seconds', OF_MODULE), KNOWN),
            '{{module}} {{state}}',
          ],
        ),
        lines(
          { title: 'Letters and held keys', about: 'What does not go on without a person.', unit: 'short' },
          [rows('module', 'banyan_events_dead_letters', OF_MODULE), '{{module}}: letters'],
          [rows('module', 'banyan_events_held_keys', OF_MODULE), '{{module}}: keys'],
        ),
        lines(
          {
            title: 'Parked or refused',
            about: 'By module: partitions that are not read, parts that the log refuses.',
            unit: 'short',
          },
          [`${orZeroByModule(`count by (module) (${parked})`, KNOWN)}`, '{{module}}: parked'],
          [`${orZeroByModule(`count by (module) (${refused})`, KNOWN)}`, '{{module}}: refused'],
        ),
      ],
    },
  ],
};
