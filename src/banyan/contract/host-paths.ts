// The routes that every host has beside its contracts' own, as OpenAPI has them: health, keys, documents. They are
// asked by probes, libraries and people, and what they answer is as fixed as any operation.

const count = { type: 'integer', minimum: 0 };

const live = {
  type: 'object',
  required: ['status', 'host'],
  properties: { status: { const: 'live' }, host: { type: 'string' } },
};

const ready = {
  type: 'object',
  required: ['status', 'host', 'checks', 'modules'],
  properties: {
    status: { enum: ['ready', 'starting', 'draining', 'unavailable'] },
    host: { type: 'string' },
    checks: {
      type: 'object',
      required: ['booted', 'placements', 'stores'],
      properties: {
        booted: { type: 'boolean' },
        placements: { type: 'boolean', description: 'Loaded' },
        stores: {
          type: 'object',
          description: 'By module that this host runs; those served elsewhere now do not count',
          additionalProperties: { enum: ['ok', 'unreachable', 'no answer'] },
        },
      },
    },
    modules: {
      type: 'object',
      description: 'Every module, near or far; a far one never makes a host unready',
      additionalProperties: {
        type: 'object',
        required: ['placement', 'instances', 'healthy'],
        properties: {
          placement: { enum: ['in-process', 'shadow', 'canary', 'service'] },
          instances: count,
          healthy: count,
        },
      },
    },
  },
};

const keys = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kty', 'crv', 'x', 'kid', 'alg', 'use'],
        properties: Object.fromEntries(
          ['kty', 'crv', 'x', 'kid', 'alg', 'use'].map((name) => [name, { type: 'string' }]),
        ),
        additionalProperties: false,
      },
    },
  },
};

function get(
  operationId: string,
  summary: string,
  answers: Readonly<Record<string, object>>,
  more: Readonly<Record<string, object>> = {},
) {
  const described = Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      { description: summary, content: { 'application/json': { schema } } },
    ]),
  );
  const responses = { ...described, ...more };
  return { get: { operationId, tags: ['host'], summary, responses, security: [] } };
}

/** @param tooMany the answer to an address that asks too often: to all but probes. */
export const hostPaths = (tooMany: object) => ({
  '/health/live': get('host.live', 'The process runs', { 200: live }),
  '/health/ready': get(
    'host.ready',
    'Booted, placements loaded, and the modules served here reach their store',
    {
      200: ready,
      503: ready,
    },
  ),
  '/.well-known/jwks.json': get(
    'host.keys',
    'The public halves of the keys that sign sessions',
    { 200: keys },
    { 429: tooMany },
  ),
  '/openapi.json': get('host.openapi', 'This document', { 200: { type: 'object' } }, { 429: tooMany }),
  '/asyncapi.json': get(
    'host.asyncapi',
    'The events of every module, as AsyncAPI 3.0',
    { 200: { type: 'object' } },
    { 429: tooMany },
  ),
});
