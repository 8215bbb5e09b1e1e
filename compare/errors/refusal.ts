// What a comparison cannot do, said so that a person knows the next step. The command line shows it as a problem.

export interface Wrong {
  /** `my.json:12 /kinds/order/share`. */
  readonly path: string;
  readonly message: string;
}

export class Refusal extends Error {
  readonly code: string;
  readonly title: string;
  readonly next: string | undefined;
  readonly errors: readonly Wrong[];

  constructor(code: string, title: string, detail: string, next?: string, errors: readonly Wrong[] = []) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
    this.title = title;
    this.next = next;
    this.errors = errors;
  }
}
