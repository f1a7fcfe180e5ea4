// HTTPS by node:https, because a private CA is the rule here and fetch cannot be told one.
//
// Owns: connections, and the difference between "not sent" and "not answered".

import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import { UntrustedGateway } from './errors.js';
import { Reply, type Request } from './wire.js';

/** No byte of the request left. */
export class NotSent extends Error {}
/** It left, wholly or in part, and no whole answer came. */
export class Unanswered extends Error {}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly ca: string | Buffer | undefined;
  readonly key: string | undefined;
}

const UNTRUSTED = /^(CERT_|UNABLE_TO_|ERR_TLS_CERT|INVALID_CA|HOSTNAME_MISMATCH)|SELF_SIGNED/;

export class Line {
  readonly #agent: Agent;
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint, connectionsMax = Infinity) {
    this.#endpoint = endpoint;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      maxFreeSockets: 8,
      scheduling: 'lifo',
      minVersion: 'TLSv1.2',
      ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
    });
  }

  /**
   * The whole reply. Fails with: UntrustedGateway, NotSent, Unanswered; a time-out or an aborted signal
   * is one of the last two.
   */
  async send(request: Request, timeout: number, signal?: AbortSignal): Promise<Reply> {
    const attempt = this.#begin(request);
    const timer = setTimeout(() => attempt.end(`no answer within ${Math.round(timeout)} ms`), timeout);
    const stop = (): void => attempt.end('given up');
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    try {
      const answer = await attempt.head;
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part as Buffer);
      if (!answer.complete) throw new Error('the answer was cut off');
      const raw = Buffer.concat(parts).toString();
      const reply = new Reply(answer.statusCode ?? 0, answer.headers, raw);
      if (reply.ok && !reply.isJson) throw new Error('something on the way answered in its place');
      return reply;
    } catch (error) {
      throw attempt.failure(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** The head, and a body to be read as it comes; `end` cuts it. Fails as `send`. */
  async stream(request: Request, timeout: number): Promise<{ answer: IncomingMessage; end: () => void }> {
    const attempt = this.#begin(request);
    const timer = setTimeout(() => attempt.end('no answer in time'), timeout);
    try {
      return { answer: await attempt.head, end: () => attempt.end('given up') };
    } catch (error) {
      throw attempt.failure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #begin(request: Request): Attempt {
    const body = request.body === undefined ? '' : JSON.stringify(request.body);
    const headers: Record<string, string | number> = { ...request.headers };
    if (this.#endpoint.key !== undefined) headers['Authorization'] = `Bearer ${this.#endpoint.key}`;
    if (body !== '') headers['Content-Type'] = 'application/json';
    if (body !== '' || request.method !== 'GET') headers['Content-Length'] = Buffer.byteLength(body);
    const { host, port } = this.#endpoint;
    const { method, path } = request;
    const sending = httpsRequest({ host, port, method, path, headers, agent: this.#agent });
    return new Attempt(sending, body);
  }
}

class Attempt {
  readonly head: Promise<IncomingMessage>;
  readonly #sending: ClientRequest;
  #sent = false;

  constructor(sending: ClientRequest, body: string) {
    this.#sending = sending;
    this.head = new Promise((resolve, reject) => {
      sending.once('response', resolve);
      sending.on('error', reject);
    });
    sending.once('socket', (socket) => {
      const left = (): void => {
        this.#sent = true;
      };
      if (sending.reusedSocket) left();
      else (socket as TLSSocket).once('secureConnect', left);
    });
    sending.end(body);
  }

  end(why: string): void {
    this.#sending.destroy(new Error(why));
  }

  failure(error: unknown): Error {
    const { message, code } = error as NodeJS.ErrnoException;
    if (!this.#sent && code !== undefined && UNTRUSTED.test(code)) {
      return new UntrustedGateway(message, { cause: error });
    }
    return this.#sent ? new Unanswered(message, { cause: error }) : new NotSent(message, { cause: error });
  }
}
