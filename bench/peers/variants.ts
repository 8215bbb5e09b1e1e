// How each peer is started, in one process and apart. Every variant answers GET /api/orders/<id> on its port.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../src/banyan/postgres/free-port.ts';
import type { Command } from './processes.ts';

export type Shape = 'in one process' | 'apart';

export interface Variant {
  readonly peer: string;
  /** What "apart" is with this peer. */
  readonly apart: string;
  commands(shape: Shape, port: number, databaseUrl: string | undefined): Promise<Command[]>;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const { resolve } = createRequire(import.meta.url);
const NAMES = ['orders', 'users', 'catalog'] as const;

/** A script once for all, or once for the gateway and each module. */
const scripts = (script: string, names: readonly string[], settings: object): Command[] =>
  names.map((name) => ({ entry: script, args: [name, JSON.stringify(settings)] }));

const byName = (ports: readonly number[]) => NAMES.map((name, index) => [name, ports[index]!] as const);

export const variants: readonly Variant[] = [
  {
    peer: 'Banyan',
    apart: 'gateway and three services, a process each; JSON-RPC over WebSocket',
    async commands(shape, port, databaseUrl) {
      const script = here('./banyan/host.ts');
      if (shape === 'in one process') return scripts(script, ['all'], { port, services: {}, databaseUrl });
      const ports = byName(await freePorts(3));
      const services = Object.fromEntries(ports.map(([name, at]) => [name, `http://127.0.0.1:${at}`]));
      return [
        ...scripts(script, ['none'], { port, services, databaseUrl }),
        ...ports.flatMap(([name, at]) => scripts(script, [name], { port: at, services, databaseUrl })),
      ];
    },
  },
  {
    peer: 'Moleculer',
    apart: 'moleculer-web and three services, a node (process) each; TCP transporter',
    async commands(shape, port, databaseUrl) {
      const script = here('./moleculer/host.ts');
      if (shape === 'in one process') return scripts(script, ['all'], { port, nodes: {}, databaseUrl });
      const ports = await freePorts(4);
      const names = ['api', ...NAMES];
      const nodes = Object.fromEntries(
        names.map((name, index) => [name, `tcp://127.0.0.1:${ports[index]}/${name}`]),
      );
      return scripts(script, names, { port, nodes, databaseUrl });
    },
  },
  {
    peer: 'NestJS',
    apart: 'an HTTP gateway and three microservices, a process each; TCP transport',
    async commands(shape, port, databaseUrl) {
      const script = here('../node_modules/.cache/peers/nest/host.js');
      if (shape === 'in one process') return scripts(script, ['all'], { port, ports: {}, databaseUrl });
      const ports = Object.fromEntries(byName(await freePorts(3)));
      return scripts(script, ['gateway', ...NAMES], { port, ports, databaseUrl });
    },
  },
  {
    peer: 'Platformatic',
    apart: 'a gateway and three applications, a thread each of one process, as wattpm deploys them; fetch',
    async commands(shape, port, databaseUrl) {
      const folder = here(shape === 'apart' ? './watt/apart' : './watt/one');
      const env = { PORT: String(port), ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}) };
      return [{ entry: resolve('wattpm/bin/cli.js'), args: ['start'], folder, env }];
    },
  },
];
