// What is made, or read, when somebody first asks, and is the same for whoever asks after.

export function once<T>(make: () => T): () => T {
  let made: { readonly it: T } | undefined;
  return () => {
    made ??= { it: make() };
    return made.it;
  };
}
