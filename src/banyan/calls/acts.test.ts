// What administrators do is written down by the contract of the operation, whoever wrote its handler.
import { describe, expect, test } from 'vitest';
import type { Call } from '../context/call.ts';
import { firstOperator } from '../context/principal.ts';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { problem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import type { SecurityEvent } from '../telemetry/security-log.ts';
import { createDispatcher } from './dispatcher.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const call = (): Call => ({
  principal: firstOperator,
  deadline: Number.POSITIVE_INFINITY,
  traceparent,
  address: '192.0.2.1',
});
const output = Type.Object({ open: Type.Boolean() });
const input = closed({
  door: Type.String(),
  open: Type.Boolean(),
  note: Type.Optional(Type.String()),
  changedBy: Type.Optional(Type.String()),
});
const house = defineContract('house', {
  summary: 'A house',
  errors: { stuck: { status: 409, title: 'It is stuck' } },
  operations: {
    turn: operation({
      summary: 'Open or close a door',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/doors/:door' },
      input,
      output,
      idempotent: true,
      errors: ['stuck'],
    }),
    look: operation({
      summary: 'Look',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/doors' },
      input: nothing,
      output,
      idempotent: true,
    }),
    ring: operation({
      summary: 'Ring',
      access: 'public',
      http: { method: 'POST', path: '/api/doors' },
      input: nothing,
      output,
      idempotent: true,
    }),
  },
});

function dispatcherOf(turn: (input: unknown, call: Call) => Promise<unknown>) {
  const written: SecurityEvent[] = [];
  const open = async () => ({ open: true });
  const security = { write: (event: SecurityEvent) => void written.push(event) };
  const handlers = { turn, look: open, ring: open };
  return { written, dispatcher: createDispatcher(house, handlers, { codec: false, security }) };
}

describe('an act of an administrator', () => {
  test('is written with what its handler changed, when it is over', async () => {
    const { written, dispatcher } = dispatcherOf(async (_, one) => {
      one.change = { before: { open: false }, after: { open: true } };
      return { open: true };
    });
    await dispatcher.dispatch('turn', { door: 'front', open: true, changedBy: 'ada' }, call());
    expect(written).toEqual([
      {
        event: 'admin.house.turn',
        outcome: 'ok',
        actor: { kind: 'operator', name: 'operator' },
        address: '192.0.2.1',
        trace: traceparent,
        target: 'front',
        claimed: 'ada',
        before: { open: false },
        after: { open: true },
      },
    ]);
  });

  test('whose handler says nothing is written with what was asked, without long texts', async () => {
    const { written, dispatcher } = dispatcherOf(async () => ({ open: true }));
    await dispatcher.dispatch('turn', { door: 'front', open: true, note: 'x'.repeat(100) }, call());
    expect(written[0]!.after).toEqual({ open: true });
  });

  test('that was refused, or failed, says why, and no insides', async () => {
    const refused = dispatcherOf(() => Promise.reject(problem(house, 'stuck', { detail: 'It is frozen.' })));
    await expect(refused.dispatcher.dispatch('turn', { door: 'a', open: true }, call())).rejects.toThrow();
    expect(refused.written[0]).toMatchObject({ outcome: 'refused', reason: 'stuck: It is frozen.' });
    const failed = dispatcherOf(() => Promise.reject(new Error('connect 10.0.0.1 with password x')));
    await expect(failed.dispatcher.dispatch('turn', { door: 'a', open: true }, call())).rejects.toThrow();
    expect(failed.written[0]).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/see the log/),
    });
    expect(JSON.stringify(failed.written)).not.toContain('password x');
  });

  test('is no look, and nothing that others may do', async () => {
    const { written, dispatcher } = dispatcherOf(async () => ({ open: true }));
    await dispatcher.dispatch('look', {}, call());
    await dispatcher.dispatch('ring', {}, call());
    expect(written).toEqual([]);
  });
});
