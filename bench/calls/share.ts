// What it costs to decide a side by a share: `node bench/calls/share.ts`, a few seconds. For a key that was seen before,
// for a new one, and for a request whose token is new (read, hashed, kept). Each request has strings of its own, as they
// come from a socket; making them is measured alone and taken off. By CPU, which a busy machine changes least.
// Prints Markdown; `--write` puts it into RESULTS.md.
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { cpus } from 'node:os';
import { countOf, readArguments } from '../../scripts/arguments.ts';
import { shareOf } from '../../src/banyan/http/request-share.ts';
import { sideOf } from '../../src/banyan/routing/side.ts';
import type { Snapshot } from '../../src/banyan/routing/snapshot.ts';
import { writeSection } from '../results.ts';

const USAGE = `node bench/calls/share.ts [options]
  --rounds N  of each (9)
  --write     puts the result into bench/RESULTS.md`;
const options = readArguments(USAGE, {
  rounds: { type: 'string', default: '9' },
  write: { type: 'boolean', default: false },
});
const rounds = countOf('rounds', options.rounds, USAGE);

const N = 5_000;
const of = (placement: string, percent: number) =>
  ({ modules: { shelf: { placement, percent, instances: [] } }, monoliths: [] }) as unknown as Snapshot;
const canary = of('canary', 50);
const quiet = of('in-process', 0);

/** Bytes as a socket has them: a text made of them was never hashed. */
const bytes = (text: string) => Buffer.from(text, 'latin1');
const token = (id: string) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    role: 'member',
    epoch: 0,
    sub: id,
    jti: 'x'.repeat(16),
    iss: 'a',
    aud: 'b',
    iat: 1,
    exp: 2,
  };
  return `Bearer ${part({ alg: 'EdDSA', kid: 'k'.repeat(43) })}.${part(claims)}.${randomBytes(64).toString('base64url')}`;
};
const requestOf = (authorization: string) => ({ headers: { authorization } }) as unknown as IncomingMessage;

let sink = 0;
const note = (side: string) => {
  sink += side.length;
};

/** Nanoseconds of CPU each, the median of the rounds. @param fresh what a round works on. */
function nsOf<T>(fresh: () => readonly T[], work: (one: T) => void): number {
  const found = Array.from({ length: rounds }, () => {
    const all = fresh();
    const before = process.cpuUsage();
    for (const one of all) work(one);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / all.length;
  });
  return found.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

const ids = Array.from({ length: N }, () => randomUUID());
const known = ids.map(bytes);
const many = <T>(all: readonly T[]) => Array.from({ length: 40 }, () => all).flat();
const text = (key: Buffer) => key.latin1Slice();
const tokens = ids.map((id) => bytes(token(id)));

for (const id of ids) note(sideOf(canary, 'shelf', { key: id }));
const making = nsOf(
  () => many(known),
  (key) => note(text(key)),
);
const seen =
  nsOf(
    () => many(known),
    (key) => note(sideOf(canary, 'shelf', { key: text(key) })),
  ) - making;
const news = nsOf(
  () => Array.from({ length: N }, () => randomUUID()),
  (key) => note(sideOf(canary, 'shelf', { key })),
);
const makingToken = nsOf(
  () => many(tokens),
  (one) => note(requestOf(text(one)).headers.authorization!),
);
const decide = (one: Buffer) => note(sideOf(canary, 'shelf', shareOf(requestOf(text(one)))));
const newToken =
  nsOf(() => Array.from({ length: N }, () => bytes(token(randomUUID()))), decide) - makingToken;
for (const one of tokens) decide(one);
const seenToken = nsOf(() => many(tokens), decide) - makingToken;
const kept = nsOf(
  () => many(ids),
  (key) => note(sideOf(canary, 'shelf', { key })),
);
const none = nsOf(
  () => many(known),
  () => note(sideOf(quiet, 'shelf', undefined)),
);

const report = `Node ${process.version}, ${cpus()[0]!.model.trim()}. CPU per decision, median of ${rounds} rounds.

| decision | ns | at most |
|---|---|---|
| no module in canary | ${none.toFixed(0)} | |
| the key was seen before, as a token's user is | ${kept.toFixed(0)} | 100 |
| the key was seen before, and came anew in a header or a frame | ${seen.toFixed(0)} | |
| a new key | ${news.toFixed(0)} | 3,000 |
| a token that was seen before, found in the request | ${seenToken.toFixed(0)} | |
| a new token | ${newToken.toFixed(0)} | 10,000 |`;
console.log(report);
if (sink === 0) throw new Error('nothing was decided');
if (options.write) writeSection('share', report);
if (kept > 100 || news > 3_000 || newToken > 10_000) process.exitCode = 1;
