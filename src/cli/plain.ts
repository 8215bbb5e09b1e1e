// Texts from outside, made fit for a line of a terminal.

export function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Nothing that came from outside may move the cursor or break the line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}

export function indent(text: string, columns: number): string[] {
  return printable(text)
    .split('\n')
    .map((line) => `${' '.repeat(columns)}${line}`);
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ');
}
