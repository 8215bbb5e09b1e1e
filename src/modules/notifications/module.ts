// Notifications as a module: what implements its contract, what it listens to, its jobs. All wiring is here.
import { defineModule, type Module } from '#banyan';
import { PrismaClient } from '../../../prisma/notifications/client/client.ts';
import { users } from '../users/contract.ts';
import { forgetGone } from './contacts.ts';
import { notifications } from './contract.ts';
import { deliverJob, mailOutcomes } from './delivery.ts';
import { listeners } from './listeners.ts';
import { type MailSettings, openMailer } from './mail/open.ts';
import { NotificationRepository } from './repository.ts';
import { NotificationService } from './service.ts';

export default function notificationsModule(settings: MailSettings): Module {
  return defineModule({
    contract: notifications,
    uses: [users],
    prisma: PrismaClient,

    setup(kit) {
      const { container, store, log, hostId: where } = kit;
      const accounts = kit.ref(users);
      const mailer = openMailer(settings);
      const wake = () => kit.wake('deliver');
      const what = 'Mails by what came of them, and attempts that are made again';
      const count = kit.counter('notifications_mails_total', what, { outcome: mailOutcomes });
      container.register(NotificationRepository, { useFactory: () => new NotificationRepository(store) });
      container.register(NotificationService, {
        useFactory: (own) => {
          const repository = own.resolve(NotificationRepository);
          return new NotificationService({ store, repository, users: accounts, wake });
        },
      });
      const service = container.resolve(NotificationService);
      const repository = container.resolve(NotificationRepository);

      return {
        operations: {
          list: (query, { user }) => service.list(user.id, query),
          send: (input) => service.send(input),
          async tellOfOrder(order) {
            await service.notifyOfOrder(order);
            return { where };
          },
        },
        listeners: listeners(repository, wake),
        jobs: [
          kit.leasedJob(deliverJob({ repository, mailer, users: accounts, count, log })),
          { name: 'forget', everyMs: 60_000, run: () => forgetGone(store.sql).then(() => false) },
        ],
        close: () => mailer.close(),
      };
    },
  });
}
