// What modules keep their things in: whether each one's database answers, what it refuses, pairs of servers that follow each
// other, and the folder of pictures.
import { type Board, modules } from '../board.ts';
import { lines, table, verdict } from '../panels.ts';
import { countOf, inAll, OF_MODULE, orWordByModule, orZero, orZeroByModule, rate, rows } from '../queries.ts';

const KNOWN = 'banyan_store_reachable';

export const stores: Board = {
  name: 'stores',
  title: 'Banyan: stores',
  about: 'Databases of modules, pairs of servers, and the folder of pictures.',
  variables: [modules()],
  wrong: [
    verdict(
      {
        title: 'Hosts without control',
        about: 'They get no answer of the control store, and decide by the last placements that they know.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf('banyan_control_reachable == 0'), 'hosts'],
    ),
    verdict(
      {
        title: 'Stores without answer',
        about: 'As the hosts see them that run their modules.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(`${KNOWN}{${OF_MODULE}} == 0`), 'stores'],
    ),
    verdict(
      {
        title: 'Refused by a store',
        about: 'In the time shown: its disk is full, it has no connection left, or nobody answers.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${inAll('banyan_store_refusals_total', OF_MODULE)})`), 'requests'],
    ),
    verdict(
      {
        title: 'Pairs broken',
        about: 'Two servers do not follow each other any more: only a new copy mends it.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${rows('module', 'banyan_store_pair_broken', OF_MODULE)})`), 'pairs'],
    ),
    verdict(
      { title: 'Furthest behind', about: 'Of the servers that follow; 0 where none does.', unit: 's' },
      { look: 10, wrong: 60 },
      [orZero(`max(banyan_store_pair_lag_seconds{${OF_MODULE}})`), 'behind'],
    ),
    verdict(
      {
        title: 'PostgreSQL killed',
        about: 'Embedded servers, in the time shown; they were started again.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${inAll('banyan_embedded_postgres_restarts_total')})`), 'restarts'],
    ),
  ],
  rows: [
    {
      title: 'Databases',
      panels: [
        lines(
          {
            title: 'Answer',
            about: '1: every host that runs the module gets an answer of its store.',
            unit: 'short',
            span: 8,
          },
          [`min by (module) (${KNOWN}{${OF_MODULE}})`, '{{module}}'],
        ),
        lines(
          { title: 'Refuse', about: 'Requests that the store refused, by why.', unit: 'reqps', span: 8 },
          [
            `sum by (module, reason) (${rate('banyan_store_refusals_total', OF_MODULE)})`,
            '{{module}} {{reason}}',
          ],
        ),
        lines(
          {
            title: 'Control answers',
            about: 'The control store; from a service: a monolith does.',
            unit: 'short',
            span: 8,
          },
          ['banyan_control_reachable', '{{host}}'],
        ),
      ],
    },
    {
      title: 'Pairs of servers',
      panels: [
        table(
          { title: 'Where stores are', about: 'Of those that ever moved.', unit: 'short', span: 12 },
          { module: 'module', server: 'server' },
          {
            name: 'is',
            unit: 'short',
            expression: orWordByModule(
              rows('module, server', 'banyan_store_place', OF_MODULE),
              'server',
              'never moved',
              KNOWN,
            ),
          },
        ),
        table(
          {
            title: 'Pairs',
            about: 'The state of each; `none` where a store has one server.',
            unit: 'short',
            span: 12,
          },
          { module: 'module', state: 'state' },
          {
            name: 'is',
            unit: 'short',
            expression: orWordByModule(
              rows('module, state', 'banyan_store_pair_state', OF_MODULE),
              'state',
              'none',
              KNOWN,
            ),
          },
        ),
        lines(
          {
            title: 'Behind',
            about: 'How long what the follower lacks is there; 0 where none follows.',
            unit: 's',
            span: 8,
          },
          [orZeroByModule(rows('module', 'banyan_store_pair_lag_seconds', OF_MODULE), KNOWN), '{{module}}'],
        ),
        lines(
          {
            title: 'Behind, and kept for it',
            about: 'What the follower has not got, and what the owner keeps of its log: that fills its disk.',
            unit: 'bytes',
            span: 8,
          },
          [
            orZeroByModule(rows('module', 'banyan_store_pair_lag_bytes', OF_MODULE), KNOWN),
            '{{module}}: behind',
          ],
          [
            orZeroByModule(rows('module', 'banyan_store_pair_kept_bytes', OF_MODULE), KNOWN),
            '{{module}}: kept',
          ],
        ),
        lines(
          {
            title: 'Moves',
            about: 'What was done to stores, by what came of it, in the time shown.',
            unit: 'short',
            span: 8,
          },
          [
            `sum by (outcome) (${inAll('banyan_store_moves_total')}) or on () label_replace(vector(0), "outcome", "none", "", "")`,
            '{{outcome}}',
          ],
        ),
      ],
    },
    {
      title: 'Embedded servers and pictures',
      panels: [
        lines(
          {
            title: 'PostgreSQL killed',
            about: 'Embedded servers that were killed and started again, in the time shown.',
            unit: 'short',
            span: 8,
          },
          [orZero(`sum by (server) (${inAll('banyan_embedded_postgres_restarts_total')})`), '{{server}}'],
        ),
        lines(
          { title: 'The folder of pictures fails', about: 'By what was asked of it.', unit: 'ops', span: 8 },
          [`sum by (operation) (${rate('media_storage_failures_total')})`, '{{operation}}'],
        ),
        lines(
          {
            title: 'Decoders killed',
            about: 'Processes that a picture ended while it was decoded.',
            unit: 'ops',
            span: 8,
          },
          [`sum(${rate('media_decoders_killed_total')})`, 'killed'],
        ),
      ],
    },
  ],
};
