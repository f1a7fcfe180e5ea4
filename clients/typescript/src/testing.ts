// For tests of your own: make a lease lost at will, and see what your worker does then. Only this client
// is told: the gateway's lease lives on until it is released, which `using` does.

import type { Ended } from './errors.js';
import { type Lease, control } from './lease.js';

const REASONS: Readonly<Record<Ended, string>> = {
  expired: 'lease_expired',
  superseded: 'fence_token_stale',
  released: 'lease_released',
  broken: 'lease_broken',
};

export function lose(lease: Lease, ended: Ended = 'superseded'): void {
  control.lose(lease, REASONS[ended], `made so by a test (${ended})`);
}
