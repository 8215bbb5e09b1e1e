// What is sent in one exchange, and the operations that it is aimed at: every one that any module has a path for.
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { loadContract } from '../../src/banyan/host/load.ts';
import { shopApp } from '../../src/shop.ts';

export interface Variant {
  /** What it is, in words that fit a line. */
  readonly name: string;
  /** One packet each. */
  readonly parts: readonly string[];
  readonly head?: boolean;
}

export interface Aim {
  readonly module: string;
  readonly method: string;
  /** With an id that nothing has for each parameter. */
  readonly path: string;
}

const NOTHING = '019b76da-a800-7000-8000-01a6aa00ffff';

export async function aims(): Promise<Aim[]> {
  const contracts = await Promise.all(moduleNames(shopApp).map((name) => loadContract(shopApp, name)));
  return contracts.flatMap(({ module, operations }) =>
    Object.values(operations).flatMap(({ http }) =>
      http ? [{ module, method: http.method, path: http.path.replace(/:\w+/g, NOTHING) }] : [],
    ),
  );
}

/** The bytes of a request. */
export function request(
  method: string,
  target: string,
  headers: readonly string[] = [],
  body = '',
  version = 'HTTP/1.1',
): string {
  const host = version === 'HTTP/1.1' ? ['Host: edge'] : [];
  return `${[`${method} ${target} ${version}`, ...host, ...headers].join('\r\n')}\r\n\r\n${body}`;
}
