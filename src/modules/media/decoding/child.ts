// A process that decodes one picture after the other for its parent, and nothing else: it has no secret in its
// environment, and what a picture makes it take or break goes with it. It ends with its parent.
import { decode, NotAnImage } from './decode.ts';

export type Decoded = { readonly image: Awaited<ReturnType<typeof decode>> } | { readonly wrong: string };

// Ctrl-C reaches the whole group: the parent still has pictures to answer for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

process.on('message', async (bytes: Uint8Array) => {
  try {
    const image = await decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    process.send!({ image });
  } catch (error) {
    process.send!({
      wrong: error instanceof NotAnImage ? error.message : 'cannot be decoded: it is damaged',
    });
  }
});
