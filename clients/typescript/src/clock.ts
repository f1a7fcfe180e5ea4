// The clock of deadlines: milliseconds since some start, the machine's sleep included.
//
// Owns: which clock that is. performance.now() stands still while a machine is suspended; the gateway's
// CLOCK_BOOTTIME does not. On Linux os.uptime() reads that very clock, in steps of 10 ms. Elsewhere a jump
// of the wall clock ahead of performance.now() counts as time slept: too much where somebody set the
// clock forward, which loses a lease too early and never too late.

import { uptime } from 'node:os';

export type Clock = () => number;

const NAP = 50; // a difference below this is the wall clock being slewed

export function jumpClock(monotonic: Clock, wall: Clock): Clock {
  let slept = 0;
  let ahead = wall() - monotonic();
  return () => {
    const now = monotonic();
    const jumped = wall() - now - ahead;
    if (jumped > NAP) slept += jumped;
    ahead += jumped;
    return now + slept;
  };
}

export const bootClock: Clock =
  process.platform === 'linux'
    ? () => uptime() * 1000
    : jumpClock(
        () => performance.now(),
        () => Date.now(),
      );
