// A real Prometheus with the configuration and the rules of deploy/observability, changed in nothing but addresses, paths, and
// durations where they are scaled. Guarantees: it learns its targets from the shop alone, and is gone with its data after `stop`.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { freePort } from '../../../src/banyan/postgres/free-port.ts';
import { foundProgram } from '../../program.ts';
import { RULE_FILES, RULES, scaledDuration, scaledRules } from './rules.ts';

export interface Firing {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly runbook: string;
}

export interface Prometheus {
  readonly url: string;
  /** Every alarm that fires now. */
  firing(): Promise<Firing[]>;
  /** The values of an expression, by instant. */
  query(expr: string): Promise<{ labels: Readonly<Record<string, string>>; value: number }[]>;
  /** By which it asks who is there; read with every ask. */
  useToken(token: string): void;
  /** The last of what it complained of. */
  said(): string;
  stop(): Promise<void>;
}

export type Program = 'prometheus' | 'promtool' | 'amtool';

/** Where it is: in the folder PROMETHEUS_BIN, else on the PATH. */
export const programOf = (name: Program): string | undefined => foundProgram(name, 'PROMETHEUS_BIN');

/** The line that says what is missing, and how to have it. */
export const missing = (name: Program): string =>
  `no ${name} here: apt-get install prometheus prometheus-alertmanager, or name the folder of the programs in PROMETHEUS_BIN`;

const run = promisify(execFile);

/** Exit 0, or what it said. */
export async function promtool(...words: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(programOf('promtool')!, [...words]).catch(
    (error: { stdout: string; stderr: string }) =>
      Promise.reject(new Error(`${error.stdout}${error.stderr}`)),
  );
  return `${stdout}${stderr}`;
}

/**
 * @param discovery the URL that tells who is there, asked with the token of an operator.
 * @param scale what every duration is divided by: 1 is as it is delivered.
 */
export async function startPrometheus(
  discovery: string,
  operator: string,
  scale: number,
): Promise<Prometheus> {
  const program = programOf('prometheus');
  if (!program) throw new Error(missing('prometheus'));
  const folder = mkdtempSync(join(tmpdir(), 'banyan-prometheus-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const token = join(folder, 'token');
  writeFileSync(token, operator, { mode: 0o600 });
  for (const file of RULE_FILES) writeFileSync(join(folder, file), scaledRules(file, scale));
  writeFileSync(join(folder, 'prometheus.yml'), configured({ discovery, token, port, scale }));
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    const body = (await answer.json()) as { data: T; error?: string };
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${body.error}`);
    return body.data;
  };
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    while (!(await isReady(url))) {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}:\n${said}`);
      await pause(100);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    firing: async () => {
      const { alerts } = await ask<{ alerts: Told[] }>('alerts');
      return alerts.filter(({ state }) => state === 'firing').map(firingOf);
    },
    query: async (expr) => {
      const { result } = await ask<{ result: Sample[] }>(`query?query=${encodeURIComponent(expr)}`);
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    useToken: (text) => writeFileSync(token, text),
    said: () => said.slice(-1_000) || 'it complains of nothing',
    stop,
  };
}

interface Told {
  readonly state: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

interface Sample {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

function firingOf({ labels: { alertname, ...labels }, annotations }: Told): Firing {
  return {
    name: alertname!,
    labels,
    summary: annotations.summary ?? '',
    runbook: annotations.runbook_url ?? '',
  };
}

const isReady = (url: string) =>
  fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

interface Where {
  readonly discovery: string;
  readonly token: string;
  readonly port: number;
  readonly scale: number;
}

/** The file that is delivered, with this shop's addresses. Nobody is told: who asks for alarms here is the rehearsal. */
function configured({ discovery, token, port, scale }: Where): string {
  const config = parse(readFileSync(new URL('prometheus.yml', RULES), 'utf8'));
  const { global, scrape_configs: jobs } = config;
  for (const name of ['scrape_interval', 'scrape_timeout', 'evaluation_interval'])
    global[name] = scaledDuration(global[name], scale, 1_000);
  delete config.alerting;
  for (const job of jobs) {
    for (const found of job.http_sd_configs ?? []) {
      found.url = discovery;
      found.refresh_interval = scaledDuration(found.refresh_interval, scale, 1_000);
      found.authorization.credentials_file = token;
    }
    for (const one of job.static_configs ?? []) one.targets = [`127.0.0.1:${port}`];
  }
  return stringify(config);
}
