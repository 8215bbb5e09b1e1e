// What makes two requests the same request: a hash of the body in canonical form, kept with its
// Idempotency-Key. Equal whatever the order of fields, the white space or the case of an id.
import { createHash } from 'node:crypto';
import type { PlaceOrder } from './service.ts';

export function fingerprintOf({ lines, paymentToken }: PlaceOrder): string {
  const canonical = [paymentToken, ...lines.map((line) => [line.productId.toLowerCase(), line.quantity])];
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
}
