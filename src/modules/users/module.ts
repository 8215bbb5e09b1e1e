// Users as a module: what implements its contract, what it listens to, whom it begins with. All wiring is here.
import { defineModule, type Module, on } from '#banyan';
import { PrismaClient } from '../../../prisma/users/client/client.ts';
import { notifications } from '../notifications/contract.ts';
import { users } from './contract.ts';
import { noteMail, UserRepository } from './repository.ts';
import { seedUsers } from './seed.ts';
import { UserService } from './service.ts';

export interface UserSettings {
  /** Where the passwords of the first users are written. */
  readonly dataDir: string;
}

export default function usersModule({ dataDir }: UserSettings): Module {
  return defineModule({
    contract: users,
    prisma: PrismaClient,

    setup({ container, store, log, limits, sessions: signer }) {
      container.register(UserRepository, { useFactory: () => new UserRepository(store) });
      container.register(UserService, {
        useFactory: (own) =>
          new UserService({ store, repository: own.resolve(UserRepository), signer, limits }),
      });
      const service = container.resolve(UserService);

      return {
        operations: {
          register: (input, call) => service.register(input, call),
          signIn: (input, call) => service.signIn(input, call),
          me: (_, { user }) => service.me(user),
          changeMe: (input, call) => service.changeMe(call.user, input, call),
          deleteMe: (_, { user }) => service.deleteMe(user),
          administer: ({ id, blocked }) => service.block(id, blocked),
          getUser: ({ userId }) => service.getUser(userId),
        },
        listeners: [
          on(notifications.events['notification-sent'], ({ userId, at }, { tx }) =>
            noteMail(tx.sql, userId, at),
          ),
        ],
        seed: () => seedUsers({ store, repository: container.resolve(UserRepository), dataDir, log }),
      };
    },
  });
}
