// A process of the work on Nest: `node dist/nest/host.js <which> <settings>`; `all` is one application, `gateway`,
// `orders`, `users` and `catalog` are apart. HTTP by its Fastify adapter, which its guide names the faster one. Logs
// are off.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { gateway, microservice } from './apart.js';
import { monolith } from './monolith.js';

interface Settings {
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly databaseUrl?: string;
}

const [which, text] = process.argv.slice(2) as [string, string];
const { port, ports, databaseUrl } = JSON.parse(text) as Settings;

if (which === 'all' || which === 'gateway') {
  const module = which === 'all' ? monolith(databaseUrl) : gateway(ports);
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
  await app.listen(port, '127.0.0.1');
} else {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    microservice(which, ports, databaseUrl),
    { logger: false, transport: Transport.TCP, options: { host: '127.0.0.1', port: ports[which]! } },
  );
  await app.listen();
}
