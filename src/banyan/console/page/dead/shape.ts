// Letters and trials as the host answers them, as far as the page shows them. By hand, so that nothing of a server is among what
// the browser's code is checked with; a test says where it differs from the contract (test/console-commands.test.ts).

export interface Letter {
  readonly module: string;
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly holds: boolean;
  readonly behind: number;
  readonly since: string;
  readonly nextAt: string | null;
}

export interface Attempt {
  readonly attempt: number;
  readonly host: string;
  readonly error: string;
  readonly stack: string | null;
  readonly at: string;
  readonly traceparent: string | null;
}

export interface Act {
  readonly at: string;
  readonly action: string;
  readonly by: string;
  readonly why: string | null;
  readonly detail: unknown;
  readonly original: string | null;
  readonly replacement: string | null;
}

export interface LetterDetails extends Letter {
  readonly topic: string;
  readonly sequence: number | null;
  readonly meaning: string;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly data: unknown;
  readonly text: string | null;
  readonly raw: string | null;
  readonly bytes: number;
  readonly alsoIn: readonly string[];
  readonly notSentAgain: readonly string[];
  readonly byHand: { readonly by: string; readonly at: string } | null;
  readonly history: readonly Attempt[];
  readonly audit: readonly Act[];
}

export interface Tried {
  readonly module: string;
  readonly id: string;
  readonly works: boolean;
  readonly ran: boolean;
  readonly error?: string;
  readonly stack?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly disturbed?: string;
  readonly publishes: readonly {
    readonly type: string;
    readonly key: string;
    readonly data: unknown;
  }[];
  readonly headers: readonly { readonly name: string; readonly after: string | null }[];
  readonly tookMs: number;
}
