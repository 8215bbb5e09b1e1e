// kafkajs asks each broker for the coordinator of a group and swallows what they answer: a group that we may not use looks
// like one that nobody coordinates. Where it found none, one broker is asked again and its own answer is the error.
import { type Cluster, inside } from './internals.ts';

let installed = false;

/** Before the first client is made. */
export function tellOfRefusedGroups(): void {
  if (installed) return;
  installed = true;
  const { prototype } = inside('cluster');
  const find = prototype.findGroupCoordinatorMetadata;
  prototype.findGroupCoordinatorMetadata = async function (this: Cluster, group) {
    try {
      return await find.call(this, group);
    } catch (error) {
      if ((error as Error).name !== 'KafkaJSGroupCoordinatorNotFound') throw error;
      const broker = await this.findControllerBroker().catch(() => {
        throw error;
      });
      return broker.findGroupCoordinator(group);
    }
  };
}
