// In place of a module's own module.ts (service.ts sees to that): the same, with a defect.
import type { Module } from '#banyan';
import { defective } from './defective.ts';

const real = new URL(import.meta.url).searchParams.get('of')!;
const { default: make } = (await import(real)) as { default: (settings: unknown) => Module };

export default (settings: unknown): Module => defective(make(settings), process.env.DATA_DIR!);
