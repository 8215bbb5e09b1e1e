// The status of a success, by what the contract says of it. It knows no door.
import type { OperationSpec } from './contract.ts';

export function statusOfSuccess({ http }: OperationSpec, output: unknown): number {
  return http?.statusOf ? http.statusOf(output) : (http?.status ?? 200);
}
