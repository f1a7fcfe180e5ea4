// Requests and replies as plain values; names and keys that may stand in a head. Nothing here sends.

import { randomBytes } from 'node:crypto';

import { type Problem, type Refused, refusal } from './errors.js';

export type Json = Readonly<Record<string, unknown>>;

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

const MAY_PASS_LATER = [408, 429, 502, 503, 504];

export class Reply {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    readonly raw: string,
  ) {}

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get isJson(): boolean {
    try {
      this.json();
      return true;
    } catch {
      return false;
    }
  }

  json<T extends object = Record<string, unknown>>(): T {
    const found: unknown = this.raw === '' ? {} : JSON.parse(this.raw);
    if (typeof found !== 'object' || found === null) throw new Error('the answer is no object');
    return found as T;
  }

  get retryAfter(): number | undefined {
    const text = this.headers['retry-after'];
    return typeof text === 'string' && /^[0-9]+$/.test(text) ? Number(text) * 1000 : undefined;
  }

  /** REQUIRES: not ok. What is no problem document is by something between us and the gateway. */
  error(): Refused {
    const members = this.problem();
    if (members.code !== undefined) return refusal(this.status, members, this.retryAfter);
    const retryable = MAY_PASS_LATER.includes(this.status);
    return refusal(this.status, { retryable, detail: 'not by fencegate' }, this.retryAfter);
  }

  /** REQUIRES: not ok. Whether the request may yet have had an effect. */
  get outcomeUnknown(): boolean {
    const code = this.problem().code;
    return code === 'outcome_unknown' || (code === undefined && this.status >= 500);
  }

  private problem(): Problem {
    try {
      return this.json<Problem>();
    } catch {
      return {};
    }
  }
}

const SEGMENT = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~:-]{1,64}';
const NAME = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`);
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** Fails with: TypeError, as all of these, before anything is sent. */
export function lockName(text: string): string {
  if (text.length > 128 || !NAME.test(text)) throw new TypeError(`not a lock name: ${text}`);
  return text;
}

export function segment(text: string, what: string): string {
  if (text.includes('/') || !NAME.test(text)) throw new TypeError(`not ${what}: ${text}`);
  return text;
}

export function idempotencyKey(text: string): string {
  if (typeof text !== 'string' || !KEY.test(text)) {
    throw new TypeError('an idempotency key is 1 to 255 printable ASCII characters');
  }
  return text;
}

export function milliseconds(value: number, what: string): number {
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new TypeError(`${what} is a number of milliseconds above 0`);
  }
  return Math.round(value);
}

/** RFC 9562: time first, so that keys made together lie together in the gateway's index. */
export function uuid7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const text = bytes.toString('hex');
  return [8, 12, 16, 20, 32].map((end, at, ends) => text.slice(ends[at - 1] ?? 0, end)).join('-');
}

/** Members that were given. */
export function given(members: Json): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
