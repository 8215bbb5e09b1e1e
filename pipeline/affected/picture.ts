// What `banyan affected` shows to a person, in 80 columns. Pure.
import { shorten } from '../../src/cli/plain.ts';
import type { Style } from '../../src/cli/terminal.ts';
import { plural } from '../../src/cli/times.ts';
import type { Affected } from './affected.ts';

const WIDTH = 80;
/** Files behind one module; --json has all. */
const SHOWN = 4;

export function drawAffected(
  { all, reason, changed, modules, tests }: Affected,
  { since, base }: { readonly since: string; readonly base: string },
  style: Style,
): string {
  const head = `${plural(changed.length, 'file')} changed since ${shorten(since, 40)} (${base.slice(0, 12)})`;
  const longest = Math.max(0, ...modules.map(({ module }) => module.length));
  const rows = all
    ? [`  ${style('bold', 'all')}  ${modules.map(({ module }) => module).join(' ')}`]
    : modules.flatMap(({ module, because }) => {
        const shown = because.length > SHOWN ? because.slice(0, SHOWN - 1) : because;
        const more = because.length - shown.length;
        return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map(
          (path, at) =>
            `  ${at === 0 ? style('bold', module.padEnd(longest)) : ' '.repeat(longest)}  ${shorten(path, WIDTH - longest - 4)}`,
        );
      });
  const none = modules.length === 0 && tests.length === 0;
  return [
    head,
    reason,
    '',
    ...(rows.length > 0 ? [...rows, ''] : []),
    none
      ? 'Nothing to test, nothing to build.'
      : `${plural(tests.length, 'test file')} to run; --json names them.`,
    '',
  ].join('\n');
}
