// What a handler is given follows from its contract, by type: it is the type check of the house that fails here.
import { expectTypeOf, test } from 'vitest';
import type { Call, Download, Upload } from '../context/call.ts';
import type { SessionUser } from '../context/principal.ts';
import { closed, defineContract, operation } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';
import { Type } from '../contract/type.ts';

const common = { summary: 'One', input: closed({}), output: Type.String(), idempotent: true };
const house = defineContract('house', {
  summary: 'A house',
  operations: {
    look: operation({ ...common, access: 'public' }),
    enter: operation({ ...common, access: 'session' }),
    hang: operation({ ...common, access: 'session', upload: { field: 'file', maxBytes: 1 } }),
    picture: operation({ ...common, access: 'public', download: true }),
  },
});
type House = Handlers<typeof house>;
type CallTo<O extends keyof House> = Parameters<House[O]>[1];

test('a user is where a session is needed, a file where one is taken, and nowhere else', () => {
  expectTypeOf<CallTo<'enter'>['user']>().toEqualTypeOf<SessionUser>();
  expectTypeOf<CallTo<'hang'>['user']>().toEqualTypeOf<SessionUser>();
  expectTypeOf<CallTo<'hang'>['upload']>().toEqualTypeOf<Upload>();
  expectTypeOf<CallTo<'look'>>().toEqualTypeOf<Call>();
  expectTypeOf<CallTo<'enter'>['upload']>().toEqualTypeOf<Upload | undefined>();
  expectTypeOf<CallTo<'look'>>().not.toHaveProperty('user');
});

test('a download answers bytes, everything else what its contract says', () => {
  expectTypeOf<ReturnType<House['picture']>>().toEqualTypeOf<Promise<Download>>();
  expectTypeOf<ReturnType<House['look']>>().toEqualTypeOf<Promise<string>>();
});
