// Asks the host for a transfer of a module: it answers at once, and the picture says how it goes.
import { send } from './api.ts';

export const transfer = (name: string, wish: Readonly<Record<string, unknown>>): Promise<unknown> =>
  send('PUT', `/admin/transfers/${encodeURIComponent(name)}`, wish);
