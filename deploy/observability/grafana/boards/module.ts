// One module, wherever it runs: what is asked of it and how it answers, what waits behind it, where it runs, what it says.
import { type Board, oneModule } from '../board.ts';
import { lines, logLines, verdict } from '../panels.ts';
import {
  countOf,
  errors,
  longest,
  missing,
  OF_MODULE,
  orZero,
  orZeroByModule,
  quantile,
  rate,
  requests,
  rows,
} from '../queries.ts';
import { inJaeger, inKibana } from '../sources.ts';

const MODULE = '$module';

const traces = [
  { title: 'Traces in one process', url: inJaeger('monolith', MODULE) },
  { title: 'Traces of the service', url: inJaeger(MODULE) },
];
const lucene = `severity_text:(warn OR error OR fatal) AND (attributes.module:"${MODULE}" OR resource.attributes.service.name:"${MODULE}")`;

export const module: Board = {
  name: 'module',
  title: 'Banyan: a module',
  about: 'All of one module, in one process and as a service.',
  variables: [oneModule()],
  wrong: [
    verdict(
      {
        title: 'Errors',
        about: '5xx, too late, no answer, of what was watched on either side.',
        unit: 'percentunit',
        links: traces,
      },
      { look: 0.001, wrong: 0.01 },
      [orZero(errors('', OF_MODULE)), 'errors'],
    ),
    verdict(
      { title: 'p99', about: 'Of the slower side.', unit: 's', links: traces },
      { look: 0.5, wrong: 2 },
      [longest(quantile(0.99, 'side', OF_MODULE)), 'p99'],
    ),
    verdict(
      {
        title: 'Hosts without its store',
        about: 'Hosts that run the module and get no answer of its database.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf(`banyan_store_reachable{${OF_MODULE}} == 0`), 'hosts'],
    ),
    verdict(
      {
        title: 'Letters for a person',
        about:
          'Events that it gave up: what is behind them of the same key waits. `banyan events dead`, or the console.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${rows('module', 'banyan_events_dead_letters', OF_MODULE)})`), 'letters'],
    ),
    verdict(
      {
        title: 'Stuck sagas',
        about: 'Past the deadline of their step. `banyan saga` names the module, the cause and the remedy.',
        unit: 'short',
      },
      { wrong: 1 },
      [
        orZero(`sum(${rows('module, style, step', 'banyan_sagas_open', 'state="stuck"', OF_MODULE)})`),
        'stuck',
      ],
    ),
    verdict(
      {
        title: 'Processes missing',
        about: 'Wanted, and not taking requests.',
        unit: 'short',
      },
      { wrong: 1 },
      [orZero(`sum(${missing(OF_MODULE)})`), 'missing'],
    ),
  ],
  rows: [
    {
      title: 'What is asked of it',
      panels: [
        lines(
          {
            title: 'Requests by operation',
            about: 'Requests and calls, on either side.',
            unit: 'reqps',
            links: traces,
          },
          [requests('operation, side', OF_MODULE), '{{operation}} {{side}}'],
        ),
        lines(
          {
            title: 'Errors by operation',
            about: '5xx, too late, no answer, of what was watched.',
            unit: 'percentunit',
            links: traces,
          },
          [errors('operation, side', OF_MODULE), '{{operation}} {{side}}'],
        ),
        lines(
          {
            title: 'How long it takes',
            about: 'Of all its operations, by the side that they were sent to.',
            unit: 's',
            links: traces,
          },
          [quantile(0.5, 'side', OF_MODULE), 'p50 {{side}}'],
          [quantile(0.9, 'side', OF_MODULE), 'p90 {{side}}'],
          [quantile(0.99, 'side', OF_MODULE), 'p99 {{side}}'],
        ),
        lines({ title: 'p99 by operation', about: 'The slow ones are on top.', unit: 's', links: traces }, [
          quantile(0.99, 'operation', OF_MODULE),
          '{{operation}}',
        ]),
        lines(
          {
            title: 'Slow ones',
            about: 'Longer than 500 ms, or than a ladder’s threshold for the module.',
            unit: 'reqps',
            links: traces,
          },
          [
            `sum by (operation, side) (${rate('banyan_requests_slow_total', OF_MODULE)})`,
            '{{operation}} {{side}}',
          ],
        ),
        lines(
          {
            title: 'Problems by code',
            about: 'Answers that were problems (RFC 9457), by the host that made them.',
            unit: 'reqps',
          },
          [`sum by (code, status) (${rate('banyan_problems_total', OF_MODULE)})`, '{{status}} {{code}}'],
        ),
        lines(
          {
            title: 'Calls from other processes, by outcome',
            about: 'As whoever called it saw them.',
            unit: 'reqps',
          },
          [`sum by (outcome) (${rate('rpc_client_duration_seconds_count', OF_MODULE)})`, '{{outcome}}'],
        ),
        lines(
          { title: 'Calls from other processes, p99', about: 'With the way there and back.', unit: 's' },
          [
            `histogram_quantile(0.99, sum by (le, operation) (${rate('rpc_client_duration_seconds_bucket', OF_MODULE)}))`,
            '{{operation}}',
          ],
        ),
      ],
    },
    {
      title: 'What waits behind it',
      panels: [
        lines(
          {
            title: 'Events not sent',
            about: 'Published with a commit, and not in the log yet.',
            unit: 'short',
            span: 8,
          },
          [rows('module', 'banyan_events_outbox_waiting', OF_MODULE), 'waiting'],
        ),
        lines(
          {
            title: 'Deliveries not done',
            about: 'By state: `early` waits for an earlier one of its key, `dead` for a person.',
            unit: 'short',
            span: 8,
          },
          [rows('state', 'banyan_events_deliveries', OF_MODULE), '{{state}}'],
        ),
        lines(
          {
            title: 'Attempts of its jobs',
            about: 'At rows that waited and at steps of sagas.',
            unit: 'ops',
            span: 8,
          },
          [`sum by (module) (${rate('banyan_job_attempts_total', OF_MODULE)})`, 'attempts'],
          [`sum by (module) (${rate('banyan_job_attempts_failed_total', OF_MODULE)})`, 'failed'],
        ),
      ],
    },
    {
      title: 'Where it runs, and what it is let do',
      panels: [
        lines(
          {
            title: 'Share of its service',
            about: 'Of its requests: what is decided, and what went there.',
            unit: 'percentunit',
            span: 8,
          },
          [rows('module', 'banyan_placement_service_ratio', OF_MODULE), 'decided'],
          [
            `(${orZeroByModule(requests('module', 'side="service"', OF_MODULE))}) / on (module) (${requests('module', OF_MODULE)} > 0)`,
            'went there',
          ],
        ),
        lines(
          {
            title: 'Processes',
            about: 'Of the service. 0 are wanted where somebody else starts them.',
            unit: 'short',
            span: 8,
          },
          [rows('module', 'banyan_instances_wanted', OF_MODULE), 'wanted'],
          [rows('module', 'banyan_instances_healthy', OF_MODULE), 'take requests'],
        ),
        lines(
          {
            title: 'Refused',
            about: 'By the entrance, where there is too much to do, and by its store.',
            unit: 'reqps',
            span: 8,
          },
          [`sum by (reason) (${rate('banyan_shed_total', OF_MODULE)})`, 'entrance: {{reason}}'],
          [`sum by (reason) (${rate('banyan_store_refusals_total', OF_MODULE)})`, 'store: {{reason}}'],
        ),
      ],
    },
    {
      title: 'What it says',
      panels: [
        logLines(
          {
            title: 'Warnings and errors',
            about: 'From Elasticsearch. A line that was said in a trace leads to it.',
            links: [
              {
                title: 'All lines in Kibana',
                url: inKibana(
                  `attributes.module: "${MODULE}" or resource.attributes.service.name: "${MODULE}"`,
                ),
              },
              ...traces,
            ],
          },
          lucene,
        ),
      ],
    },
  ],
};
