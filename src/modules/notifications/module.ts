// Notifications as a module: what implements its contract, what it listens to, its jobs. All wiring is here.
import { join } from 'node:path';
import { PrismaClient } from '../../../prisma/notifications/client/client.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import { users } from '../users/contract.ts';
import { forgetGone } from './contacts.ts';
import { notifications } from './contract.ts';
import { deliverJob } from './delivery.ts';
import { listeners } from './listeners.ts';
import { fileMailer } from './mail/files.ts';
import type { Mailer } from './mail/mailer.ts';
import { smtpMailer } from './mail/smtp.ts';
import { NotificationRepository } from './repository.ts';
import { NotificationService } from './service.ts';

const mailer = Symbol('mailer');

export default function notificationsModule(settings: {
  readonly dataDir: string;
  readonly smtpUrl: string | undefined;
}): Module {
  return defineModule<typeof notifications, PrismaClient>({
    contract: notifications,
    uses: [users],
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      const { smtpUrl, dataDir } = settings;
      const wake = () => kit.wake('deliver');
      container.registerInstance(mailer, smtpUrl ? smtpMailer(smtpUrl) : fileMailer(join(dataDir, 'mail')));
      container.register(NotificationRepository, {
        useFactory: () => new NotificationRepository(kit.store),
      });
      container.register(NotificationService, {
        useFactory: (own) =>
          new NotificationService({
            store: kit.store,
            repository: own.resolve(NotificationRepository),
            users: kit.ref(users),
            wake,
          }),
      });
    },

    operations(container, kit) {
      const service = container.resolve(NotificationService);
      return {
        list: async (query, { principal }) => {
          if (principal.kind !== 'user') throw new Error(`notifications was reached by ${principal.kind}`);
          return service.list(principal.id, query);
        },
        send: (input) => service.send(input),
        tellOfOrder: async (told) => {
          await service.tell(told);
          return { where: kit.hostId };
        },
      };
    },

    listeners: (container, kit) =>
      listeners(container.resolve(NotificationRepository), () => kit.wake('deliver')),

    jobs: (container, kit) => [
      kit.leasedJob(
        deliverJob({
          repository: container.resolve(NotificationRepository),
          mailer: container.resolve<Mailer>(mailer),
          users: kit.ref(users),
          log: kit.log,
        }),
      ),
      {
        name: 'forget',
        everyMs: 60_000,
        run: async () => {
          await forgetGone(kit.store.pool);
          return false;
        },
      },
    ],

    close: (container) => container.resolve<Mailer>(mailer).close(),
  });
}
