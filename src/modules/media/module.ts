// Media as a module: what implements its contract, its storage, its first pictures. All wiring is here.
import { instanceCachingFactory } from 'tsyringe';
import { PrismaClient } from '../../../prisma/media/client/client.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import { media } from './contract.ts';
import { createDecoder, type Decoder } from './decoding/processes.ts';
import { MediaRepository } from './repository.ts';
import { seedPictures } from './seeds.ts';
import { MediaService } from './service.ts';
import { openStorage, type Storage } from './storage.ts';

const storage = Symbol('storage');
const decoder = Symbol('decoder');

export default function mediaModule(settings: { readonly storageUrl: string }): Module {
  return defineModule<typeof media, PrismaClient>({
    contract: media,
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      container.registerInstance(storage, openStorage(settings.storageUrl));
      container.registerInstance(decoder, createDecoder());
      container.register(MediaRepository, { useFactory: () => new MediaRepository(kit.store) });
      // One, because it keeps bytes in memory.
      container.register(MediaService, {
        useFactory: instanceCachingFactory(
          (own) =>
            new MediaService({
              store: kit.store,
              repository: own.resolve(MediaRepository),
              storage: own.resolve<Storage>(storage),
              decoder: own.resolve<Decoder>(decoder),
              limits: kit.limits,
            }),
        ),
      });
    },

    operations(container) {
      const service = container.resolve(MediaService);
      return {
        upload: (_, call) => {
          if (!call.upload) throw new Error('the door let an upload through without its file');
          return service.upload(call, call.upload.bytes);
        },
        show: ({ id, variant }) => service.show(id, variant),
      };
    },

    jobs: (container) => [
      { name: 'sweep', everyMs: 10 * 60_000, run: () => container.resolve(MediaService).sweep() },
    ],

    close: async (container) => container.resolve<Decoder>(decoder).close(),

    seed: (container) =>
      seedPictures({
        service: container.resolve(MediaService),
        repository: container.resolve(MediaRepository),
        storage: container.resolve<Storage>(storage),
      }),
  });
}
