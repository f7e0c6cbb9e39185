import type { Fault } from '@rentapi/fake-payments/server';
import type { EventHeaders, PaymentProvider } from '../src/payment-provider.ts';

/** A provider under test, and those whom it deals with. */
export interface Harness {
  provider: PaymentProvider;
  now(): Date;
  advance(ms: number): void;
  /** What the payer does where a charge without a saved method sends them. */
  pay(chargeId: string, how: 'pays' | 'pays_late' | 'leaves'): Promise<void>;
  /** Ends what takes time: a payment or a refund. */
  settle(id: string, result?: 'succeeds' | 'fails'): Promise<void>;
  /** The money that has really moved to us, in our minor unit. */
  movedMinor(currency: string): number;
  close(): Promise<void>;
}

/** What only a provider with a server of its own has. */
export interface OnlineHarness extends Harness {
  /** A saved method of a customer. */
  saveMethod(behavior: 'pays' | 'declines' | 'pays_late' | 'fails_late' | 'refunds_late'): Promise<Saved>;
  approveSetup(id: string): void;
  openDispute(captureId: string, chargeId: string): string;
  closeDispute(disputeId: string, result: 'won' | 'lost'): void;
  fail(fault: Fault, step: Step, times?: number): void;
  requests: string[];
  /** Those that were emitted and not yet taken, as they would arrive. */
  takeEvents(): Received[];
  /** Makes events verifiable without the network, where that takes a first one. */
  warmUp(): Promise<void>;
  sign(body: string): Record<string, string>;
  secrets: string[];
}

interface Saved {
  customerId: string | null;
  methodId: string;
}

export interface Received {
  raw: Buffer;
  headers: EventHeaders;
}

export type Step = 'create' | 'confirm' | 'read' | 'refund';
