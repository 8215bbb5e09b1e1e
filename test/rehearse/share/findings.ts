// What differed, by kind: how often, and the first few of each, so that a mistake met by every request is still one
// sentence. Pure.

const EXAMPLES = 3;

export class Findings {
  readonly #kinds = new Map<string, { count: number; examples: string[] }>();

  add(kind: string, example: string): void {
    const one = this.#kinds.get(kind) ?? { count: 0, examples: [] };
    this.#kinds.set(kind, one);
    one.count += 1;
    if (one.examples.length < EXAMPLES) one.examples.push(example);
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.count ?? 0;
  }

  sentences(): string[] {
    return [...this.#kinds].map(([kind, { count, examples }]) => {
      const more = count > examples.length ? ` (and ${count - examples.length} more)` : '';
      return `${kind}: ${examples.join(' | ')}${more}`;
    });
  }
}
