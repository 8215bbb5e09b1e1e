// Loaded into a host by a test (NODE_OPTIONS=--import): says of each file that only sending telemetry needs that it is loaded.
// (The interfaces, @opentelemetry/api, are loaded by Prisma's client as well.)
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    if (/\/@opentelemetry\/(?!api\/)|\/telemetry\/(otlp(-(traces|metrics|logs))?|delivery)\.ts$/.test(url))
      process.stdout.write(`LOADED ${url}\n`);
    return next(url, context);
  },
});
