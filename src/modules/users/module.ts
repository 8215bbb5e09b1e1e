// Users as a module: what implements its contract, what it listens to, whom it begins with. All wiring is here.
import { defineModule, type Module, on } from '#banyan';
import { PrismaClient } from '../../../prisma/users/client/client.ts';
import { notifications } from '../notifications/contract.ts';
import { users } from './contract.ts';
import { noteMail, UserRepository } from './repository.ts';
import { seedUsers } from './seed.ts';
import { UserService } from './service.ts';
import { Sessions } from './sessions.ts';

export interface UserSettings {
  /** Where the passwords of the first users are written. */
  readonly dataDir: string;
}

export default function usersModule({ dataDir }: UserSettings): Module {
  return defineModule({
    contract: users,
    prisma: PrismaClient,

    setup({ container, store, log, limits, security, sessions: authority }) {
      container.register(UserRepository, { useFactory: () => new UserRepository(store) });
      container.register(Sessions, { useFactory: () => new Sessions(store, authority, security) });
      const [repository, sessions] = [container.resolve(UserRepository), container.resolve(Sessions)];
      container.register(UserService, {
        useFactory: () => new UserService({ store, repository, sessions, authority, limits, security }),
      });
      const service = container.resolve(UserService);

      return {
        operations: {
          register: (input, call) => service.register(input, call),
          signIn: (input, call) => service.signIn(input, call),
          signOut: (_, call) => sessions.endThis(call.user, call),
          sessions: (_, { user }) => sessions.list(user),
          endSession: ({ id }, call) => sessions.endOne(call.user, id, call),
          endOtherSessions: (_, call) => sessions.endOthers(call.user, call),
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
        jobs: [{ name: 'forget-sessions', everyMs: 600_000, run: () => sessions.forget().then(() => false) }],
        seed: () => seedUsers({ store, repository, dataDir, log }),
      };
    },
  });
}
