// Processes and the public port: what each host takes of its machine, what comes in at the entrance and what is refused there,
// and whether telemetry gets away.
import { type Board, hosts as hostVariable } from '../board.ts';
import { lines, table, verdict } from '../panels.ts';
import { countOf, cpu, inAll, OF_HOST, orZero, rate } from '../queries.ts';

const OPEN_FILES = `process_open_fds{${OF_HOST}} / process_max_fds{${OF_HOST}}`;

export const hosts: Board = {
  name: 'hosts',
  title: 'Banyan: hosts',
  about: 'Each process, what it takes, and what comes in at the public port.',
  variables: [hostVariable()],
  wrong: [
    verdict(
      {
        title: 'Do not answer the scrape',
        about: 'They are in the registry, and gave no numbers.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf('up{job="banyan"} == 0'), 'hosts'],
    ),
    verdict(
      {
        title: 'Are not ready',
        about: 'Their /health/ready says no, and nobody told them to stop.',
        unit: 'short',
      },
      { wrong: 1 },
      [countOf('banyan_host_ready == 0 unless on (host) banyan_host_draining == 1'), 'hosts'],
    ),
    verdict(
      {
        title: 'Busiest',
        about:
          'The host with the most processor time a second: a host has one thread for its code, so near 1 it is full.',
        unit: 'suffix: cores',
      },
      { look: 0.8, wrong: 1.2 },
      [orZero(`max(${cpu(OF_HOST)})`), 'busiest'],
    ),
    verdict(
      {
        title: 'Event loop, p99',
        about: 'How late the worst host’s event loop is: everything in it waits as long.',
        unit: 's',
      },
      { look: 0.1, wrong: 0.5 },
      [orZero(`max(nodejs_eventloop_lag_p99_seconds{${OF_HOST}})`), 'late'],
    ),
    verdict(
      { title: 'Open files', about: 'Of what the fullest host may have.', unit: 'percentunit' },
      { look: 0.6, wrong: 0.8 },
      [orZero(`max(${OPEN_FILES})`), 'open'],
    ),
    verdict(
      {
        title: 'Telemetry not sent',
        about:
          'Spans, lines and exports that were dropped or refused, in the time shown; 0 where none is sent by OTLP.',
        unit: 'short',
      },
      { look: 1 },
      [
        orZero(`sum(${inAll('banyan_otlp_dropped_total')}) + sum(${inAll('banyan_otlp_failures_total')})`),
        'not sent',
      ],
    ),
  ],
  rows: [
    {
      title: 'What runs',
      panels: [
        table(
          { title: 'Hosts', about: 'Who answers, what it is, since when.', unit: 'short' },
          { host: 'host', role: 'role', version: 'version', node: 'Node' },
          {
            name: 'runs',
            unit: 's',
            expression: `max by (host, role, version, node) ((time() - process_start_time_seconds{${OF_HOST}}) * on (host) group_left (role, version, node) banyan_build_info)`,
          },
          {
            name: 'ready',
            unit: 'short',
            expression: `max by (host) (banyan_host_ready{${OF_HOST}})`,
            limits: { least: 1 },
          },
          { name: 'draining', unit: 'short', expression: `max by (host) (banyan_host_draining{${OF_HOST}})` },
          { name: 'CPU', unit: 'suffix: cores', expression: `sum by (host) (${cpu(OF_HOST)})` },
          {
            name: 'memory',
            unit: 'bytes',
            expression: `sum by (host) (process_resident_memory_bytes{${OF_HOST}})`,
          },
        ),
        lines(
          {
            title: 'CPU',
            about: 'Seconds of processor a second, of all threads.',
            unit: 'suffix: cores',
            span: 8,
          },
          [cpu(OF_HOST), '{{host}}'],
        ),
        lines(
          { title: 'Memory', about: 'Resident, and of it the heap in use.', unit: 'bytes', span: 8 },
          [`process_resident_memory_bytes{${OF_HOST}}`, '{{host}}'],
          [`nodejs_heap_size_used_bytes{${OF_HOST}}`, '{{host}}: heap'],
        ),
        lines({ title: 'Event loop, p99', about: 'How late it is.', unit: 's', span: 8 }, [
          `nodejs_eventloop_lag_p99_seconds{${OF_HOST}}`,
          '{{host}}',
        ]),
        lines(
          {
            title: 'Event loop, busy',
            about: 'Of the one core that it can use.',
            unit: 'percentunit',
            span: 8,
          },
          [rate('banyan_event_loop_active_seconds_total', OF_HOST), '{{host}}'],
        ),
        lines(
          {
            title: 'In progress',
            about: 'Requests of other hosts under way, by module: what a drain waits for.',
            unit: 'short',
            span: 8,
          },
          [`sum by (host, module) (banyan_requests_in_progress{${OF_HOST}})`, '{{host}} {{module}}'],
        ),
        lines({ title: 'Garbage collection', about: 'Seconds a second.', unit: 'percentunit', span: 8 }, [
          `sum by (host) (${rate('nodejs_gc_duration_seconds_sum', OF_HOST)})`,
          '{{host}}',
        ]),
        lines({ title: 'Open files', about: 'Of what it may have.', unit: 'percentunit', span: 8 }, [
          OPEN_FILES,
          '{{host}}',
        ]),
        lines({ title: 'The internal port', about: 'Bytes between hosts.', unit: 'Bps', span: 8 }, [
          `sum by (host, direction) (${rate('banyan_internal_bytes_total', OF_HOST)})`,
          '{{host}} {{direction}}',
        ]),
      ],
    },
    {
      title: 'The ports',
      panels: [
        lines({ title: 'Requests by status', about: 'On any port.', unit: 'reqps', span: 8 }, [
          `sum by (status) (${rate('http_server_request_duration_seconds_count', OF_HOST)})`,
          '{{status}}',
        ]),
        lines({ title: 'The ten slowest routes, p99', about: 'On any port.', unit: 's', span: 8 }, [
          `topk(10, histogram_quantile(0.99, sum by (le, method, route) (${rate('http_server_request_duration_seconds_bucket', OF_HOST)})) > 0)`,
          '{{method}} {{route}}',
        ]),
        lines({ title: 'Connections', about: 'Of the public port.', unit: 'short', span: 8 }, [
          `banyan_connections{${OF_HOST}}`,
          '{{host}}',
        ]),
        lines(
          {
            title: 'Refused at the door',
            about: 'Connections over a cap, and addresses that asked too often (429).',
            unit: 'reqps',
            span: 8,
          },
          [
            `sum by (reason) (${rate('banyan_connections_refused_total', OF_HOST)})`,
            'connections: {{reason}}',
          ],
          [`sum(${rate('banyan_rate_limited_total', OF_HOST)})`, '429'],
        ),
        lines(
          {
            title: 'Shed',
            about:
              'Because there is too much to do: `limit` too many at once, `lag` no processor, `deadline` too late already.',
            unit: 'reqps',
            span: 8,
          },
          [`sum by (module, reason) (${rate('banyan_shed_total', OF_HOST)})`, '{{module}} {{reason}}'],
        ),
        lines(
          {
            title: 'How many at once',
            about: 'What each module’s gate lets in: it finds that by itself.',
            unit: 'short',
            span: 8,
          },
          [`sum by (module) (banyan_inflight_limit{${OF_HOST}})`, '{{module}}'],
        ),
        lines(
          {
            title: 'Refused, by the security log',
            about: 'Wrong sign-ins, tokens, keys: events of the security log that were refused.',
            unit: 'eps',
            span: 12,
          },
          [
            `sum by (event) (${rate('banyan_security_events_total', 'outcome="refused"', OF_HOST)})`,
            '{{event}}',
          ],
        ),
        lines(
          {
            title: 'Telemetry not sent',
            about: 'By OTLP: what was dropped, and exports that were not taken.',
            unit: 'eps',
            span: 12,
          },
          [orZero(`sum by (signal) (${rate('banyan_otlp_dropped_total', OF_HOST)})`), 'dropped {{signal}}'],
          [
            orZero(`sum by (signal) (${rate('banyan_otlp_failures_total', OF_HOST)})`),
            'not taken {{signal}}',
          ],
        ),
      ],
    },
  ],
};
