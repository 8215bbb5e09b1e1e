// What the page knows of the system with its first answer, and who is signed in. No request is needed to know either.
import type { Scope } from '../../../context/scopes.ts';
import type { SignedIn, System } from '../../system-shape.ts';
import { type Signal, signal } from './html.ts';

export type { SignedIn, System } from '../../system-shape.ts';

const island = document.getElementById('system');
export const system = JSON.parse(island?.textContent ?? '{}') as System;

/** Who is signed in; null: nobody. */
export const operator: Signal<SignedIn | null> = signal(system.operator);

/** Why somebody who was signed in is no more; shown where they sign in. */
export const signedOutBecause: Signal<string | null> = signal(null);

export function signedOut(why: string | null): void {
  signedOutBecause.value = why;
  operator.value = null;
}

/** Whether who is signed in may do what needs one of these scopes. */
export function may(needs: Scope | readonly Scope[]): boolean {
  const held = operator.value?.scopes ?? [];
  return [needs].flat().some((one) => held.includes(one));
}

/** Why not, in a sentence. */
export function whyNot(needs: Scope | readonly Scope[]): string {
  const scopes = [needs].flat();
  const named = scopes.map((one) => `“${one}”`).join(' or ');
  return `Not allowed: this needs the scope ${named}. The token of ${operator.value?.as ?? 'nobody'} has: ${operator.value?.scopes.join(', ') || 'none'}.`;
}
