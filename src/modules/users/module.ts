// Users as a module: what implements its contract, what it listens to, whom it begins with. All wiring is here.
import { PrismaClient } from '../../../prisma/users/client/client.ts';
import type { Call } from '../../kernel/calls/call.ts';
import { createSessionSigner } from '../../kernel/identity/session-token.ts';
import { defineModule, type Module, on } from '../../kernel/module.ts';
import type { Settings } from '../../settings.ts';
import { notifications } from '../notifications/contract.ts';
import { users } from './contract.ts';
import { noteMail, type Session, UserRepository } from './repository.ts';
import { seedUsers } from './seed.ts';
import { UserService } from './service.ts';

export default function usersModule(settings: Pick<Settings, 'signingKey' | 'dataDir'>): Module {
  return defineModule<typeof users, PrismaClient>({
    contract: users,
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      const { signingKey } = settings;
      if (!signingKey) throw new Error('users signs the session tokens and was given no signing key');
      container.registerInstance(UserRepository, new UserRepository(kit.store));
      container.register(UserService, {
        useFactory: (own) =>
          new UserService({
            store: kit.store,
            repository: own.resolve(UserRepository),
            signer: createSessionSigner(signingKey),
            limits: kit.limits,
          }),
      });
    },

    operations(container) {
      const service = container.resolve(UserService);
      return {
        register: (input, call) => service.register(input, call),
        signIn: (input, call) => service.signIn(input, call),
        me: (_input, call) => service.me(session(call)),
        changeMe: (input, call) => service.changeMe(session(call), input, call),
        deleteMe: (_input, call) => service.deleteMe(session(call)),
        administer: ({ id, blocked }) => service.block(id, blocked),
        getUser: ({ userId }) => service.getUser(userId),
      };
    },

    listeners: () => [
      on(
        notifications.events['notification-sent'],
        ({ userId, at }, { tx }) => noteMail(tx.sql, userId, at),
        {
          // One statement, also where two orders are one user's.
          interleaves: true,
        },
      ),
    ],

    seed: (container, kit) =>
      seedUsers({
        store: kit.store,
        repository: container.resolve(UserRepository),
        dataDir: settings.dataDir,
        log: kit.log,
      }),
  });
}

/** These operations are for sessions; the dispatcher lets nobody else through. */
function session({ principal }: Call): Session {
  if (principal.kind !== 'user') throw new Error(`users was reached by ${principal.kind}, not by a user`);
  return principal;
}
