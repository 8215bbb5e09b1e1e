// Every dead letter of a module tried again, as POST /admin/events/redrive does it: for tests without a host.
import type { ModuleEvents } from '../module-events.ts';
import { inPortions, redrive, selected } from '../operations/redrive.ts';

export async function redriveAll(of: ModuleEvents, by: string): Promise<number> {
  return inPortions(await selected(of, {}), (some) => redrive(of, some, { by }));
}
