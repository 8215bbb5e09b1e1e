// The second piece: requests by all ways at all hosts, while the shares of both modules are changed again and again.
// None may fail. Between two changes every key is on its side and nowhere else; while a change is made, the side before
// and the one after are right. The hosts counted every request on the side that answered; and of the refs of orders no
// fewer and no more on each than can be.
import { setTimeout as pause } from 'node:timers/promises';
import { askBy, listing, looking, ordering, reading } from './asks.ts';
import { Book, type Changes, type ChangesOutcome } from './book.ts';
import { countedAs } from './counters.ts';
import { MODULES } from './expected.ts';
import type { Key } from './keys.ts';
import { shareNow } from './sets.ts';

const CLIENTS = 16;
const PERCENTS = [0, 1, 10, 25, 50, 75, 90, 99, 100];
const SAY_EVERY_MS = 10_000;

export async function playChanges(options: Changes): Promise<ChangesOutcome> {
  const { shop, say, signal, found, requests, changes } = options;
  for (const module of MODULES) await shareNow(options, module, 0);
  const book = new Book(options);
  const before = await shop.counted();
  const began = performance.now();
  const over = new AbortController();
  const telling = tell(over.signal, () => say(`changes: ${book.progress()}`));
  try {
    const changing = change(options, book).catch((error: Error) => {
      found.add('a change was refused', error.message);
      book.giveUp();
    });
    const clients = Array.from({ length: CLIENTS }, () => client(options, book));
    await Promise.all([changing, ...clients]);
    signal.throwIfAborted();
  } finally {
    over.abort();
    await telling;
  }
  const seconds = (performance.now() - began) / 1000;
  for (const wanted of book.counts())
    await countedAs(shop, before, wanted, found, 'while shares were changed');
  return { ...book.outcome(), seconds, failed: found.count('failed'), requests: book.done, changes };

  function tell(signal: AbortSignal, what: () => void): Promise<void> {
    const next = () => pause(SAY_EVERY_MS, undefined, { signal }).then(what);
    const again = (): Promise<void> => next().then(again, () => {});
    say(`changes: ${requests} requests, ${changes} changes`);
    return again();
  }
}

async function client({ shop, keys, random }: Changes, book: Book): Promise<void> {
  while (!book.over) {
    const dice = random.below(100);
    const [way, whose] =
      dice < 45
        ? ([reading, random.below(4) === 0 ? keys.others : keys.users] as const)
        : dice < 70
          ? ([listing, random.below(4) === 0 ? keys.others : keys.users] as const)
          : dice < 95
            ? ([looking, keys.users] as const)
            : ([ordering, keys.customers] as const);
    const key: Key = random.pick(whose);
    book.note(await askBy(shop, way, key, random.pick(shop.entrances)));
  }
}

async function change({ shop, changes, random }: Changes, book: Book): Promise<void> {
  while (book.made < changes) {
    while (!book.changeDue && !book.over) await pause(2);
    if (book.over) return;
    const module = random.pick(MODULES);
    const timeline = book.timelines[module];
    const percent = random.pick(PERCENTS.filter((one) => one !== timeline.percent));
    const began = performance.now();
    const asked = timeline.change(percent, began);
    const { deferred, lagging } = await shop.share(module, percent);
    const ended = performance.now();
    if (!lagging) asked.acknowledged(ended);
    book.changeMs.push(ended - began);
    book.deferred += deferred;
    book.lagging += lagging ? 1 : 0;
    book.made += 1;
  }
}
