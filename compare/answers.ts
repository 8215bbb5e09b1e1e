// Whether both topologies answer the same: each request of a short recording is sent to one and then the other, and
// what came back is compared in full. Ids that were just made and times of day are the only things that may differ.

import type { Report } from './format/report.ts';
import { formOf } from './load/form.ts';
import type { Planned } from './load/plan.ts';

export type Answers = Report['answers'];
export type Files = Readonly<Record<string, { type: string; bytes: Uint8Array }>>;

const EXAMPLES = 5;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** @param known ids that are the same on both sides, so that they must be the same in answers. */
export async function compareAnswers(
  urls: { readonly a: string; readonly b: string },
  requests: readonly Planned[],
  known: ReadonlySet<string>,
  files: Files,
  signal: AbortSignal,
): Promise<Answers> {
  const examples: Answers['examples'] = [];
  let different = 0;
  for (const one of requests) {
    const [a, b] = await Promise.all([
      ask(urls.a, one, known, files, signal),
      ask(urls.b, one, known, files, signal),
    ]);
    if (a === b) continue;
    different += 1;
    if (examples.length < EXAMPLES)
      examples.push({ request: `${one.method} ${one.path}`, a: a.slice(0, 500), b: b.slice(0, 500) });
  }
  return { compared: requests.length, different, statusesCompared: 0, statusesDifferent: 0, examples };
}

async function ask(url: string, one: Planned, known: ReadonlySet<string>, files: Files, signal: AbortSignal) {
  const file = one.upload === undefined ? undefined : files[one.upload];
  const form = file && formOf(one.upload!, file);
  const first = await send(url, one.method, one.path, signal, {
    headers: { ...one.headers, ...(form && { 'content-type': form.type }) },
    body: form?.bytes ?? one.body,
  });
  if (!one.until || first.status !== one.expect) return plain(first, known);
  const { path, field, not, everyMs, withinMs } = one.until;
  const id = (name: string) => String((JSON.parse(first.text) as Record<string, unknown>)[name] ?? '');
  const next = path.replace(/\{answer\.(\w+)\}/g, (_, name: string) => encodeURIComponent(id(name)));
  const authorization = one.headers?.authorization;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const later = await send(url, 'GET', next, signal, { headers: authorization ? { authorization } : {} });
    const value =
      later.status === 200 ? (JSON.parse(later.text) as Record<string, unknown>)[field] : undefined;
    if (value !== not || Date.now() > deadline) return `${plain(first, known)} then ${plain(later, known)}`;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function send(
  url: string,
  method: string,
  path: string,
  signal: AbortSignal,
  { headers, body }: { headers: Record<string, string>; body?: string | Buffer },
): Promise<Answer> {
  const response = await fetch(new URL(path, url), { method, headers, body: body as string, signal });
  // Pictures as they are: a byte is a character.
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
}

function plain({ status, type, text }: Answer, known: ReadonlySet<string>): string {
  const body = /json/.test(type)
    ? text.replaceAll(UUID, (id) => (known.has(id) ? id : '<id>')).replaceAll(TIME, '<time>')
    : text;
  return `${status} ${type} ${body}`;
}
