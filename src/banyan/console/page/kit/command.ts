// The banyan command that does the same as a button, to be copied.
import { html, useState } from './html.ts';

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(setCopied, 2_000, false);
    } catch {
      // Plain HTTP to another machine: the text can be selected.
    }
  };
  return html`<p class="command"><code>${text}</code><button type="button" class="small" onClick=${copy} aria-label="Copy the command">${copied ? 'Copied' : 'Copy'}</button></p>`;
}

/** A word of a command as a shell takes it. */
export const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
