// A Kubernetes API, as `kubectl proxy` opens it: objects are applied to it server-side, by one manager. Guarantees: what it refuses, and
// what it warns of, is said in its own words; nothing that it does not know is dropped in silence. It knows nothing of the chart.
import { setTimeout } from 'node:timers/promises';
import type { Manifest } from './rendered.ts';

export interface Applied {
  /** As it stands there now, or would. */
  readonly object?: Manifest;
  /** Why it was refused, and what was warned of. */
  readonly said: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: Manifest;
  readonly warnings: readonly string[];
}

/** A definition is served within a second or two of being there. */
const SERVED_MS = 15_000;

export class Api {
  readonly #url: string;
  readonly #kinds = new Map<string, Promise<Manifest[]>>();

  /** @param url such as `http://127.0.0.1:8001`. */
  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /** Such as `v1.37.2`. Rejects where no API answers. */
  async version(): Promise<string> {
    const { status, body } = await this.#ask('GET', '/version');
    if (status !== 200) throw new Error(`${this.#url}/version answered ${status}: ${body.message}`);
    return body.gitVersion;
  }

  /** @param dryRun all is looked at, defaults are set, and nothing is kept. */
  async apply(object: Manifest, { dryRun = false } = {}): Promise<Applied> {
    const place = await this.#placeOf(object);
    if (place === undefined) return { said: [`${object.apiVersion} ${object.kind} is not served`] };
    const how = `fieldManager=chart-check&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
    const { status, body, warnings } = await this.#ask('PATCH', `${place}?${how}`, object);
    return status < 300 ? { object: body, said: warnings } : { said: [body.message, ...warnings] };
  }

  async read(object: Manifest): Promise<Manifest> {
    return (await this.#ask('GET', (await this.#placeOf(object))!)).body;
  }

  async remove(object: Manifest): Promise<void> {
    await this.#ask('DELETE', `${await this.#placeOf(object)}?propagationPolicy=Background`);
  }

  /** Waits until objects of a kind are taken. Rejects where that does not come. */
  async served(apiVersion: string, kind: string): Promise<void> {
    for (const end = Date.now() + SERVED_MS; Date.now() < end; await setTimeout(100)) {
      this.#kinds.delete(apiVersion);
      if ((await this.#kindsOf(apiVersion)).some((one) => one.kind === kind)) return;
    }
    throw new Error(`${apiVersion} ${kind} was defined ${SERVED_MS / 1000} s ago, and is not served.`);
  }

  async #placeOf({ apiVersion, kind, metadata }: Manifest): Promise<string | undefined> {
    const found = (await this.#kindsOf(apiVersion)).find((one) => one.kind === kind);
    if (found === undefined) return undefined;
    const within = found.namespaced ? `/namespaces/${metadata.namespace}` : '';
    return `${rootOf(apiVersion)}${within}/${found.name}/${metadata.name}`;
  }

  #kindsOf(apiVersion: string): Promise<Manifest[]> {
    const known = this.#kinds.get(apiVersion);
    if (known) return known;
    const asked = this.#ask('GET', rootOf(apiVersion)).then(({ body }) =>
      (body.resources ?? []).filter(({ name }: Manifest) => !name.includes('/')),
    );
    this.#kinds.set(apiVersion, asked);
    return asked;
  }

  async #ask(method: string, path: string, sent?: Manifest): Promise<Answer> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      // JSON is YAML.
      ...(sent && {
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body: JSON.stringify(sent),
      }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: Error) => {
      const why = (error.cause as Error | undefined)?.message ?? error.message;
      throw new Error(`No Kubernetes API answers at ${this.#url} (${why}). Run kubectl proxy beside it.`);
    });
    const text = await answer.text();
    return { status: answer.status, body: asJson(text), warnings: warningsOf(answer.headers.get('warning')) };
  }
}

const rootOf = (apiVersion: string) =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

function asJson(text: string): Manifest {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}

/** `299 - "…", 299 - "…"` */
function warningsOf(header: string | null): string[] {
  return [...(header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(
    ([, words]) => `it warns: ${words}`,
  );
}
