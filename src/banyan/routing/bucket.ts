// Which hundredth of a module's keys one is in. The same for everybody who uses murmur3 as flagd does: an exported flag
// gives the same side (flagd hashes the flag's key and the targeting key, here module and key, and counts in integers).
// The module is hashed along, so that the shares of two modules have nothing to do with one another.
import { LRUCache } from 'lru-cache';
import murmurhash from 'murmurhash';

/** Of a module: 10,000 users at some 100 bytes. A hash costs a microsecond, a look-up less than a tenth. */
const KEYS = 10_000;

const known = new Map<string, LRUCache<string, number>>();

/** 0 to 99. */
export function bucketOf(module: string, key: string): number {
  let ofModule = known.get(module);
  if (ofModule === undefined) {
    ofModule = new LRUCache({ max: KEYS });
    known.set(module, ofModule);
  }
  let bucket = ofModule.get(key);
  if (bucket === undefined) {
    // 32 bits without a sign: shifted right by 32, as elsewhere, nothing would move in JavaScript.
    bucket = Math.floor((murmurhash.v3(`${module}${key}`, 0) * 100) / 2 ** 32);
    ofModule.set(key, bucket);
  }
  return bucket;
}
