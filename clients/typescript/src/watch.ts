// Server-sent events of locks, from where the last connection ended.
//
// Owns: the stream's grammar, coming back with `Last-Event-ID`, and when to. An event is told once; where
// some were missed the gateway says `reset`, which is told too: read the state again then.

import { isWorthRepeating, sleep } from './calls.js';
import { FencegateError, Refused } from './errors.js';
import type { Line } from './http.js';
import * as policy from './policy.js';
import { type Json, Reply, type Request } from './wire.js';

const SILENCE_MAX = 40_000; // the gateway's heartbeat comes after 15 s
const OPENING = 10_000;
const GOODBYES = ['draining', 'overrun']; // what follows is told by the next stream

export interface WatchEvent {
  /** granted, renewed, released, expired, broken, refused, proclaimed, state or reset. */
  readonly kind: string;
  readonly data: Json;
  readonly id: string | undefined;
}

/** Text to events; `lastId` is what to come back with. */
export class Lines {
  #id: string | undefined;
  #rest = '';
  #kind = '';
  #data: string[] = [];

  constructor(public lastId: string | undefined) {
    this.#id = lastId;
  }

  feed(part: string): WatchEvent[] {
    const lines = (this.#rest + part).split('\n');
    this.#rest = lines.pop() ?? '';
    const found = lines.map((line) => this.#line(line.replace(/\r$/, '')));
    return found.filter((event): event is WatchEvent => event !== undefined);
  }

  /** An event that was cut off is sent again. */
  restart(): void {
    [this.#rest, this.#kind, this.#data, this.#id] = ['', '', [], this.lastId];
  }

  #line(line: string): WatchEvent | undefined {
    if (line === '') return this.#blank();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#kind = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
    return undefined;
  }

  /** An id counts with the blank line behind it: before that its event may be cut off. */
  #blank(): WatchEvent | undefined {
    const [kind, data] = [this.#kind, this.#data];
    [this.#kind, this.#data, this.lastId] = ['', [], this.#id];
    if (data.length === 0) return undefined;
    return { kind: kind || 'message', data: JSON.parse(data.join('\n')) as Json, id: this.lastId };
  }
}

/** Never ends by itself but by the signal. Fails with: Refused, UntrustedGateway; outages are waited out. */
export async function* watch(
  line: Line,
  path: string,
  lastId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent, void, undefined> {
  const lines = new Lines(lastId);
  let failures = 0;
  while (!signal?.aborted) {
    let retryAfter: number | undefined;
    try {
      for await (const part of opened(line, asking(path, lines.lastId), signal)) {
        failures = 0;
        for (const event of lines.feed(part)) if (!GOODBYES.includes(event.kind)) yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof FencegateError) {
        if (!(error instanceof Refused) || !isWorthRepeating(error)) throw error;
        retryAfter = error.retryAfter;
      }
    }
    lines.restart();
    await sleep(policy.afterRefusal(failures, retryAfter), signal);
    failures += 1;
  }
}

function asking(path: string, lastId: string | undefined): Request {
  return { method: 'GET', path, headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId } };
}

/** The parts of one stream as they come. Fails with: Refused, and what breaks a connection. */
async function* opened(
  line: Line,
  request: Request,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const { answer, end } = await line.stream(request, OPENING);
  signal?.addEventListener('abort', end);
  let silence = setTimeout(end, SILENCE_MAX);
  try {
    if (signal?.aborted) return;
    answer.setEncoding('utf8');
    let refused = '';
    for await (const part of answer) {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MAX);
      if (answer.statusCode === 200) yield part as string;
      else refused += part as string;
    }
    if (answer.statusCode !== 200) {
      throw new Reply(answer.statusCode ?? 0, answer.headers, refused).error();
    }
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', end);
    end();
  }
}
