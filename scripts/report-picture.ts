// A picture of a report for the README: `node scripts/report-picture.ts report.html docs/compare-report`. Writes
// <name>-light.png and <name>-dark.png, 1,100 wide, from the top down to the heading named by --until (shapes).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import sharp from 'sharp';
import { findChromium } from '../test/chromium.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { until: { type: 'string', default: 'shapes' }, width: { type: 'string', default: '1100' } },
});
const [page, name] = positionals;
if (!page || !name) {
  process.stderr.write('Usage: node scripts/report-picture.ts <report.html> <name> [--until latency]\n');
  process.exit(1);
}
readFileSync(page);
const chromium = await findChromium();
if (chromium.path === undefined) {
  process.stderr.write(`${chromium.why}. Set PUPPETEER_EXECUTABLE_PATH, or: apt-get install chromium\n`);
  process.exit(1);
}
const browser = await puppeteer.launch({
  executablePath: chromium.path,
  args: ['--no-sandbox'],
  timeout: 110_000,
});
try {
  const tab = await browser.newPage();
  const width = Number(values.width);
  await tab.setViewport({ width, height: 900, deviceScaleFactor: 1.5 });
  for (const scheme of ['light', 'dark']) {
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await tab.goto(pathToFileURL(resolve(page)).href);
    const height = (await tab.evaluate(
      `document.getElementById(${JSON.stringify(values.until)}).getBoundingClientRect().top + scrollY - 20`,
    )) as number;
    const picture = await tab.screenshot({
      clip: { x: 0, y: 0, width, height },
      captureBeyondViewport: true,
    });
    // Text and plain areas: 64 colours look the same at a quarter of the size.
    await sharp(picture).png({ palette: true, colours: 64, effort: 10 }).toFile(`${name}-${scheme}.png`);
    process.stdout.write(`${name}-${scheme}.png\n`);
  }
} finally {
  await browser.close();
}
