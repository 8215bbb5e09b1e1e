import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { shopApp } from '../src/shop.ts';
import { fitsCompose } from './compose-schema.ts';

const text = readFileSync(new URL('../docker-compose.yml', import.meta.url), 'utf8');
const compose = parse(text, { merge: true });

test('docker-compose.yml fits the schema of the compose specification', () => {
  expect(fitsCompose(compose)).toEqual([]);
});

test('every module is a service with its own image, profile, health check and place to register', () => {
  for (const module of moduleNames(shopApp)) {
    const service = compose.services[module];
    expect(service, module).toBeDefined();
    expect(service.profiles).toContain(module);
    expect(service.build).toEqual({
      context: '.',
      dockerfile: 'extracted/Dockerfile',
      args: { MODULE: module },
    });
    expect(service.healthcheck).toBeDefined();
    expect(service.environment.CONTROL_URL).toBe('http://monolith:4000');
    expect(service.environment).toHaveProperty(`DATABASE_URL_${module.toUpperCase()}`);
    // A key of its own, and none that is anybody else's.
    expect(service.environment.SERVICE_KEY).toBe(`\${${module.toUpperCase()}_SERVICE_KEY:-}`);
    for (const name of ['ROOT_KEY', 'ADMIN_TOKEN', 'SIGNING_KEY'])
      expect(service.environment).not.toHaveProperty(name);
    expect(service.environment.INTERNAL_KEY).toBe(`\${INTERNAL_KEY_LEGACY:+\${INTERNAL_KEY}}`);
    // It may write its own folder and nothing else.
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service.volumes ?? []).toEqual(module === 'media' ? ['media:/var/lib/banyan/media'] : []);
    const { hostname } = new URL(service.environment.ADVERTISE_URL);
    expect(compose.services.monolith.environment.SERVICE_NETWORKS.split(',')).toContain(hostname);
  }
});

test('the one Dockerfile of services copies and starts what exists of every module', () => {
  const dockerfile = readFileSync(new URL('../extracted/Dockerfile', import.meta.url), 'utf8');
  expect(dockerfile).toMatch(/^ARG MODULE$/m);
  for (const module of moduleNames(shopApp)) {
    const of = (pattern: RegExp) => dockerfile.match(pattern)?.[1]?.replace(/\$\{?MODULE\}?/, module);
    const [copied, started] = [of(/^COPY (extracted\S+) /m), of(/^CMD .* (extracted\S+)"\]$/m)];
    expect(started).toBe(`${copied}/main.ts`);
    expect(existsSync(new URL(`../${started}`, import.meta.url)), started).toBe(true);
  }
});

test('no secret has a default', () => {
  for (const name of ['ADMIN_TOKEN', 'ROOT_KEY', 'POSTGRES_PASSWORD', 'SCRAPE_TOKEN']) {
    expect(text).not.toMatch(new RegExp(`\\$\\{${name}:?-`));
  }
});
