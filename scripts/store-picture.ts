// `node scripts/store-picture.ts`: writes docs/store.svg, a recorded terminal: the store of orders moves to a server of its
// own and back, while customers order. The shop, the orders and the words are real, and so is every figure: also the
// pauses that came to nothing, on a machine that is busy, and the orders that failed. Nothing is written unless it moved both
// ways. It takes a minute.
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { fill } from '../test/rehearse/store/rehearsal.ts';
import { openStage } from '../test/rehearse/store/stage.ts';
import { Writers } from '../test/rehearse/store/writers.ts';
import { recorded } from './recorded.ts';
import { drawTerminal } from './terminal-picture.ts';

const MODULE = 'orders';
const ROWS = 20_000;
const PER_SECOND = 50;
/** Before the first command and between them: as long as somebody reads. */
const READS_MS = 2_000;

const shop = await openStage({ kind: 'own' });
try {
  await fill(shop, ROWS);
  const writers = new Writers(shop, { perSecond: PER_SECOND });
  writers.start();
  const lines: string[] = [];
  for (const words of [`store move ${MODULE}`, 'store', `store back ${MODULE}`]) {
    await pause(READS_MS);
    const one = await recorded(words, { url: shop.monoliths[0]!.host.url, adminToken: shop.adminToken });
    lines.push(...one.lines, '');
    if (one.exit !== 0) throw new Error(`it did not move:\n${one.lines.join('\n')}`);
  }
  await pause(READS_MS);
  await writers.stop();
  const { answered, failed } = writers;
  const counted = `${answered.length.toLocaleString('en-US')} orders answered, ${failed.length} failed`;
  lines.push(`\u001b[2m# the customers meanwhile: ${counted}\u001b[22m`);
  const plain = stripVTControlCharacters(lines.join('\n'));
  process.stdout.write(`${plain}\n`);
  const picture = drawTerminal(lines, {
    title: 'the store of orders moves to a server of its own and back while customers order',
    about: `Recorded terminal, with ${PER_SECOND} orders a second. ${plain}`,
    label: `one terminal; meanwhile customers place ${PER_SECOND} orders a second`,
  });
  writeFileSync(new URL('../docs/store.svg', import.meta.url), picture);
} finally {
  await shop.stop();
}
