// A body under a lease.
//
// Owns: the order at its end: its signal is aborted, the body has ended, then the lease is released. The
// body's own error is never hidden.

import type { LeaseLost } from './errors.js';
import type { Lease } from './lease.js';

export type Body<L, T> = (lease: L, signal: AbortSignal) => Promise<T>;

export async function scope<T>(
  lease: Lease,
  outer: AbortSignal | undefined,
  body: Body<Lease, T>,
): Promise<T> {
  const inner = new AbortController();
  const stop = (): void => inner.abort(outer?.reason);
  lease.on('lost', (loss) => inner.abort(loss));
  outer?.addEventListener('abort', stop);
  if (outer?.aborted) stop();
  try {
    const result = await body(lease, inner.signal);
    lease.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw stoppedBy(lease, error) ?? error;
  } finally {
    outer?.removeEventListener('abort', stop);
    await lease.release();
  }
}

/** The loss, if that is what ended the body: many calls reject with an AbortError of their own. */
function stoppedBy(lease: Lease, error: unknown): LeaseLost | undefined {
  if (!lease.signal.aborted) return undefined;
  const aborted = error instanceof Error && error.name === 'AbortError';
  return aborted ? (lease.signal.reason as LeaseLost) : undefined;
}
