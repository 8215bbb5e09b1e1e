// The face of the library: all that a module and a product take from it, by `#banyan`. Files of the library do not
// import it. The examples are of a product that carries parcels; the smallest whole one is test/another-product.

/** Another module, near or far. @example const { items } = await kit.ref(depots).nearest({ zip }) */
export type { Client } from './calls/ref.ts';
/** What a product hands in. @example export const carrier: App = { title: 'Carrier', modules: new URL('./modules/', import.meta.url), … } */
export type { App } from './config/app.ts';
export type { Call, Download, SessionCall, UploadCall } from './context/call.ts';
/** What the present work was caused by, to keep in a row for a job that goes on with it. @example insert({ id, cause: presentCause() }) */
export { presentCause } from './context/cause.ts';
/** Who did something, for a history: the name that was proven, with a remark beside it. @example doneBy(call.principal, 'on behalf of the depot') */
export { doneBy } from './context/principal.ts';
/** The present work is only tried and rolled back in the end: what is not the database's is left undone. @example if (!isTrial()) await files.write(name, label) */
export { isTrial } from './context/trial.ts';
export type { Contract, DataOf, InputOf, OutputOf } from './contract/contract.ts';
/** What a module promises. @example export const parcels = defineContract('parcels', { summary: 'What is carried', operations: { send }, events: {} }) */
export { closed, defineContract, empty, event, nothing, operation, page } from './contract/contract.ts';
/** The fields of a contract. @example input: closed({ id: id(), weightGrams: Type.Integer({ minimum: 1 }), note: nullable(line({ maxLength: 80 })) }) */
export { cents, currency, id, line, nullable, paging, prose, time, visible } from './contract/fields.ts';
/** What an amount looks like to a person. @example money(1999, 'EUR') // 19.99 EUR */
export { money } from './contract/money.ts';
/** A list by pages. @example list: (query) => pageOf(parcels, query, (after, limit) => repository.newest(after, limit)) */
export { type Cursors, type PageQuery, pageOf } from './contract/paging.ts';
/** Marks what samples of differences may show as it is: no customer's data. @example weightGrams: plain(Type.Integer()) */
export { plain } from './contract/plain.ts';
/** A refusal (RFC 9457). @example throw problem(parcels, 'too-heavy', { detail: 'It weighs 40 kg; 30 is the most.' }) */
export { type FieldError, libraryProblem, problem } from './contract/problem.ts';
export { Type } from './contract/type.ts';
export type { Delivery } from './events/envelope.ts';
export type { Listener } from './events/listener.ts';
/** Sessions, for the module that signs and ends them. @example const { session, token } = await kit.sessions.sign({ id, role: 'courier', epoch: 0 }) @example kit.sessions.end(tx, [session]) */
export type { SessionAuthority } from './host/module.ts';
/** A module: one function puts it together. @example defineModule({ contract: parcels, prisma: PrismaClient, setup: ({ store }) => ({ operations: { … } }) }) */
export { defineModule, type Kit, type Module, type Parts } from './host/module.ts';
/** A product as a process. @example await run(carrier) */
export { run } from './host/run.ts';
/** Work in rows of a module's own table, each leased while it is in work. @example kit.leasedJob({ name: 'deliver', table, … }) */
export type { Job } from './jobs/job.ts';
export type { Failure, LeasedJob, Outcome } from './jobs/leased.ts';
export type { JobTable } from './jobs/queue.ts';
/** Counts against abuse. @example await limits.take({ name: 'send', most: 30, seconds: 60 }, call.address) */
export type { AddressRule, Limits } from './limits/limits.ts';
/** Room for what is dear. @example const queue = new BoundedQueue({ … }) */
export { BoundedQueue, type Waiting } from './limits/queue.ts';
/** A schema of a module's outside, with a role of its own. @example schemas: [{ schema: 'scales', role: 'banyan_scales', ddl }] */
export type { RoleSchema } from './postgres/role-schema.ts';
/** Steps over modules, with the way back. @example const engine = kit.saga(defineSaga({ steps: [{ name: 'pick-up', by: 'depots', … }] })) */
export type { Beginning } from './saga/begin.ts';
export { defineSaga, type Reply, type Saga, type Watched } from './saga/definition.ts';
/** What a contract says of its sagas to whoever shows them and knows no module. @example input: closed(sagaFilter), saga: { role: 'list' } */
export {
  isUnfiltered,
  type SagaFilter,
  SagaListed,
  sagaBeginning,
  sagaFilter,
  sagaList,
  sagaTurn,
} from './saga/desk.ts';
export type { Engine, Note, Open } from './saga/engine.ts';
export { noteDone } from './saga/notes.ts';
/** What a module does about an event. @example on(depots.events['depot-closed'], async ({ depotId }, { tx }) => reroute(tx, depotId)) */
export { on } from './saga/on.ts';
export { styleWhen } from './saga/style.ts';
/** A module's rows. @example await store.transaction(async (tx) => { await tx.prisma.parcel.create({ data }); await tx.publish(parcels.events['parcel-sent'], { id }); }) */
export type { Published, Sql, Store, Transaction, TransactionClient } from './store/store.ts';
/** A number of the module's own under /metrics. @example const lost = kit.counter('parcels_lost_total', 'Parcels that were lost', { where: ['road', 'depot'] }); lost({ where: 'road' }) */
export type { Count, LabelValues, MetricSample, Observe } from './telemetry/metrics.ts';
/** Who tried what, and what came of it. @example kit.security.write({ event: 'session.begin', outcome: 'refused', address: call.address, reason: 'a wrong password' }) */
export type { SecurityEvent, SecurityLog } from './telemetry/security-log.ts';
