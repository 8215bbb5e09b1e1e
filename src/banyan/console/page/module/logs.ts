// What a module's processes wrote, as it comes, with a filter: the last lines of each, on the machine of the monolith that
// answers. A line is text, whatever is in it.
import type { Logs as Answer } from '../../../supervisor/logs-contract.ts';
import { Command } from '../kit/command.ts';
import { html } from '../kit/html.ts';
import { useResource } from '../kit/resource.ts';
import { query, setQuery } from '../kit/router.ts';
import { system } from '../kit/system.ts';

export function Logs({ name }: { name: string }) {
  if (!system.gateway) return html`<${Written} name=${name} />`;
  return html`<h2>Logs</h2>
    <p class="quiet">What its processes wrote lies on the machine of the monolith that started them, and is shown by that one’s console.</p>
    <${Command} text=${commandOf(name)} />`;
}

const commandOf = (name: string) => `npx banyan logs ${name} -f`;

function Written({ name }: { name: string }) {
  const { logs, filter = '', follow } = query.value;
  const shown = logs !== undefined;
  const path = shown ? `/admin/logs/${encodeURIComponent(name)}?lines=500` : null;
  const { data, problem } = useResource<Answer>(path, follow === 'no' ? {} : { everyMs: 2_000 });
  const wanted = filter.toLowerCase();
  const lines = data?.items.flatMap(({ process, lines: all }) =>
    all.filter((line) => line.toLowerCase().includes(wanted)).map((line) => `${process}  ${shortOf(line)}`),
  );
  return html`<h2>Logs</h2>
    <p class="row"><button type="button" class="small" aria-expanded=${shown} onClick=${() => setQuery({ logs: shown ? undefined : 1 })}>${shown ? 'Hide' : 'Show'} what its processes wrote</button></p>
    ${
      shown
        ? html`<div class="bar">
      <label>Filter<input type="search" value=${filter} onInput=${(event: Event) => setQuery({ filter: (event.target as HTMLInputElement).value })} /></label>
      <label class="check"><input type="checkbox" checked=${follow !== 'no'} onChange=${() => setQuery({ follow: follow === 'no' ? undefined : 'no' })} /> Follow</label>
    </div><${Command} text=${commandOf(name)} />`
        : null
    }
    ${shown && problem ? html`<p class="quiet">${problem.detail || problem.title}</p>` : null}
    ${lines ? html`<pre class="log" tabindex="0" aria-label="What its processes wrote">${lines.length === 0 ? 'No line has that.' : lines.slice(-400).join('\n')}</pre>` : null}`;
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** A line of JSON as time, level, words and the rest; any other as it is. */
function shortOf(line: string): string {
  try {
    const { time, level, msg, pid: _, hostname: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const at =
      typeof time === 'number' || typeof time === 'string' ? new Date(time).toISOString().slice(11, 23) : '';
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    return `${at} ${(LEVELS[level as number] ?? String(level ?? '')).padEnd(5)} ${String(msg ?? '')}${more}`;
  } catch {
    return line;
  }
}
