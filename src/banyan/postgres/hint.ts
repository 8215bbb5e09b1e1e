// What a NOTIFY costs whoever hears it. Every role of a database may send one on every channel, as often as it likes, so
// it is a hint and no more: the first is followed at once, and however many come after it, one look follows in each span
// of time. It must not know what is looked at.

/** Answers what to call for each hint: `look` is called at most once in `everyMs`, the last time after the last hint. */
export function onHint(everyMs: number, look: () => void): () => void {
  let looked = Number.NEGATIVE_INFINITY;
  let later: NodeJS.Timeout | undefined;
  const now = () => {
    later = undefined;
    looked = performance.now();
    look();
  };
  return () => {
    if (later) return;
    const rest = looked + everyMs - performance.now();
    if (rest <= 0) now();
    else later = setTimeout(now, rest).unref();
  };
}
