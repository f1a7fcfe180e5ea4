// One call, however many attempts it takes: same key, `Retry-After`, chance, one budget.
//
// Invariant: once an attempt may have reached the gateway, only an answer that is final for the key ends
// the call with a refusal; anything else is OutcomeUnknown.

import { bootClock } from './clock.js';
import { FencegateError, OutcomeUnknown, type Refused, Unreachable } from './errors.js';
import { type Line, NotSent, Unanswered } from './http.js';
import * as policy from './policy.js';
import type { Reply, Request } from './wire.js';

/** What the attempts of one call have in common. */
export class Attempts {
  made = 0;
  #mayHaveHappened = false;

  constructor(private readonly request: Request) {}

  /** Counts it; returns what to tell if there is no other attempt. */
  failed(error: Error): FencegateError {
    this.made += 1;
    if (error instanceof Unanswered && this.request.method !== 'GET') this.#mayHaveHappened = true;
    return this.#verdict(new Unreachable(error.message, { cause: error }));
  }

  /** The same for an answer that may be another one later. */
  refused(reply: Reply): FencegateError {
    this.made += 1;
    if (reply.outcomeUnknown && this.request.method !== 'GET') this.#mayHaveHappened = true;
    return this.#verdict(reply.error());
  }

  #verdict(error: FencegateError): FencegateError {
    if (!this.#mayHaveHappened) return error;
    const key = this.request.headers?.['Idempotency-Key'];
    const text = `whether it happened is not known: ${error.message}`;
    return new OutcomeUnknown(text, key, { cause: error });
  }
}

/** Fails with: Refused, OutcomeUnknown, Unreachable, UntrustedGateway. `budget` in milliseconds. */
export async function call(line: Line, request: Request, budget: number): Promise<Reply> {
  const endsAt = bootClock() + budget;
  const attempts = new Attempts(request);
  for (;;) {
    const { reply, failure } = await attempt(line, request, endsAt - bootClock(), attempts);
    if (failure === undefined) return reply;
    const pause = policy.afterRefusal(attempts.made, reply?.retryAfter);
    if (bootClock() + pause >= endsAt) throw failure;
    await sleep(pause);
  }
}

type Outcome =
  | { reply: Reply; failure: undefined }
  | { reply: Reply | undefined; failure: FencegateError };

async function attempt(
  line: Line,
  request: Request,
  left: number,
  attempts: Attempts,
): Promise<Outcome> {
  let reply: Reply;
  try {
    reply = await line.send(request, Math.max(Math.min(policy.ATTEMPT, left), 10));
  } catch (error) {
    if (!(error instanceof NotSent) && !(error instanceof Unanswered)) throw error;
    return { reply: undefined, failure: attempts.failed(error) };
  }
  if (reply.ok) return { reply, failure: undefined };
  if (!isWorthRepeating(reply.error())) throw reply.error();
  return { reply, failure: attempts.refused(reply) };
}

/** The gateway says so; whether a lock is free or a run due is for the caller to wait for. */
export function isWorthRepeating(error: Refused): boolean {
  return error.retryable && error.code !== 'lock_held' && error.code !== 'run_not_due';
}

/** Ends early when the signal is aborted. */
export function sleep(duration: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, duration);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
