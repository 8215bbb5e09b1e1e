// How a database is reached, without who comes and without a password: what may be told to every host. Each puts it into its own
// URL, which has its role and its password: those are the same on every server.
// Guarantee: an address of a URL, put into another URL of it, leads to the same database.

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The folder of its Unix socket, for hosts on its machine. */
  readonly socket?: string;
  /** As in a connection URL; absent: none is asked for. */
  readonly sslmode?: string;
}

export function addressOf(connectionUrl: string): ServerAddress {
  const url = new URL(connectionUrl);
  const [socket, sslmode] = ['host', 'sslmode'].map((name) => url.searchParams.get(name));
  return {
    host: url.hostname,
    port: Number(url.port || '5432'),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(socket && { socket }),
    ...(sslmode && { sslmode }),
  };
}

/** The same role at that address. @param address undefined: the URL as it is. */
export function urlAt(connectionUrl: string, address: ServerAddress | undefined): string {
  if (!address) return connectionUrl;
  const url = new URL(connectionUrl);
  url.hostname = address.host;
  url.port = String(address.port);
  url.pathname = `/${encodeURIComponent(address.database)}`;
  for (const [name, value] of [
    ['host', address.socket],
    ['sslmode', address.sslmode],
  ] as const)
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  return url.href;
}
