// Where the metrics of every live host are, in the form of Prometheus' HTTP service discovery: what Prometheus itself asks for.
// https://prometheus.io/docs/prometheus/latest/http_sd/
import type { Static } from 'typebox';
import { defineContract, nothing, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';

const Group = Type.Object({
  targets: Type.Array(
    Type.String({ description: 'host:port of the internal port, which answers GET /metrics' }),
  ),
  labels: Type.Object({
    host: Type.String({ description: 'Its id, as its own series have it: monolith, or <module>-<n>' }),
    role: Type.Union([Type.Literal('monolith'), Type.Literal('gateway'), Type.Literal('service')]),
    modules: Type.String({ description: 'What it runs: all, none, or a list with commas' }),
    __scheme__: Type.Union([Type.Literal('http'), Type.Literal('https')]),
  }),
});
export type Group = Static<typeof Group>;

export const discovery = defineContract('discovery', {
  summary: 'Where metrics are',
  operations: {
    targets: operation({
      summary: 'What Prometheus is to scrape: one group for each live host (http_sd_configs)',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/discovery' },
      input: nothing,
      output: Type.Array(Group),
      idempotent: true,
    }),
  },
});
