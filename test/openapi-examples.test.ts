// What /openapi.json gives as an example is one: the schemas accept it, and the shop takes it as it stands, in both
// placements. Where an id must be somebody's, the test puts a real one in its place.
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { loadContract } from '../src/banyan/host/load.ts';
import { canonicalContract } from '../src/banyan/placement/canonical.ts';
import { shopApp } from '../src/shop.ts';
import { type Answer, clientOf, type Shop, unique } from './shop.ts';
import { startShop } from './start-shop.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: object;
  readonly example?: unknown;
}

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}

interface Media {
  readonly schema: { readonly properties?: Readonly<Record<string, { readonly examples?: unknown[] }>> };
  readonly example?: Record<string, unknown>;
}

interface Asked extends Described {
  readonly method: string;
  readonly path: string;
}

describe('the examples', () => {
  let shop: Shop;
  let operations: Asked[];

  beforeAll(async () => {
    // A comparison that begins is over in a second.
    shop = clientOf(await startShop({ entry: 'test/console/quick-shop.ts' }));
    const { body } = await shop.call('GET', '/openapi.json');
    operations = Object.entries(body.paths as Record<string, Record<string, Described>>).flatMap(
      ([path, item]) =>
        Object.entries(item).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
    );
  });
  afterAll(() => shop?.started.stop());

  it('are there for every field, body and answer, and valid', () => {
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    formats.default(ajv);
    const valid = (schema: object, value: unknown, at: string) => {
      const check = ajv.compile(schema);
      expect(check(value) ? [] : check.errors, `${at}: ${JSON.stringify(value)}`).toEqual([]);
    };
    let counted = 0;
    for (const { operationId, parameters = [], requestBody, responses } of operations) {
      for (const { name, schema, example } of parameters)
        if (example !== undefined) valid(schema, example, `${operationId} ${name}`);
      const json = requestBody?.content['application/json'];
      if (json) {
        valid(json.schema, json.example, `the body of ${operationId}`);
        for (const [name, { examples, ...field }] of Object.entries(json.schema.properties!)) {
          expect(examples, `${operationId} ${name}`).toHaveLength(1);
          valid(field, examples![0], `${operationId} ${name}`);
        }
        counted += 1;
      }
      if (operationId.startsWith('host.')) continue;
      for (const [status, { content }] of Object.entries(responses)) {
        const answer = content?.['application/json'];
        if (answer) valid(answer.schema, answer.example, `${operationId} ${status}`);
      }
    }
    expect(counted).toBeGreaterThan(12);
  });

  it('are no part of what two hosts compare', async () => {
    for (const contract of await Promise.all(moduleNames(shopApp).map((name) => loadContract(shopApp, name))))
      expect(JSON.stringify(canonicalContract(contract))).not.toMatch(/"examples?":\[/);
  });

  const send = async ({ operationId, method, path, parameters = [], security, requestBody }: Asked) => {
    const customer = await shop.customer();
    const real: Record<string, unknown> =
      operationId === 'notifications.send' || operationId === 'users.administer'
        ? { userId: customer.id, id: customer.id }
        : {};
    const of = (place: Parameter['in']) =>
      parameters.flatMap(({ name, in: at, example }) =>
        at === place && example !== undefined ? [[name, String(real[name] ?? example)] as const] : [],
      );
    const ids = new Map(of('path'));
    const query = new URLSearchParams(Object.fromEntries(of('query')));
    const media = requestBody?.content['application/json'];
    const body = media && { ...media.example };
    for (const name of Object.keys(body ?? {})) if (name in real) body![name] = real[name];
    if (operationId === 'users.register') body!.email = `${unique('ada')}@example.com`;
    const session = security.some((one) => 'session' in one) && !security.some((one) => 'operator' in one);
    const token = session ? customer.token : security.length > 0 ? shop.adminToken : undefined;
    const where = `${path.replace(/\{(\w+)\}/g, (_all, name: string) => ids.get(name)!)}${query.size > 0 ? `?${query}` : ''}`;
    const answer: Answer = await shop.call(method, where, {
      ...(token ? { token } : {}),
      headers: Object.fromEntries(of('header')),
      ...(body ? { body } : {}),
    });
    return `${operationId} ${answer.status}${[200, 201, 202, 204, 302].includes(answer.status) ? '' : ` ${answer.body.code}`}`;
  };

  /** What is right where nothing of that id can be there, or was there before. */
  const otherwise = [
    /^comparisons\.\w+ 404 comparison-unknown$/,
    /^comparisons\.start 409 comparison-running$/,
    /^events\.\w+ 404 (event|letter)-unknown$/,
    /^events\.replay 409 not-replayable$/,
    /^events\.skip 404 not-parked$/,
    /^orders\.\w+ 404 order-unknown$/,
    /^catalog\.createProduct 409 sku-taken$/,
    /^catalog\.changeProduct 409 sku-taken$/,
    /^keys\.revoke 404 key-unknown$/,
    /^ladders\.start 409 (no-healthy-instance|ladder-not-needed)$/,
    /^ladders\.(pause|resume|promote|demote) 409 ladder-not-running$/,
    /^logs\.show 404 no-logs$/,
    /^operators\.add 409 operator-exists$/,
    /^stores\.(back|verify|finish|abort) 409 not-paired$/,
    /^traces\.show 404 trace-unknown$/,
    /^transfers\.start 409 transfer-running$/,
    /^users\.changeMe 403 wrong-password$/,
    /^users\.endSession 404 session-unknown$/,
    /^users\.signIn 401 bad-credentials$/,
    / 20\d$/,
  ];

  const sendAll = async () => {
    const asked = operations.filter(({ requestBody }) => !requestBody?.content['multipart/form-data']);
    const wrong: string[] = [];
    for (const one of asked) {
      const outcome = await send(one);
      if (!otherwise.some((right) => right.test(outcome))) wrong.push(outcome);
    }
    expect(wrong).toEqual([]);
    expect(asked.length).toBeGreaterThan(40);
  };

  it('are taken with every module in the process', sendAll);

  it('are taken with every module extracted', async () => {
    await Promise.all(moduleNames(shopApp).map((module) => shop.started.extract(module)));
    await sendAll();
  });
});
