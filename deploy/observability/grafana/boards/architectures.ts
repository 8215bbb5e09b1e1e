// Both architectures side by side: the same figures of what is done in the monolith's process and of what services do, and what
// a request of a client costs with both together.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { type Board, modules } from '../board.ts';
import { type Column, lines, table, type Unit, verdict } from '../panels.ts';
import {
  ASKED,
  countOf,
  cpu,
  ENTRANCE,
  errors,
  longest,
  OF_MODULE,
  ofRole,
  orZero,
  quantile,
  rate,
  requests,
  UNSERVED,
} from '../queries.ts';

const NEAR = 'side="in-process"';
const FAR = 'side="service"';

/** The same figure twice: left of the monolith, right of the services. */
function pair(
  what: string,
  about: string,
  unit: Unit,
  of: (side: string) => string,
): readonly Builder<Panel>[] {
  return [
    lines({ title: `${what}: in one process`, about, unit }, [of(NEAR), '{{module}}']),
    lines({ title: `${what}: services`, about, unit }, [of(FAR), '{{module}}']),
  ];
}

/** What processes take, by what they are. */
function cost(what: string, about: string, unit: Unit, of: string): readonly Builder<Panel>[] {
  const title = (of: string) => `${what}: ${of}`;
  return [
    lines({ title: title('monoliths and gateways'), about, unit }, [ofRole(of, ENTRANCE), '{{host}}']),
    lines({ title: title('services'), about, unit }, [ofRole(of, 'service'), '{{host}}']),
  ];
}

const perRequest = (of: string, role: string) => `sum(${ofRole(of, role)}) / (${ASKED} > 0)`;

const MEMORY = 'process_resident_memory_bytes';

const shares = (of: string) =>
  [
    [perRequest(of, ENTRANCE), 'monoliths and gateways'],
    [perRequest(of, 'service'), 'services'],
    [perRequest(of, `${ENTRANCE}|service`), 'together'],
  ] as const;

const columns = (where: string, side: string): readonly Column[] => [
  { name: `${where}: requests`, unit: 'reqps', expression: requests('module', side, OF_MODULE) },
  {
    name: `${where}: errors`,
    unit: 'percentunit',
    expression: errors('module', side, OF_MODULE),
    limits: { look: 0.001, wrong: 0.01 },
  },
  { name: `${where}: p50`, unit: 's', expression: quantile(0.5, 'module', side, OF_MODULE) },
  { name: `${where}: p99`, unit: 's', expression: quantile(0.99, 'module', side, OF_MODULE) },
];

const watched =
  'Of requests and calls, counted once, by the host that decided where they go; of calls within a process one in 16 is watched.';

export const architectures: Board = {
  name: 'architectures',
  title: 'Banyan: both architectures',
  about: 'The same figures for what runs in the monolith and for what runs in services.',
  variables: [modules()],
  wrong: [
    verdict(
      { title: 'Errors in one process', about: `5xx, too late, no answer. ${watched}`, unit: 'percentunit' },
      { look: 0.001, wrong: 0.01 },
      [orZero(errors('', NEAR)), 'errors'],
    ),
    verdict(
      { title: 'Errors of services', about: `5xx, too late, no answer. ${watched}`, unit: 'percentunit' },
      { look: 0.001, wrong: 0.01 },
      [orZero(errors('', FAR)), 'errors'],
    ),
    verdict(
      { title: 'Slowest p99', about: 'The slower side’s 99th percentile.', unit: 's' },
      { look: 0.5, wrong: 2 },
      [longest(quantile(0.99, 'side')), 'p99'],
    ),
    verdict(
      {
        title: 'Shed at the entrance',
        about:
          'Refused with 503 because there was too much to do. Whoever repeats it after a second is let in, or there is too little of the module.',
        unit: 'reqps',
      },
      { look: 0.1, wrong: 10 },
      [orZero(`sum(${rate('banyan_shed_total')})`), 'shed'],
    ),
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
      {
        title: 'Hosts that are not ready',
        about: 'Their /health/ready says no, and nobody told them to stop.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf('banyan_host_ready == 0 unless on (host) banyan_host_draining == 1'), 'hosts'],
    ),
  ],
  rows: [
    {
      title: 'Side by side',
      panels: [
        ...pair('Requests', watched, 'reqps', (side) => requests('module', side, OF_MODULE)),
        ...pair('Errors', `5xx, too late, no answer. ${watched}`, 'percentunit', (side) =>
          errors('module', side, OF_MODULE),
        ),
        ...pair('p50', watched, 's', (side) => quantile(0.5, 'module', side, OF_MODULE)),
        ...pair('p99', watched, 's', (side) => quantile(0.99, 'module', side, OF_MODULE)),
        ...cost('CPU', 'Seconds of processor a second: 1 is one core.', 'suffix: cores', cpu()),
        ...cost('Memory', 'What is resident, of each process.', 'bytes', MEMORY),
      ],
    },
    {
      title: 'What a request costs',
      panels: [
        lines(
          {
            title: 'CPU a request',
            about:
              'Processor time of all those hosts by the requests of clients (/api) at the public ports. What hosts do besides is in it: look at it under load.',
            unit: 's',
          },
          ...shares(cpu()),
        ),
        lines(
          {
            title: 'Memory a request',
            about:
              'Resident memory of all those hosts by the requests of clients a second: falls as they are used more.',
            unit: 'suffix: B per req/s',
          },
          ...shares(MEMORY),
        ),
      ],
    },
    {
      title: 'Module by module',
      panels: [
        table(
          { title: 'Now', about: watched, unit: 'short' },
          { module: 'module' },
          ...columns('in one process', NEAR),
          ...columns('services', FAR),
        ),
      ],
    },
  ],
};
