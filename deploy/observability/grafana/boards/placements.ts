// Where modules run: which side each one's requests go to and which share of them, whether the processes for it are there, and
// whether every host decides by the same.
import { type Board, modules } from '../board.ts';
import { lines, table, verdict } from '../panels.ts';
import {
  countOf,
  inAll,
  missing,
  OF_MODULE,
  orWordByModule,
  orZero,
  orZeroByModule,
  rate,
  requests,
  rows,
  UNSERVED,
} from '../queries.ts';

const share = rows('module', 'banyan_placement_service_ratio', OF_MODULE);
const shareSeen = `(${orZeroByModule(requests('module', 'side="service"', OF_MODULE))}) / on (module) (${requests('module', OF_MODULE)} > 0)`;

export const placements: Board = {
  name: 'placements',
  title: 'Banyan: placements and shares',
  about: 'Which side serves each module, with which share, and whether those who are to serve it do.',
  variables: [modules()],
  wrong: [
    verdict(
      {
        title: 'Modules that nobody serves',
        about:
          'Requests go to a service of which no process takes any. `banyan place <module> in-process` brings it back.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(UNSERVED), 'modules'],
    ),
    verdict(
      { title: 'Processes missing', about: 'Wanted, and not taking requests.', unit: 'short' },
      { wrong: 1 },
      [orZero(`sum(${missing()})`), 'missing'],
    ),
    verdict(
      {
        title: 'Cannot be started',
        about:
          'Processes that ended twice in a row before they were healthy: the log of their monolith says why.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(`${rows('module, number', 'banyan_instance_start_failures')} >= 2`), 'processes'],
    ),
    verdict(
      {
        title: 'Ended by themselves',
        about: 'Processes that crashed in the time shown, and were started again.',
        unit: 'short',
      },
      { look: 1, wrong: 5 },
      [orZero(`sum(${inAll('banyan_instance_restarts_total')})`), 'restarts'],
    ),
    verdict(
      {
        title: 'Held out',
        about:
          'Processes that beat and get no requests of some gateway: for their clock, key, name, or what they answer.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(rows('held, cause', 'banyan_host_held_out')), 'processes'],
    ),
    verdict(
      {
        title: 'Hosts that lag',
        about:
          'They do not decide by the newest placements yet. For longer than a few seconds: they do not hear of it.',
        unit: 'short',
      },
      { look: 1 },
      [orZero('max(banyan_hosts_lagging)'), 'hosts'],
    ),
  ],
  rows: [
    {
      title: 'Where each module is',
      panels: [
        table(
          {
            title: 'Now',
            about: 'The decided share, and the one that was seen; since when; how many processes.',
            unit: 'short',
          },
          { module: 'module', placement: 'placement' },
          {
            name: 'placed',
            unit: 'short',
            expression: rows('module, placement', 'banyan_placement', OF_MODULE),
          },
          { name: 'share', unit: 'percentunit', expression: share },
          { name: 'share seen', unit: 'percentunit', expression: shareSeen },
          {
            name: 'since',
            unit: 's',
            expression: `time() - ${rows('module', 'banyan_placement_changed_timestamp_seconds', OF_MODULE)}`,
          },
          { name: 'wanted', unit: 'short', expression: rows('module', 'banyan_instances_wanted', OF_MODULE) },
          {
            name: 'healthy',
            unit: 'short',
            expression: rows('module', 'banyan_instances_healthy', OF_MODULE),
          },
        ),
        table(
          {
            title: 'Last ladders',
            about: 'Of each module: running, paused, done, demoted, stopped; none: it had none.',
            unit: 'short',
            span: 12,
          },
          { module: 'module', state: 'state' },
          {
            name: 'is',
            unit: 'short',
            expression: orWordByModule(
              rows('module, state', 'banyan_ladder_state', OF_MODULE),
              'state',
              'none',
            ),
          },
        ),
        table(
          {
            title: 'Held out',
            about: 'Who, by what cause; “nobody” is the good case.',
            unit: 'short',
            span: 12,
          },
          { held: 'held', module: 'module', cause: 'cause' },
          {
            name: 'gateways',
            unit: 'short',
            expression: `count by (held, module, cause) (banyan_host_held_out) or label_replace(vector(0), "held", "nobody", "", "") unless on () banyan_host_held_out`,
          },
        ),
      ],
    },
    {
      title: 'Shares',
      panels: [
        lines(
          {
            title: 'Decided',
            about: 'The share of its requests that the service is to get.',
            unit: 'percentunit',
          },
          [share, '{{module}}'],
        ),
        lines(
          {
            title: 'Seen',
            about: 'The share that it got: near the decided one once there is enough to count.',
            unit: 'percentunit',
          },
          [shareSeen, '{{module}}'],
        ),
      ],
    },
    {
      title: 'Processes',
      panels: [
        lines({ title: 'Take requests', about: 'Of each module’s service.', unit: 'short', span: 8 }, [
          rows('module', 'banyan_instances_healthy', OF_MODULE),
          '{{module}}',
        ]),
        lines({ title: 'Are wanted', about: '0 where somebody else starts them.', unit: 'short', span: 8 }, [
          rows('module', 'banyan_instances_wanted', OF_MODULE),
          '{{module}}',
        ]),
        lines(
          {
            title: 'End, and do not begin',
            about: 'Restarts a second, and ends in a row before it was healthy.',
            unit: 'short',
            span: 8,
          },
          [
            `sum by (module) (${rate('banyan_instance_restarts_total', OF_MODULE)})`,
            '{{module}}: restarts/s',
          ],
          [
            orZeroByModule(rows('module, number', 'banyan_instance_start_failures', OF_MODULE)),
            '{{module}}-{{number}}: failures',
          ],
        ),
        lines({ title: 'Live hosts', about: 'By role.', unit: 'short', span: 8 }, [
          rows('role', 'banyan_hosts'),
          '{{role}}',
        ]),
        lines(
          {
            title: 'The version each host decides by',
            about: 'All lines are one, but for seconds after a change.',
            unit: 'short',
            span: 8,
          },
          ['banyan_placement_version', '{{host}}'],
        ),
        lines(
          { title: 'Sent to another process', about: 'Requests that one refused.', unit: 'reqps', span: 8 },
          [
            orZeroByModule(`sum by (module) (${rate('banyan_gateway_rerouted_total', OF_MODULE)})`),
            '{{module}}',
          ],
        ),
      ],
    },
  ],
};
