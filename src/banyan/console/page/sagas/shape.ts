// Sagas as every module answers them, whatever it calls an id; and which module's are looked at, as the URL says.

import type { SagaAsk, SagaDesk } from '../../system-shape.ts';
import { query } from '../kit/router.ts';
import { system } from '../kit/system.ts';

export { ofDesk, SAGA_TONES as TONES } from '../kit/saga-link.ts';
export type { SagaDesk };

/** As `SagaListed` of saga/desk.ts. */
export interface SagaListed {
  readonly id: string;
  /** Whose turn it is; null: the saga's own module's. */
  readonly by?: string | null;
  /** Why it cannot be cancelled; null: it can. */
  readonly notCancelled?: string | null;
  readonly style: string;
  readonly state: string;
  readonly step: string;
  readonly attempts: number;
  readonly since: string;
  readonly deadline: string | null;
  readonly why: string | null;
  readonly next: string | null;
}

export interface Overview {
  readonly style: string;
  readonly changedAt: string;
  readonly changedBy: string;
  readonly running: number;
  readonly waiting: number;
  readonly compensating: number;
  readonly stuck: number;
  readonly steps: readonly (Numbers & { readonly style: string; readonly step: string })[];
  readonly items?: readonly SagaListed[];
  readonly nextCursor?: string | null;
}

export interface Numbers {
  readonly running: number;
  readonly waiting: number;
  readonly compensating: number;
  readonly stuck: number;
}

export interface Step {
  readonly step: string;
  readonly status: string;
  readonly where: string | null;
  readonly attempts: number;
  readonly at: string;
  readonly why: string | null;
}

/** Of one saga; its id has the desk's own name. */
export interface Shown {
  readonly style: string;
  /** What became of what it is about, where the module says so. */
  readonly status?: string;
  readonly state: string;
  readonly step: string;
  readonly why: string | null;
  readonly next: string | null;
  readonly by?: string | null;
  readonly notCancelled?: string | null;
  readonly items: readonly Step[];
  readonly trace?: string | null;
  readonly begunBy?: string | null;
}

export const STATES = ['stuck', 'running', 'waiting', 'compensating'] as const;

/** The one whose sagas are looked at: the URL names it where there are several. */
export function deskHere(): SagaDesk | undefined {
  return system.sagas.find(({ module }) => module === query.value.of) ?? system.sagas[0];
}

/** What whoever helps one that is stuck needs. */
export const helps = ({ retry, cancel }: SagaDesk) => (retry ?? cancel)?.needs ?? [];

export const pathOf = ({ path }: SagaAsk, id: string) => path.replace(/:\w+/, encodeURIComponent(id));

/** The command that does the same; undefined where there is none. */
export function commandOf(ask: SagaAsk | null, word: string): string | undefined {
  return ask?.command ? `npx ${ask.command.replace(/:\w+/, word)}` : undefined;
}

/** `orderId` in words. */
export const inWords = (name: string) => {
  const words = name.replaceAll(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};
