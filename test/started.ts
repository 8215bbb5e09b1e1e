// What a stage started, so that all of it is gone after `stop`, the last first, also when the stage comes only half up.

/** In the order of the starts. */
export type Ends = (() => unknown)[];

/** @param build notes in `ends` how each thing that it started is ended. */
export async function started<T extends object>(
  build: (ends: Ends) => Promise<T>,
): Promise<T & { stop(): Promise<void> }> {
  const ends: Ends = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    // The object itself: it may have getters.
    return Object.assign(await build(ends), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
}
