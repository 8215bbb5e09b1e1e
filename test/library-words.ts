// The words of the shop that the library must not know: in the name of a file, in a text of the code however many lines it
// has, in SQL and styles, and in a comment where it names a module or gives an example. Plain English stays free: "it
// orders them", "all users". It reads the syntax of TypeScript, so that no way of writing a text escapes.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { type Breach, slashed } from './sources.ts';
import { type Node, nodesOf } from './syntax.ts';

/** The shop's modules, and where this repository keeps them. `media` is a word of HTTP and of styles, too. */
const shop =
  /\b(users|orders|catalog|payments|notifications)\b|(?<![-@])\bmedia\b(?![ -]type)|src\/modules|extracted\//i;
/** Where English is written only what names a module counts. */
const named =
  /\b(users|orders|catalog|media|payments|notifications)(-\d|\.[a-z]\w|\/[a-z]\w)|[`'](users|orders|catalog|media|payments|notifications)[`']|src\/modules|extracted\//;
/** From `@example` to the next of its kind, or the end. */
const examples = /@example[^@]*/g;

interface Piece {
  readonly text: string;
  readonly start: number;
}

export function wordsOfTheShop(root: string, path: string): Breach[] {
  const file = slashed(relative(root, path));
  const own = file.replace(/^src\/banyan\//, '');
  const text = readFileSync(path, 'utf8');
  const { texts, comments } = piecesOf(path, text);
  const shown = comments.flatMap((comment) => within(comment, examples));
  return [
    ...(shop.test(own) ? [{ word: own, line: 1 }] : []),
    ...[...texts, ...shown].flatMap((piece) => found(shop, piece, text)),
    ...comments.flatMap((piece) => found(named, piece, text)),
  ].map(({ word, line }) => ({
    file,
    line,
    message: `says "${word}". The library knows no word of the shop: let it be told, and use another name in an example.`,
  }));
}

/** One of a line is enough. */
function found(pattern: RegExp, { text, start }: Piece, whole: string) {
  const line = whole.slice(0, start).split('\n').length;
  return text.split('\n').flatMap((one, index) => {
    const word = pattern.exec(one)?.[0];
    return word === undefined ? [] : [{ word, line: line + index }];
  });
}

function within({ text, start }: Piece, pattern: RegExp): Piece[] {
  return [...text.matchAll(pattern)].map((match) => ({ text: match[0], start: start + match.index }));
}

function piecesOf(path: string, text: string): { texts: Piece[]; comments: Piece[] } {
  if (path.endsWith('.ts')) return ofTypeScript(text);
  const all = { text, start: 0 };
  if (!path.endsWith('.sql')) return { texts: [], comments: [all] };
  const comments = within(all, /--.*/g);
  return { texts: [{ text: blanked(text, comments), start: 0 }], comments };
}

/** A comment is what looks like one outside of every literal; whom a file imports is another rule's. */
function ofTypeScript(text: string): { texts: Piece[]; comments: Piece[] } {
  const pieceOf = ({ start, end }: Node): Piece => ({ text: text.slice(start, end), start });
  const nodes = nodesOf(text);
  const sources = new Set(nodes.map(({ source }) => source));
  const literals = nodes.filter(({ type }) => type === 'Literal' || type === 'TemplateElement');
  const texts = literals.filter(
    (one) => (one.type === 'TemplateElement' || typeof one.value === 'string') && !sources.has(one),
  );
  const code = { text: blanked(text, literals.map(pieceOf)), start: 0 };
  return { texts: texts.map(pieceOf), comments: within(code, /\/\*[\s\S]*?\*\/|\/\/.*/g) };
}

function blanked(text: string, pieces: readonly Piece[]): string {
  const characters = text.split('');
  for (const { text: piece, start } of pieces)
    for (let at = start; at < start + piece.length; at++) if (characters[at] !== '\n') characters[at] = ' ';
  return characters.join('');
}
