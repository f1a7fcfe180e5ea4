// Locks whose writes are fenced at the storage: the client of fencegate. docs/clients.md of the project is
// the guide.

export { Client, type ClientOptions, type LockOptions, type WatchOptions } from './client.js';
export type { Holder, LockState, Metadata, Payment, Refund, RunState, Verdict } from './documents.js';
export * from './errors.js';
export type { FencingToken, Lease } from './lease.js';
export type { Create, Fenced, Keyed, Move, Payments } from './payments.js';
export type { ElectOptions, Leader, RoleOptions, RunOptions } from './roles.js';
export type { Body } from './scope.js';
export type { WatchEvent } from './watch.js';
