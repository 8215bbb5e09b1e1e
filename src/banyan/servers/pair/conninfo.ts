// How one server reaches the other to follow it: libpq's words, made of the administrator's URL of the other, with the role of
// the pair and what the URL says of TLS. Guarantee: the administrator's password is not in it.
import { type Moving, pairRole, type ServerAt } from './moving.ts';

/** @param password another one, for a look that must not log in. */
export function conninfo({ adminUrl }: ServerAt, moving: Moving, password = moving.pairPassword): string {
  const url = new URL(adminUrl);
  // An embedded server's URL has both: each server reaches the other by its port.
  const host = url.hostname || url.searchParams.get('host') || 'localhost';
  const said = {
    host: decodeURIComponent(host),
    port: url.port || '5432',
    dbname: decodeURIComponent(url.pathname.slice(1)),
    user: pairRole(moving),
    password,
    connect_timeout: '5',
    keepalives_idle: '10',
    keepalives_interval: '5',
    ...tlsOf(url),
  };
  return Object.entries(said)
    .map(([key, value]) => `${key}='${value.replaceAll(/['\\]/g, '\\$&')}'`)
    .join(' ');
}

/** `no-verify` is a word of node-postgres alone. Files that a URL names lie on this machine, not on the server's. */
function tlsOf(url: URL): Record<string, string> {
  const mode = url.searchParams.get('sslmode');
  if (!mode) return {};
  if (mode === 'no-verify') return { sslmode: 'require' };
  return mode.startsWith('verify-') ? { sslmode: mode, sslrootcert: 'system' } : { sslmode: mode };
}
