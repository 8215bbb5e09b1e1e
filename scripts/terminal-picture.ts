// Lines of a terminal, with their colours, as an SVG: text that can be selected, in light and in dark. Pure.

const ESCAPE = '\u001b';
const COLOUR = new RegExp(`(${ESCAPE}\\[\\d+m)`);

const CELL = 8.4;
const LINE = 18;
const LEFT = 16;
const TOP = 45;

const colours: Readonly<Record<string, string>> = {
  31: 'r',
  32: 'g',
  33: 'y',
  34: 'b',
  36: 'c',
};

const STYLE = `text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:14px;white-space:pre}
.w{fill:#fbfaf7;stroke:#cfcbc0}.l{stroke:#cfcbc0}
.f{fill:#24292f}.d{fill:#6a6a62}.g{fill:#1a7f37}.c{fill:#0b6b8a}.r{fill:#b42318}.y{fill:#8a6100}.b{fill:#0550ae}.B{font-weight:700}
@media (prefers-color-scheme:dark){.w{fill:#16191d;stroke:#3a4048}.l{stroke:#3a4048}.f{fill:#e4e6e8}.d{fill:#9aa1a9}.g{fill:#57c26d}.c{fill:#5cc3e0}.r{fill:#ff8178}.y{fill:#e0b04a}.b{fill:#79b8ff}}`;

interface Words {
  readonly title: string;
  /** For who does not see it. */
  readonly about: string;
  readonly label: string;
}

export function drawTerminal(lines: readonly string[], { title, about, label }: Words): string {
  const width = 2 * LEFT + 80 * CELL;
  const height = TOP + lines.length * LINE;
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="t d" xml:space="preserve">`,
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(about)}</desc>`,
    `<style>\n${STYLE}\n</style>`,
    `<rect class="w" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<path class="l" d="M0.5 26.5H${width - 0.5}"/>`,
    `<text class="d" x="${LEFT}" y="18" font-size="12">${escaped(label)}</text>`,
    ...lines.flatMap((line, at) => drawLine(line, TOP + at * LINE)),
    '</svg>',
    '',
  ].join('\n');
}

/** Each stretch of one colour is a text of its own; wide gaps are none. */
function drawLine(line: string, y: number): string[] {
  const texts: string[] = [];
  let column = 0;
  let [colour, bold] = ['f', false];
  for (const part of line.split(COLOUR)) {
    if (part.startsWith(ESCAPE)) {
      const code = part.slice(2, -1);
      if (code === '1') bold = true;
      else if (code === '2') colour = 'd';
      else if (code === '22') [bold, colour] = [false, colour === 'd' ? 'f' : colour];
      else if (code === '39' || code === '0') colour = 'f';
      else colour = colours[code] ?? colour;
      continue;
    }
    for (const { 0: words, index } of part.matchAll(/\S+(?: \S+)*/g)) {
      const x = (LEFT + (column + index) * CELL).toFixed(1);
      const length = ([...words].length * CELL).toFixed(1);
      const look = `class="${colour}${bold ? ' B' : ''}" x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
      texts.push(`<text ${look}>${escaped(words)}</text>`);
    }
    column += [...part].length;
  }
  return texts;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
