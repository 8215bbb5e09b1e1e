// What a text that is sent in a trial is to its transaction, read from its first words as the server reads them: spaces,
// semicolons and comments (they nest) may stand before.
// Guarantee: whatever begins with a word of transactions is one of the plain forms below, or `refused`. (That a text is
// one command only is the server's to see: trial-connection.ts.)
// It must not know what becomes of it.

export type Said =
  | { readonly is: 'begin'; readonly settings: string }
  | { readonly is: 'commit' | 'rollback' | 'isolation' | 'savepoint' | 'settings' | 'statement' | 'refused' };

const TRANSACTION_WORD = /^(?:begin|start|commit|end|abort|rollback|prepare)\b/i;
const BEGINS = /^(?:begin(?:\s+(?:work|transaction))?|start\s+transaction)\b([^;]*);*/i;
/** What the library itself sends with a BEGIN. */
const SETTINGS = /^(?:\s*set\s+local\s+[\w.]+\s*(?:=|\bto\b)\s*(?:'[^'\\]*'|[\w.]+)\s*(?:;|$))*\s*$/i;
const COMMITS = /^(?:commit|end)(?:\s+(?:work|transaction))?[\s;]*$/i;
const ROLLS_BACK = /^(?:rollback|abort)(?:\s+(?:work|transaction))?[\s;]*$/i;
const BACK_TO_SAVEPOINT = /^rollback\s+(?:(?:work|transaction)\s+)?to\b/i;
const SAVEPOINT = /^(?:savepoint|release)\b/i;
/** Of a transaction that has begun long ago. */
const CHOOSES_ISOLATION = /^set\s+transaction\b/i;
/** Or may do so. */
const CHANGES_SETTINGS = /^(?:set|reset|do|call)\b|set_config/i;

export function saidBy(text: string): Said {
  const words = withoutLead(text);
  if (TRANSACTION_WORD.test(words)) return transactionWord(words);
  if (SAVEPOINT.test(words)) return { is: 'savepoint' };
  if (CHOOSES_ISOLATION.test(words)) return { is: 'isolation' };
  return { is: CHANGES_SETTINGS.test(words) ? 'settings' : 'statement' };
}

function transactionWord(words: string): Said {
  const begins = BEGINS.exec(words);
  const settings = begins && words.slice(begins[0].length).trim();
  if (settings !== null && SETTINGS.test(settings)) return { is: 'begin', settings };
  if (COMMITS.test(words)) return { is: 'commit' };
  if (ROLLS_BACK.test(words)) return { is: 'rollback' };
  return { is: BACK_TO_SAVEPOINT.test(words) ? 'savepoint' : 'refused' };
}

function withoutLead(text: string): string {
  let rest = text;
  for (;;) {
    const before = rest;
    rest = rest.replace(/^(?:[\s;]|--[^\n\r]*)+/, '');
    if (rest.startsWith('/*')) rest = rest.slice(endOfComment(rest));
    if (rest === before) return rest;
  }
}

function endOfComment(text: string): number {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return index + 2;
  }
  return text.length;
}
