// What can go wrong, one type for each thing that a caller does about it. Every refusal of the gateway
// is a Refused with its stable `code`; docs/api.md has all of them.

export class FencegateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came, and whatever was asked has no effect: it was not sent, or was a read. */
export class Unreachable extends FencegateError {}

/** The server's certificate is not one of the CA that this client trusts. Nothing was sent. */
export class UntrustedGateway extends FencegateError {}

/** The write may have happened or not. Repeat it under the same key to learn which. */
export class OutcomeUnknown extends FencegateError {
  constructor(
    message: string,
    readonly idempotencyKey: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type Ended = 'expired' | 'superseded' | 'released' | 'broken';

const ENDED: Readonly<Record<string, Ended>> = {
  fence_token_stale: 'superseded',
  lease_expired: 'expired',
  lease_released: 'released',
  lease_broken: 'broken',
};

/**
 * The lease is over, or too near its end to begin anything. Stop; never go on with its token.
 * `reason` is the code of the answer that said so, or `deadline_passed` if no renewal was answered.
 */
export class LeaseLost extends FencegateError {
  readonly ended: Ended | undefined;

  constructor(
    readonly locks: readonly string[],
    readonly token: number,
    readonly reason: string,
    detail = '',
  ) {
    super(`the lease on ${locks.join(', ')} is lost: ${detail || reason}`);
    this.ended = ENDED[reason];
  }
}

/** Members of a problem document (RFC 9457). */
export interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly request_id?: string;
  readonly [member: string]: unknown;
}

/** The gateway's answer is no, and nothing was changed. */
export class Refused extends FencegateError {
  readonly code: string;
  readonly retryable: boolean;
  readonly requestId: string | undefined;

  constructor(
    readonly status: number,
    readonly members: Problem,
    /** Milliseconds, of `Retry-After`. */
    readonly retryAfter?: number,
  ) {
    const code = members.code ?? `http_${status}`;
    super(`${status} ${code}: ${members.detail ?? ''}`);
    this.code = code;
    this.retryable = members.retryable === true;
    this.requestId = members.request_id;
  }

  /** REQUIRES: nothing; what is absent or of another type is undefined. */
  protected text(member: string): string | undefined {
    const value = this.members[member];
    return typeof value === 'string' ? value : undefined;
  }

  protected number(member: string): number | undefined {
    const value = this.members[member];
    return typeof value === 'number' ? value : undefined;
  }
}

/** Held by another, and the wait is over. */
export class LockHeld extends Refused {
  get holder(): string | undefined {
    return this.text('holder');
  }
  get holderRemaining(): number | undefined {
    return this.number('holder_remaining_ms');
  }
  get position(): number | undefined {
    return this.number('position');
  }
}

/** The token does not pass: the write was not made and will not be. */
export class FenceRefused extends Refused {
  get ended(): Ended | undefined {
    return this.text('ended') as Ended | undefined;
  }
  get currentToken(): number | undefined {
    return this.number('current_token');
  }
  get remedy(): string | undefined {
    return this.text('remedy');
  }
}

/** The key was used for another request. Look at `originalResource`; never take another key. */
export class IdempotencyMismatch extends Refused {
  get originalResource(): string | undefined {
    return this.text('original_resource');
  }
}

/** Too much at once, shutting down, or no space: nothing was done, later it may be. */
export class Overloaded extends Refused {}
/** No key, or one that is not known (any more). */
export class Unauthenticated extends Refused {}
/** The key lacks the scope. */
export class Forbidden extends Refused {}
export class NotFound extends Refused {}
/** This run is done, which is final. */
export class RunDone extends Refused {}
/** Nobody began this run in time, which is final. */
export class RunMissed extends Refused {}
/** Its instant has not come; `dueIn` milliseconds are left by the gateway's clock. */
export class RunNotDue extends Refused {
  get dueIn(): number | undefined {
    return this.number('due_in_ms');
  }
}

const BY_CODE: Readonly<Record<string, typeof Refused>> = {
  lock_held: LockHeld,
  fence_token_required: FenceRefused,
  fence_token_malformed: FenceRefused,
  fence_token_stale: FenceRefused,
  fence_token_unknown: FenceRefused,
  fence_lock_mismatch: FenceRefused,
  fence_not_holder: FenceRefused,
  lease_expired: FenceRefused,
  lease_released: FenceRefused,
  lease_broken: FenceRefused,
  idempotency_mismatch: IdempotencyMismatch,
  queue_full: Overloaded,
  quota_exceeded: Overloaded,
  overloaded: Overloaded,
  draining: Overloaded,
  not_owner: Overloaded,
  store_failed: Overloaded,
  store_full: Overloaded,
  unauthenticated: Unauthenticated,
  forbidden: Forbidden,
  lease_not_found: NotFound,
  payment_not_found: NotFound,
  run_not_found: NotFound,
  run_done: RunDone,
  run_missed: RunMissed,
  run_not_due: RunNotDue,
};

/** The error that a problem document stands for. */
export function refusal(status: number, members: Problem, retryAfter?: number): Refused {
  const kind = BY_CODE[members.code ?? ''] ?? Refused;
  return new kind(status, members, retryAfter);
}
