// The shop's modules in the test's own process, over the database of a shop that has stopped: no relay, consumer or job runs,
// so that nothing changes a row but what the test asks for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type { Dispatcher } from '../../src/banyan/calls/dispatcher.ts';
import type { Remote } from '../../src/banyan/calls/ref.ts';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import type { Call } from '../../src/banyan/context/call.ts';
import { anonymous } from '../../src/banyan/context/principal.ts';
import { newTraceparent } from '../../src/banyan/context/trace.ts';
import type { Contract } from '../../src/banyan/contract/contract.ts';
import {
  bootModule,
  type DispatchedRolledBack,
  inOrderOfUse,
  type RunningModule,
} from '../../src/banyan/host/boot-module.ts';
import { loadContract } from '../../src/banyan/host/load.ts';
import type { Module } from '../../src/banyan/host/module.ts';
import { roleSecretOf } from '../../src/banyan/host/root.ts';
import { toProblem } from '../../src/banyan/http/problems.ts';
import type { Keys } from '../../src/banyan/identity/held-keys.ts';
import { generateSealKey, generateSigningKey, publicHalf } from '../../src/banyan/identity/keys.ts';
import { roleUrl, runtimeRole } from '../../src/banyan/postgres/roles.ts';
import type { Placements } from '../../src/banyan/routing/snapshot.ts';
import { createSecurityLog } from '../../src/banyan/telemetry/security-log.ts';
import { noTracing } from '../../src/banyan/telemetry/tracing.ts';
import catalog from '../../src/modules/catalog/module.ts';
import media from '../../src/modules/media/module.ts';
import notifications from '../../src/modules/notifications/module.ts';
import orders from '../../src/modules/orders/module.ts';
import payments from '../../src/modules/payments/module.ts';
import users from '../../src/modules/users/module.ts';
import { shopApp } from '../../src/shop.ts';

/** Its database, by the superuser's URL, and its secret. */
export interface StoppedShop {
  readonly databaseUrl: string;
  readonly env: { readonly ROOT_KEY?: string };
}

type KeysAndPicture = readonly [Keys, Placements];

export interface Modules {
  readonly keys: KeysAndPicture;
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly contracts: readonly Contract[];
  /** Where pictures and mails lie. */
  readonly folder: string;
  /** The lines of the security log so far. */
  readonly noted: readonly string[];
  /** For real. */
  dispatch(
    name: string,
    input: unknown,
    call?: Partial<Call>,
  ): Promise<Pick<DispatchedRolledBack, 'result'>['result']>;
  /** All of it rolled back. */
  tried(name: string, input: unknown, call?: Partial<Call>, budgetMs?: number): Promise<DispatchedRolledBack>;
  close(): Promise<void>;
}

/** Enough on a machine that is busy with other things. */
const BUDGET_MS = 30_000;

export interface Elsewhere {
  /** Those that run here; default: all. */
  readonly only?: readonly string[];
  /** How the others are asked. */
  readonly remote?: Remote;
  /** As which host; a session says so in the name of its application. */
  readonly host?: string;
  /** Of pictures and mails that several processes share; default: one of its own, which goes with it. */
  readonly folder?: string;
}

/** @param keys those of another host of the same shop. */
export async function openModules(
  { databaseUrl, env }: StoppedShop,
  keys: KeysAndPicture = keysAndPicture(moduleNames(shopApp)),
  elsewhere: Elsewhere = {},
): Promise<Modules> {
  const { only, remote, host = 'monolith' } = elsewhere;
  const folder = elsewhere.folder ?? mkdtempSync(join(tmpdir(), 'banyan-tried-'));
  const at = (name: string) => pathToFileURL(join(folder, name)).href;
  const all: readonly Module[] = [
    users({ dataDir: folder }),
    catalog(),
    media({ storageUrl: at('media') }),
    orders(),
    payments(),
    notifications({ smtpUrl: undefined, mailUrl: at('mail') }),
  ];
  const names = moduleNames(shopApp);
  if (names.length !== all.length) throw new Error(`the shop has ${names}: name the new ones here`);
  const contracts = await Promise.all(names.map((name) => loadContract(shopApp, name)));
  const secret = roleSecretOf(
    { rootKey: env.ROOT_KEY!, signingKey: undefined, internalKey: undefined },
    databaseUrl,
  );
  const noted: string[] = [];
  const security = createSecurityLog({
    host,
    sink: { write: (line: string) => void noted.push(line), close() {} } as never,
  });
  const running = new Map<string, RunningModule>();
  const local = new Map<string, RunningModule['dispatcher']>();
  const here = all.filter(({ contract }) => only?.includes(contract.module) ?? true);
  for (const module of inOrderOfUse(here)) {
    const { module: name } = module.contract;
    const one = bootModule(module, {
      hostId: host,
      log: pino({ level: 'silent' }),
      security,
      databaseUrl: roleUrl(databaseUrl, secret, runtimeRole(name)),
      schemaUrl: (schema) =>
        roleUrl(databaseUrl, secret, module.schemas!.find((extra) => extra.schema === schema)!.role),
      placements: keys[1],
      keys: keys[0],
      signsSessions: name === shopApp.sessions!.module,
      remote: remote ?? (() => Promise.reject(new Error('nothing is far here'))),
      local,
      codec: true,
      strict: true,
      eventLog: {} as never,
      contracts,
      tracing: noTracing,
    });
    running.set(name, one);
    local.set(name, one.dispatcher);
  }
  const of = (name: string) => {
    const [module, operation] = name.split('.') as [string, string];
    return [running.get(module)!, operation] as const;
  };
  return {
    keys,
    dispatchers: local,
    contracts,
    folder,
    noted,
    async dispatch(name, input, call) {
      const [module, operation] = of(name);
      return module.dispatcher.dispatch(operation, input, callOf(call)).then(
        (output) => ({ output }),
        (error: unknown) => ({ problem: toProblem(error) }),
      );
    },
    async tried(name, input, call, budgetMs = BUDGET_MS) {
      const [module, operation] = of(name);
      return module.dispatchRolledBack(operation, input, callOf(call), budgetMs);
    },
    async close() {
      await Promise.all([...running.values()].map((one) => one.close()));
      security.close();
      if (elsewhere.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function callOf(call: Partial<Call> = {}): Call {
  return { principal: anonymous, deadline: Date.now() + 60_000, traceparent: newTraceparent(), ...call };
}

/** Keys as a monolith has them: of sessions, and of each module's seals. */
export function keysAndPicture(names: readonly string[]): KeysAndPicture {
  const session = generateSigningKey();
  const seals = Object.fromEntries(names.map((name) => [name, generateSealKey()]));
  const everything = [session, ...Object.values(seals)];
  const held = (kid: string) => everything.find((key) => key.kid === kid);
  const current = {
    version: 1,
    modules: Object.fromEntries(names.map((name) => [name, { placement: 'in-process', instances: [] }])),
    monoliths: [],
    revoked: {},
    jwks: { keys: [publicHalf(session)] },
    seals: Object.fromEntries(Object.entries(seals).map(([name, key]) => [name, [publicHalf(key)]])),
  };
  return [
    { held, find: async (kid) => held(kid) },
    { current, subscribe: () => () => {}, refresh: async () => current } as unknown as Placements,
  ];
}
