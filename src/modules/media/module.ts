// Media as a module: what implements its contract, its storage, its first pictures. All wiring is here.
import { instanceCachingFactory } from 'tsyringe';
import { defineModule, type Module } from '#banyan';
import { PrismaClient } from '../../../prisma/media/client/client.ts';
import { media } from './contract.ts';
import { createDecoder } from './decoding/processes.ts';
import { MediaRepository } from './repository.ts';
import { seedPictures } from './seeds.ts';
import { MediaService } from './service.ts';
import { counted, openStorage, storageOperations } from './storage.ts';

export interface MediaSettings {
  /** Where the bytes of pictures are: a `file:` URL. */
  readonly storageUrl: string;
}

export default function mediaModule({ storageUrl }: MediaSettings): Module {
  return defineModule({
    contract: media,
    prisma: PrismaClient,

    setup({ container, store, limits, counter }) {
      const failed = counter('media_storage_failures_total', 'Failures of the storage of pictures', {
        operation: storageOperations,
      });
      const killed = counter(
        'media_decoders_killed_total',
        'Processes that a picture ended while it was decoded',
      );
      const storage = counted(openStorage(storageUrl), failed);
      const decoder = createDecoder({ onKilled: killed });
      container.register(MediaRepository, { useFactory: () => new MediaRepository(store) });
      container.register(MediaService, {
        // One, because it keeps bytes in memory.
        useFactory: instanceCachingFactory((own) => {
          const repository = own.resolve(MediaRepository);
          return new MediaService({ store, repository, storage, decoder, limits });
        }),
      });
      const service = container.resolve(MediaService);
      const repository = container.resolve(MediaRepository);

      return {
        operations: {
          upload: (_, call) => service.upload(call),
          show: ({ id, variant }) => service.show(id, variant),
        },
        jobs: [{ name: 'sweep', everyMs: 10 * 60_000, run: () => service.sweep() }],
        seed: () => seedPictures({ service, repository, storage }),
        close: () => decoder.close(),
      };
    },
  });
}
