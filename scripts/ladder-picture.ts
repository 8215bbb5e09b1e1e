// `node scripts/ladder-picture.ts`: writes docs/ladder.svg, a recorded terminal: a ladder of catalog that finds a defect at
// 10 % and comes down, and what its status says then. The shop, the requests and the words are real; the service is one
// that keeps some memory of each request until it is killed (test/defects). It takes a minute or two on a machine that has time.
import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { type DefectiveShop, openDefectiveShop } from '../test/defects/shop.ts';
import { setDefects } from '../test/defects/switch.ts';
import { recorded } from './recorded.ts';
import { drawTerminal } from './terminal-picture.ts';

const MODULE = 'catalog';
const LADDER = `ladder ${MODULE} --steps 1,10,50,100 --min-seconds 5 --min-requests 30`;
const PER_SECOND = 200;

const shop = await openDefectiveShop(new AbortController().signal);
try {
  await shop.admin('PUT', `/admin/services/${MODULE}`, { instances: 1 });
  setDefects(shop.dataDir, { [MODULE]: 'memory' });
  const stop = traffic(shop);
  const { lines: climbed } = await recorded(LADDER, shop);
  const { lines: status } = await recorded(`ladder status ${MODULE}`, shop);
  stop();
  const plain = stripVTControlCharacters(climbed.join('\n'));
  process.stdout.write(`${plain}\n${stripVTControlCharacters(status.join('\n'))}\n`);
  if (!/back in-process, from 10 %\n +restarts: /.test(plain))
    throw new Error('this time it was found elsewhere; once more: node scripts/ladder-picture.ts');
  const lines = [...climbed, '', ...status];
  const title = 'catalog goes up a ladder, and comes down from 10 % by itself';
  const picture = drawTerminal(lines, {
    title,
    about: `Recorded terminal, with ${PER_SECOND} requests a second; the service keeps memory of each until it is killed. ${plain}`,
    label: `one terminal; meanwhile ${PER_SECOND} requests a second`,
  });
  writeFileSync(new URL('../docs/ladder.svg', import.meta.url), picture);
} finally {
  await shop.stop();
}

/** By traces of their own, so that they spread over the shares. */
function traffic({ ask, product }: DefectiveShop): () => void {
  let open = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < PER_SECOND / 50 && open < 32; n += 1) {
      open += 1;
      void ask({ path: `/api/catalog/products/${product}` })
        .catch(() => {})
        .finally(() => {
          open -= 1;
        });
    }
  }, 20);
  return () => clearInterval(timer);
}
