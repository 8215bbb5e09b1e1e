// Media as a module: what implements its contract, its storage, its first pictures. All wiring is here.
import { instanceCachingFactory } from 'tsyringe';
import { PrismaClient } from '../../../prisma/media/client/client.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import type { Settings } from '../../settings.ts';
import { media } from './contract.ts';
import { MediaRepository } from './repository.ts';
import { seedPictures } from './seeds.ts';
import { MediaService } from './service.ts';
import { openStorage, type Storage } from './storage.ts';

const storage = Symbol('storage');

export default function mediaModule(settings: Pick<Settings, 'storageUrl'>): Module {
  return defineModule<typeof media, PrismaClient>({
    contract: media,
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      container.registerInstance(storage, openStorage(settings.storageUrl));
      container.register(MediaRepository, { useFactory: () => new MediaRepository(kit.store) });
      // One, because it keeps bytes in memory.
      container.register(MediaService, {
        useFactory: instanceCachingFactory(
          (own) =>
            new MediaService({
              store: kit.store,
              repository: own.resolve(MediaRepository),
              storage: own.resolve<Storage>(storage),
            }),
        ),
      });
    },

    operations(container) {
      const service = container.resolve(MediaService);
      return {
        upload: (_, { principal, upload }) => {
          if (!upload) throw new Error('the door let an upload through without its file');
          return service.upload(principal.kind === 'user' ? principal.id : null, upload.bytes);
        },
        show: ({ id, variant }) => service.show(id, variant),
      };
    },

    jobs: (container) => [
      { name: 'sweep', everyMs: 10 * 60_000, run: () => container.resolve(MediaService).sweep() },
    ],

    seed: (container) =>
      seedPictures({
        service: container.resolve(MediaService),
        repository: container.resolve(MediaRepository),
        storage: container.resolve<Storage>(storage),
      }),
  });
}
