// What the gateway answers. docs/api.md is the source; a member that it adds later is not here yet.

export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

export interface Payment {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly amount_capturable: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly amount_refundable: number;
  readonly reference: string;
  readonly created_at: string;
  readonly version: number;
  readonly metadata?: Metadata;
}

export interface Refund {
  readonly id: string;
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly fencing_token: number;
  readonly created_at: string;
  readonly payment_status: string;
  readonly amount_refunded: number;
  readonly amount_refundable: number;
}

export interface Holder {
  readonly lease_id: string;
  readonly locks: readonly string[];
  readonly fencing_token: number;
  readonly owner?: string;
  readonly principal: string;
  readonly remaining_ms: number;
  readonly granted_at: string;
}

export interface LockState {
  readonly lock: string;
  readonly state: 'free' | 'held' | 'resting';
  readonly waiters: number;
  readonly mode?: string;
  readonly permits?: number;
  readonly holder_count?: number;
  readonly holder?: Holder;
  readonly holders?: readonly Holder[];
  readonly rests_for_ms?: number;
}

export interface Verdict {
  readonly lock: string;
  readonly fencing_token: number;
  readonly live: boolean;
  readonly state: string;
  readonly current_token?: number;
}

export interface RunState {
  readonly job: string;
  readonly slot: string;
  readonly state: 'claimed' | 'done' | 'failed' | 'missed';
  readonly attempts: number;
  readonly fencing_token?: number;
  readonly claimed_at?: string;
  readonly ended_at?: string;
  readonly result?: string;
}
