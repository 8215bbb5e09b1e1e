// One dispatcher behind every door: authorise, validate, handle, answer; and what the codec is for.

import { describe, expect, it } from 'vitest';
import { type Call, currentFlow, withFlow } from '../context/call.ts';
import { anonymous, firstOperator, type Principal } from '../context/principal.ts';
import { type Access, closed, defineContract, operation } from '../contract/contract.ts';
import { Problem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import { createDispatcher } from './dispatcher.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const user: Principal = { kind: 'user', id: 'u', role: 'customer', epoch: 0, session: 's' };
const admin: Principal = { kind: 'user', id: 'a', role: 'admin', epoch: 0, session: 's' };
const operator = firstOperator;
const module: Principal = { kind: 'module', name: 'orders' };

const callBy = (principal: Principal): Call => ({
  principal,
  deadline: Number.POSITIVE_INFINITY,
  traceparent,
});

function contractOf(access: Access) {
  return defineContract('house', {
    summary: 'A house',
    operations: {
      enter: operation({
        summary: 'Enter',
        access: access as 'operator',
        scope: 'place',
        input: closed({
          door: Type.Optional(Type.String({ maxLength: 5 })),
          tags: Type.Optional(Type.Array(Type.String())),
        }),
        output: Type.Object({ room: Type.String() }),
        idempotent: true,
      }),
    },
  });
}

const statusOf = (work: Promise<unknown>) =>
  work.then(
    () => 200,
    (error: unknown) => (error instanceof Problem ? error.status : String(error)),
  );

describe('a dispatcher', () => {
  it('lets in whom the operation is for', async () => {
    const placer: Principal = { kind: 'operator', name: 'ada', scopes: ['place'] };
    const reader: Principal = { ...placer, scopes: ['read'] };
    const who = [anonymous, user, admin, operator, module, placer, reader];
    const expected: Record<Access, number[]> = {
      public: [200, 200, 200, 200, 200, 200, 200],
      session: [401, 200, 200, 403, 403, 403, 403],
      admin: [401, 403, 200, 200, 403, 200, 403],
      operator: [401, 403, 403, 200, 403, 200, 403],
      internal: [401, 403, 403, 403, 200, 403, 403],
    };
    for (const [access, statuses] of Object.entries(expected)) {
      const dispatcher = createDispatcher(
        contractOf(access as Access),
        { enter: async () => ({ room: 'hall' }) },
        { codec: false },
      );
      const seen = await Promise.all(
        who.map((one) => statusOf(dispatcher.dispatch('enter', {}, callBy(one)))),
      );
      expect(seen, access).toEqual(statuses);
      // A module that calls near is judged as one that calls from afar.
      expect(await statusOf(dispatcher.forModule('enter', 'orders')({})), access).toBe(statuses[4]);
    }
  });

  it('tells the handler of an operation for sessions who asks', async () => {
    let seen: Call | undefined;
    const enter = async (_: unknown, call: Call) => {
      seen = call;
      return { room: 'hall' };
    };
    await createDispatcher(contractOf('session'), { enter }, { codec: false }).dispatch(
      'enter',
      {},
      callBy(admin),
    );
    expect(seen).toMatchObject({ user: { id: 'a', role: 'admin', epoch: 0 } });
  });

  it('says nothing of the input to somebody who may not ask', async () => {
    const dispatcher = createDispatcher(
      contractOf('session'),
      { enter: async () => ({ room: 'hall' }) },
      { codec: false },
    );
    expect(await statusOf(dispatcher.dispatch('enter', { door: 'much too long' }, callBy(anonymous)))).toBe(
      401,
    );
  });

  it('answers alike to a door and to a module when the input is wrong', async () => {
    const dispatcher = createDispatcher(
      contractOf('internal'),
      { enter: async () => ({ room: 'hall' }) },
      { codec: true },
    );
    for (const input of [
      { door: 'much too long' },
      { window: 1 },
      { door: 7, tags: 'x' },
      [],
      null,
      'x',
      undefined,
    ]) {
      const far = await dispatcher
        .dispatch('enter', input, callBy(module))
        .catch((error: Problem) => error.body);
      const near = await dispatcher
        .forModule(
          'enter',
          'orders',
        )(input)
        .catch((error: Problem) => error.body);
      expect(far).toMatchObject({ status: 422, code: 'invalid' });
      expect(near).toEqual(far);
    }
  });

  it('knows its operations, and says so when asked for another', async () => {
    const dispatcher = createDispatcher(
      contractOf('public'),
      { enter: async () => ({ room: 'hall' }) },
      { codec: false },
    );
    expect([dispatcher.has('enter'), dispatcher.has('toString')]).toEqual([true, false]);
    expect(await statusOf(dispatcher.dispatch('toString', {}, callBy(user)))).toBe(404);
    expect(() => createDispatcher(contractOf('public'), {}, { codec: false })).toThrow(/does not implement/);
  });

  it('runs the handler in the flow of the call', async () => {
    const dispatcher = createDispatcher(
      contractOf('public'),
      { enter: async () => ({ room: currentFlow()?.traceparent ?? 'none' }) },
      { codec: false },
    );
    expect(await dispatcher.dispatch('enter', {}, callBy(user))).toEqual({ room: traceparent });
    expect(currentFlow()).toBeUndefined();
  });

  it('passes a failure of the handler on, thrown or rejected', async () => {
    for (const enter of [
      async () => {
        throw new Error('inside');
      },
      () => {
        throw new Error('inside');
      },
    ]) {
      const dispatcher = createDispatcher(contractOf('public'), { enter: enter as never }, { codec: false });
      expect(await statusOf(dispatcher.dispatch('enter', {}, callBy(user)))).toBe('Error: inside');
      expect(await statusOf(dispatcher.forModule('enter', 'orders')({}))).toBe('Error: inside');
    }
  });
});

describe('a near call', () => {
  const near = (codec: boolean, enter: (input: never, call: Call) => Promise<unknown>) =>
    createDispatcher(contractOf('internal'), { enter: enter as never }, { codec }).forModule(
      'enter',
      'orders',
    );

  it('tells the handler who asks, until when, and under which trace', async () => {
    let seen: Call | undefined;
    const call = near(false, async (_input, given) => {
      seen = given;
      return { room: 'hall' };
    });
    const controller = new AbortController();
    const deadline = Date.now() + 1000;
    await withFlow({ deadline, traceparent, signal: controller.signal }, () => call({}));
    expect(seen).toMatchObject({ principal: { kind: 'module', name: 'orders' }, deadline });
    expect(seen!.signal).toBe(controller.signal);
    expect(seen!.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/);
    expect(seen!.traceparent).toBe(seen!.traceparent);
    await call({});
    expect(seen!.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(seen!.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('is refused when its time is over', async () => {
    const call = near(false, async () => ({ room: 'hall' }));
    const asked = withFlow({ deadline: Date.now() - 1, traceparent }, () => call({}));
    expect(await statusOf(asked)).toBe(504);
  });

  it('shares no object with its caller where the codec is on', async () => {
    const kept: { tags: string[] }[] = [];
    const answer = { room: 'hall' };
    const handler = async (input: { tags: string[] }) => {
      kept.push(input);
      input.tags.push('changed by the callee');
      return answer;
    };
    const input = { tags: ['mine'] };
    const got = await near(true, handler as never)(input);
    expect(input).toEqual({ tags: ['mine'] });
    expect(kept[0]).not.toBe(input);
    expect(got).toEqual(answer);
    expect(got).not.toBe(answer);
    // Without it the object is shared: that is what fails only after the extraction.
    await near(false, handler as never)(input);
    expect(input.tags).toHaveLength(2);
  });

  it('fails in a test for what JSON cannot carry', async () => {
    const dated = near(true, async () => ({ room: new Date(0) }));
    expect(await statusOf(dated({}))).toMatch(/broke its contract/);
    const huge = near(true, async () => ({ room: 'hall', size: 1n }));
    expect(await statusOf(huge({}))).toMatch(/BigInt/);
    expect(await statusOf(near(true, async () => ({ room: 'hall' }))({ door: 1n }))).toMatch(/BigInt/);
    expect(await statusOf(near(true, async () => ({ rooms: 1 }))({}))).toMatch(/broke its contract/);
  });
});
