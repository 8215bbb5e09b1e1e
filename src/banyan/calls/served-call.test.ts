// What a served call makes only when somebody asks.
import { describe, expect, it } from 'vitest';
import type { Flow } from '../context/call.ts';
import { ServedCall } from './served-call.ts';

const served = (traceparent?: string, deadline = Date.now() + 60_000) =>
  new ServedCall({ kind: 'module', name: 'orders' }, deadline, traceparent, undefined);

describe('a served call', () => {
  it('has one trace and one signal, also for a flow that inherits from it', () => {
    const call = served(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    const inside: Flow = Object.create(call, { transaction: { value: 'somewhere' } });
    expect(inside.traceparent).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/);
    expect(call.traceparent).toBe(inside.traceparent);
    expect(call.signal).toBe(inside.signal);
    call.abort();
    expect(inside.signal!.aborted).toBe(true);
  });

  it('is aborted for who asks after it was', () => {
    const call = served();
    call.abort();
    expect(call.signal.aborted).toBe(true);
  });

  it('starts a trace of its own where none came', () => {
    for (const given of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`])
      expect(served(given).traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});
