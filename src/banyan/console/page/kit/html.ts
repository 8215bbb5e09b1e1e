// What pages are written with, from one place: templates (htm), components and hooks (preact), signals. Every value in a
// template becomes a text node or a property, never markup.
import { signal as makeSignal } from '@preact/signals';
import htm from 'htm';
import { Fragment, h, type VNode } from 'preact';

export {
  batch,
  computed,
  effect,
  type ReadonlySignal,
  type Signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from '@preact/signals';
export { type ComponentChildren, type ComponentType, Fragment, h, render, type VNode } from 'preact';
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

export const signal = makeSignal;

/** A template: html`<p class="quiet">${text}</p>`, html`<${Component} name=${value}>…<//>`. */
export const html = (htm as unknown as { bind(h: unknown): unknown }).bind(h) as (
  texts: TemplateStringsArray,
  ...values: unknown[]
) => VNode<never>;

/** Several without an element around them. */
export const several = (...children: unknown[]) => h(Fragment, null, ...(children as never[]));
