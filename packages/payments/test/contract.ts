import type { Fault } from '@rentapi/fake-payments/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Charge, Movement, NewCharge, Page, PaymentProvider } from '../src/payment-provider.ts';
import { ForgedEventError, ProviderError } from '../src/provider-error.ts';
import type { Harness, OnlineHarness, Step } from './harness.ts';
import { holdTimeLimits } from './harnesses.ts';

const HOUR_MS = 3_600_000;
const AMOUNT = { amountMinor: 12_34, currency: 'EUR' };
const RETURN_URL = 'http://127.0.0.1:8000/back';

let count = 0;

/** A charge whose payer goes to a page of the provider. */
function newCharge(change: Partial<NewCharge> = {}): NewCharge {
  const reference = `pay_${++count}`;
  return {
    key: `${reference}/1`,
    reference,
    amount: AMOUNT,
    description: '1,000 credits',
    customerId: null,
    methodId: null,
    returnUrl: RETURN_URL,
    ...change,
  };
}

const confirm = (provider: PaymentProvider, { id, methodId }: { id: string; methodId: string | null }, attempt = 1) =>
  provider.confirmCharge({ id, methodId, key: `${id}/${attempt}`, returnUrl: RETURN_URL });

/** The outcome of a call that must fail. */
async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderError)) throw new Error(`not a ProviderError: ${error}`);
  return error;
}

/** What every provider does, also one without a server. */
export function describeProvider(name: string, start: () => Promise<Harness>): void {
  describe(`${name}: money`, () => {
    let harness: Harness;
    let provider: PaymentProvider;
    beforeEach(async () => {
      harness = await start();
      ({ provider } = harness);
    });
    afterEach(() => harness.close());

    async function paid(amount = AMOUNT): Promise<Charge> {
      const charge = await provider.createCharge(newCharge({ amount }));
      await harness.pay(charge.id, 'pays');
      await confirm(provider, { id: charge.id, methodId: null });
      return provider.getCharge(charge.id);
    }

    it('creates a charge without moving money', async () => {
      const charge = await provider.createCharge(newCharge());
      expect(charge).toMatchObject({ amount: AMOUNT, captureId: null, refundedMinor: 0, failureCode: null });
      expect(await provider.getCharge(charge.id)).toEqual(charge);
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('finds the owner of a charge in the charge', async () => {
      const input = newCharge();
      const { id } = await provider.createCharge(input);
      expect((await provider.getCharge(id)).reference).toBe(input.reference);
    });

    it('moves the money once it is paid, and says so', async () => {
      const charge = await paid();
      expect(charge).toMatchObject({ status: 'SUCCEEDED', next: null, amount: AMOUNT, refundedMinor: 0 });
      expect(charge.captureId).not.toBeNull();
      expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
    });

    it('answers the same charge to the same key', async () => {
      const input = newCharge();
      const [one, other] = [await provider.createCharge(input), await provider.createCharge(input)];
      expect(other.id).toBe(one.id);
    });

    it('refuses the same key with another amount', async () => {
      const input = newCharge();
      await provider.createCharge(input);
      const changed = { ...input, amount: { ...AMOUNT, amountMinor: 99_99 } };
      expect((await failureOf(provider.createCharge(changed))).outcome).toBe('refused');
    });

    it('rule 16: capture called twice is success, and charges once', async () => {
      const { id } = await paid();
      expect((await confirm(provider, { id, methodId: null }, 2)).status).toBe('SUCCEEDED');
      expect((await confirm(provider, { id, methodId: null }, 3)).status).toBe('SUCCEEDED');
      expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
    });

    it('confirms nothing before the payer has paid', async () => {
      const { id } = await provider.createCharge(newCharge());
      const charge = await confirm(provider, { id, methodId: null });
      expect(charge.status).not.toBe('SUCCEEDED');
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('rule 10: ends a charge that was left, so that it cannot be paid as well', async () => {
      const { id } = await provider.createCharge(newCharge());
      await harness.pay(id, 'leaves');
      expect(await provider.cancelCharge(id)).toMatchObject({ status: 'CANCELED', next: null });
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('rule 10: does not cancel what has been paid', async () => {
      const { id } = await paid();
      expect((await provider.cancelCharge(id)).status).toBe('SUCCEEDED');
    });

    it('rules 17, 18: credits nothing while a payment is pending', async () => {
      const { id } = await provider.createCharge(newCharge());
      await harness.pay(id, 'pays_late');
      expect(await confirm(provider, { id, methodId: null })).toMatchObject({ status: 'PENDING', next: 'time' });
      expect(harness.movedMinor('EUR')).toBe(0);
      await harness.settle(id);
      expect(await provider.getCharge(id)).toMatchObject({ status: 'SUCCEEDED', next: null });
      expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
    });

    it('rule 18: learns that a pending payment failed days later', async () => {
      const { id } = await provider.createCharge(newCharge());
      await harness.pay(id, 'pays_late');
      await confirm(provider, { id, methodId: null });
      await harness.settle(id, 'fails');
      const charge = await provider.getCharge(id);
      expect(['FAILED', 'CANCELED']).toContain(charge.status);
      expect(charge).toMatchObject({ next: null, captureId: null });
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('refunds a part, and says of which charge and of which refund of ours', async () => {
      const charge = await paid();
      const amount = { amountMinor: 2_34, currency: 'EUR' };
      const refund = await provider.refund({ key: 'rfd_a/1', chargeId: charge.id, reference: 'rfd_a', amount });
      expect(refund).toMatchObject({ amount, reference: 'rfd_a', captureId: charge.captureId, failureCode: null });
      expect(await provider.getRefund(refund.id)).toEqual(refund);
      expect((await provider.getCharge(charge.id)).refundedMinor).toBe(2_34);
    });

    it('rule 13: never repeats a refund: the same reference is the same refund, under whatever key', async () => {
      const { id: chargeId } = await paid();
      const refund = { chargeId, reference: 'rfd_b', amount: { amountMinor: 1_00, currency: 'EUR' } };
      const first = await provider.refund({ ...refund, key: 'rfd_b/1' });
      harness.advance(60 * 24 * HOUR_MS);
      expect((await provider.refund({ ...refund, key: 'rfd_b/2' })).id).toBe(first.id);
      expect((await provider.getCharge(chargeId)).refundedMinor).toBe(1_00);
    });

    it('rule 13: makes two legitimate equal refunds of one charge', async () => {
      const { id: chargeId } = await paid();
      const amount = { amountMinor: 1_00, currency: 'EUR' };
      const one = await provider.refund({ key: 'rfd_c/1', chargeId, reference: 'rfd_c', amount });
      const other = await provider.refund({ key: 'rfd_d/1', chargeId, reference: 'rfd_d', amount });
      expect(other.id).not.toBe(one.id);
      expect((await provider.getCharge(chargeId)).refundedMinor).toBe(2_00);
    });

    it('refuses to refund more than is left', async () => {
      const { id: chargeId } = await paid();
      const amount = { amountMinor: AMOUNT.amountMinor, currency: 'EUR' };
      await provider.refund({ key: 'rfd_e/1', chargeId, reference: 'rfd_e', amount: { ...amount, amountMinor: 1_00 } });
      const more = provider.refund({ key: 'rfd_f/1', chargeId, reference: 'rfd_f', amount });
      expect((await failureOf(more)).outcome).toBe('refused');
      expect((await provider.getCharge(chargeId)).refundedMinor).toBe(1_00);
    });

    it('refuses to refund what was not paid', async () => {
      const { id: chargeId } = await provider.createCharge(newCharge());
      const call = provider.refund({ key: 'rfd_g/1', chargeId, reference: 'rfd_g', amount: AMOUNT });
      expect((await failureOf(call)).outcome).toBe('refused');
    });

    it.each([
      ['nothing', 0, 'amount_not_valid'],
      ['less than nothing', -1, 'amount_not_valid'],
      ['a fraction of a cent', 1.5, 'amount_not_valid'],
      ['more than can be counted exactly', 2 ** 53, 'amount_not_valid'],
    ])('refuses to charge %s', async (_, amountMinor, code) => {
      const call = provider.createCharge(newCharge({ amount: { amountMinor, currency: 'EUR' } }));
      expect(await failureOf(call)).toMatchObject({ outcome: 'refused', code });
    });

    it.each(['XXX', 'eur', ''])('refuses the currency "%s"', async (currency) => {
      const call = provider.createCharge(newCharge({ amount: { amountMinor: 1000, currency } }));
      expect(await failureOf(call)).toMatchObject({ outcome: 'refused', code: 'currency_not_supported' });
    });

    it('rule 31: charges yen as yen', async () => {
      const amount = { amountMinor: 1500, currency: 'JPY' };
      expect((await paid(amount)).amount).toEqual(amount);
      expect(harness.movedMinor('JPY')).toBe(1500);
    });

    it('rule 31: charges and pays back in each of its currencies, to the unit', async () => {
      for (const [currency, { minimumMinor }] of provider.currencies) {
        const amount = { amountMinor: 3 * minimumMinor, currency };
        const { id: chargeId, amount: charged } = await paid(amount);
        expect(charged).toEqual(amount);
        const part = { amountMinor: minimumMinor, currency };
        const refund = { chargeId, reference: `rfd_${currency}`, key: `rfd_${currency}/1`, amount: part };
        expect((await provider.refund(refund)).amount).toEqual(part);
      }
    });

    it.each(['', 'x', '../orders', 'pi_', 'undefined'])(
      'refuses the id "%s" as one that does not exist',
      async (id) => {
        for (const read of [provider.getCharge, provider.getRefund, provider.getDispute]) {
          expect((await failureOf(read(id))).outcome).toBe('refused');
        }
      },
    );
  });
}

/** What providers with a server do: saved methods, disputes, events; and what the network does to them. */
export function describeOnlineProvider(name: string, start: () => Promise<OnlineHarness>): void {
  describe(`${name}: methods, disputes and events`, () => {
    let harness: OnlineHarness;
    let provider: PaymentProvider;
    beforeEach(async () => {
      harness = await start();
      ({ provider } = harness);
    });
    afterEach(() => harness.close());

    it('saves a method on a page of the provider', async () => {
      const customer = await provider.createCustomer({ key: 'org_1', reference: 'org_1', email: null, name: null });
      const customerId = customer?.id ?? null;
      const input = { key: 'setup_1', reference: 'org_1', customerId, currency: 'EUR', returnUrl: RETURN_URL };
      const setup = await provider.startSetup(input);
      expect(setup).toMatchObject({ status: 'REQUIRES_ACTION', method: null });
      expect(setup.actionUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
      harness.approveSetup(setup.id);
      const finished = await provider.finishSetup(setup.id);
      expect(finished).toMatchObject({ status: 'SUCCEEDED', reference: 'org_1' });
      expect((await provider.finishSetup(setup.id)).method?.id).toBe(finished.method!.id);
      expect(await provider.getMethod(finished.method!.id)).toEqual(finished.method);
      await provider.removeMethod(finished.method!.id);
      expect(await provider.getMethod(finished.method!.id)).toBeNull();
      await provider.removeMethod(finished.method!.id);
    });

    it('rule 15: makes one customer for one key', async () => {
      const input = { key: 'org_2', reference: 'org_2', email: 'a@example.com', name: 'A' };
      const [one, other] = [await provider.createCustomer(input), await provider.createCustomer(input)];
      expect(other).toEqual(one);
    });

    it('knows whether a customer is still there', async () => {
      const customer = await provider.createCustomer({ key: 'org_9', reference: 'org_9', email: null, name: null });
      if (!customer) return expect(await provider.getCustomer('cust')).toBeNull(); // it has none
      expect(await provider.getCustomer(customer.id)).toEqual(customer);
      expect(await provider.getCustomer(`${customer.id}x`)).toBeNull();
    });

    it('knows no method that was never there, and removes it without a failure', async () => {
      const { methodId } = await harness.saveMethod('pays');
      expect(await provider.getMethod(`${methodId}x`)).toBeNull();
      await provider.removeMethod(`${methodId}x`);
    });

    it('charges a saved method in two steps', async () => {
      const saved = await harness.saveMethod('pays');
      const charge = await provider.createCharge(newCharge(saved));
      expect(charge).toMatchObject({ status: 'CREATED', next: 'confirm' });
      expect(harness.movedMinor('EUR')).toBe(0);
      const confirmed = await confirm(provider, { id: charge.id, methodId: saved.methodId });
      expect(confirmed).toMatchObject({ status: 'SUCCEEDED', next: null, amount: AMOUNT });
      expect(confirmed.feeMinor).toBeGreaterThan(0);
      expect(await provider.getCharge(charge.id)).toEqual(confirmed);
      expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
    });

    it('says that a method was declined, and why; nothing moved', async () => {
      const saved = await harness.saveMethod('declines');
      const { id } = await provider.createCharge(newCharge(saved));
      const failure = await failureOf(confirm(provider, { id, methodId: saved.methodId }));
      expect(failure.outcome).toBe('refused');
      expect(failure.code).toMatch(/insufficient_funds|INSTRUMENT_DECLINED/);
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('rule 39: distinguishes a refund that takes days from one that is done', async () => {
      const saved = await harness.saveMethod('refunds_late');
      const { id } = await provider.createCharge(newCharge(saved));
      await confirm(provider, { id, methodId: saved.methodId });
      const input = { key: 'rfd_1/1', chargeId: id, reference: 'rfd_1', amount: AMOUNT };
      const refund = await provider.refund(input);
      expect(refund.status).toBe('PENDING');
      await harness.settle(refund.id);
      expect((await provider.getRefund(refund.id)).status).toBe('SUCCEEDED');
    });

    it('learns that a refund failed, and counts it no longer', async () => {
      const saved = await harness.saveMethod('refunds_late');
      const { id } = await provider.createCharge(newCharge(saved));
      await confirm(provider, { id, methodId: saved.methodId });
      const refund = await provider.refund({ key: 'rfd_2/1', chargeId: id, reference: 'rfd_2', amount: AMOUNT });
      await harness.settle(refund.id, 'fails');
      expect((await provider.getRefund(refund.id)).status).toBe('FAILED');
      expect((await provider.getCharge(id)).refundedMinor).toBe(0);
    });

    async function charged(): Promise<Charge> {
      const saved = await harness.saveMethod('pays');
      const { id } = await provider.createCharge(newCharge(saved));
      return confirm(provider, { id, methodId: saved.methodId });
    }

    it.each(['won', 'lost'] as const)(
      'rule 42: follows a dispute that is %s, found by what it disputes',
      async (end) => {
        const charge = await charged();
        const id = harness.openDispute(charge.captureId!, charge.id);
        const opened = { status: 'OPEN', amount: AMOUNT, captureId: charge.captureId };
        expect(await provider.getDispute(id)).toMatchObject(opened);
        harness.closeDispute(id, end);
        expect((await provider.getDispute(id)).status).toBe(end === 'won' ? 'WON' : 'LOST');
      },
    );

    it('lists every movement of money since a time, which together are what has moved', async () => {
      const from = harness.now();
      const charge = await charged();
      await provider.refund({
        key: 'rfd_3/1',
        chargeId: charge.id,
        reference: 'rfd_3',
        amount: { ...AMOUNT, amountMinor: 200 },
      });
      harness.advance(HOUR_MS);
      const { items, next } = await provider.listSince('movements', from);
      expect(items.map(({ kind }) => kind).sort()).toEqual(['charge', 'refund']);
      expect(items.reduce((sum, { amount }) => sum + amount.amountMinor, 0)).toBe(harness.movedMinor('EUR'));
      expect(next).toBeNull();
      expect(items.find(({ kind }) => kind === 'charge')!.sourceId).toBe(charge.captureId);
    });

    it('lists movements of more than a month, in pages that end', async () => {
      const from = harness.now();
      await charged();
      harness.advance(70 * 24 * HOUR_MS);
      await charged();
      const found: string[] = [];
      let cursor: string | null = null;
      for (let pages = 0; pages < 20; pages++) {
        const page: Page<Movement> = await provider.listSince('movements', from, cursor);
        found.push(...page.items.map(({ id }) => id));
        cursor = page.next;
        if (cursor === null) break;
      }
      expect(cursor).toBeNull();
      expect(new Set(found).size).toBe(2);
    });

    it('lists the events that never arrived, as they would have arrived', async () => {
      const from = harness.now();
      await charged();
      await harness.warmUp();
      const arrived = await Promise.all(
        harness.takeEvents().map(({ raw, headers }) => provider.verifyEvent(raw, headers, harness.now())),
      );
      const { items } = await provider.listSince('events', from);
      expect(new Set(items.map(({ id }) => id))).toEqual(new Set(arrived.map(({ id }) => id)));
      expect(items.every(({ verified }) => verified)).toBe(true);
    });

    it('says which object an event is about, and that object can be read', async () => {
      const charge = await charged();
      await provider.refund({ key: 'rfd_4/1', chargeId: charge.id, reference: 'rfd_4', amount: AMOUNT });
      harness.openDispute(charge.captureId!, charge.id);
      await harness.warmUp();
      const kinds = new Set<string>();
      for (const { raw, headers } of harness.takeEvents()) {
        const found = provider.objectOf(await provider.verifyEvent(raw, headers, harness.now()));
        if (!found) continue;
        kinds.add(found.kind);
        if (found.kind === 'charge') expect((await provider.getCharge(found.id)).reference).toBe(charge.reference);
        if (found.kind === 'refund') expect((await provider.getRefund(found.id)).reference).toBe('rfd_4');
        if (found.kind === 'dispute') expect((await provider.getDispute(found.id)).captureId).toBe(charge.captureId);
      }
      expect([...kinds]).toEqual(expect.arrayContaining(['charge', 'refund', 'dispute']));
    });

    it('rule 44: accepts a genuine event: its raw bytes, not what they mean', async () => {
      await charged();
      await harness.warmUp();
      const [{ raw, headers }] = harness.takeEvents() as [{ raw: Buffer; headers: Record<string, string> }];
      expect((await provider.verifyEvent(raw, headers, harness.now())).verified).toBe(true);
      expect(await provider.confirmEvent(raw, headers, harness.now())).toBe(true);
      const again = Buffer.from(JSON.stringify(JSON.parse(raw.toString())));
      await expect(provider.verifyEvent(again, headers, harness.now())).rejects.toThrow(ForgedEventError);
    });

    it.each<[name: string, change: (event: { raw: Buffer; headers: Record<string, string> }) => void]>([
      ['without headers', (event) => void (event.headers = {})],
      ['with another body', (event) => void (event.raw = Buffer.from('{"id":"evt_1"}'))],
      ['cut short', (event) => void (event.raw = event.raw.subarray(0, -2))],
      ['empty', (event) => void (event.raw = Buffer.alloc(0))],
      [
        'with a header given twice',
        (event) => {
          const doubled = Object.entries(event.headers).map(([key, value]) => [key, [value, value]]);
          event.headers = Object.fromEntries(doubled);
        },
      ],
    ])('refuses an event %s', async (_, change) => {
      await charged();
      await harness.warmUp();
      const [event] = harness.takeEvents() as [{ raw: Buffer; headers: Record<string, string> }];
      change(event);
      await expect(provider.verifyEvent(event.raw, event.headers, harness.now())).rejects.toThrow(ForgedEventError);
    });

    it.each([
      ['old', 5 * 24 * HOUR_MS],
      ['from the future', -5 * 24 * HOUR_MS],
    ])('refuses a genuine event that is %s', async (_, laterMs) => {
      await charged();
      await harness.warmUp();
      const [{ raw, headers }] = harness.takeEvents() as [{ raw: Buffer; headers: Record<string, string> }];
      const then = new Date(harness.now().getTime() + laterMs);
      await expect(provider.verifyEvent(raw, headers, then)).rejects.toThrow(ForgedEventError);
    });

    it.each(['null', '[1]', '"text"', '{}', '{"id":"evt_1","object":"v2.core.event","type":"v1.x"}', 'not JSON'])(
      'refuses the signed body %s, which is no event',
      async (body) => {
        await charged();
        await harness.warmUp();
        const call = provider.verifyEvent(Buffer.from(body), harness.sign(body), harness.now());
        await expect(call).rejects.toThrow(ForgedEventError);
      },
    );
  });

  describe(`${name}: what the network does`, () => {
    let harness: OnlineHarness;
    let provider: PaymentProvider;
    beforeEach(async () => {
      holdTimeLimits();
      harness = await start();
      ({ provider } = harness);
    });
    afterEach(async () => {
      await harness.close();
      vi.restoreAllMocks();
    });

    const unknown: Fault[] = [
      'lose_request',
      'lose_answer',
      'half_body',
      'html_502',
      'hang',
      'wrong_type',
      'server_error',
    ];

    it.each(unknown)(
      'rule 11: %s when money moves: unknown; a look, and another attempt, charge once',
      async (fault) => {
        const saved = await harness.saveMethod('pays');
        const { id } = await provider.createCharge(newCharge(saved));
        harness.fail(fault, 'confirm');
        const failure = await failureOf(confirm(provider, { id, methodId: saved.methodId }, 1));
        expect(failure).toMatchObject({ outcome: 'unknown' });
        harness.advance(40 * HOUR_MS); // the keys of both are forgotten
        expect((await confirm(provider, { id, methodId: saved.methodId }, 2)).status).toBe('SUCCEEDED');
        expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
      },
    );

    it.each(unknown)(
      'rule 12: %s when a charge is created: nothing moves, and a new attempt pays once',
      async (fault) => {
        const saved = await harness.saveMethod('pays');
        const input = newCharge(saved);
        harness.fail(fault, 'create');
        expect((await failureOf(provider.createCharge(input))).outcome).toBe('unknown');
        harness.advance(40 * HOUR_MS);
        const { id } = await provider.createCharge({ ...input, key: `${input.reference}/2` });
        await confirm(provider, { id, methodId: saved.methodId });
        expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor);
      },
    );

    it.each(unknown)(
      'rule 13: %s when money goes back: unknown; the next attempt refunds no second time',
      async (fault) => {
        const saved = await harness.saveMethod('pays');
        const { id: chargeId } = await provider.createCharge(newCharge(saved));
        await confirm(provider, { id: chargeId, methodId: saved.methodId });
        const refund = { chargeId, reference: 'rfd_9', amount: { amountMinor: 5_00, currency: 'EUR' } };
        harness.fail(fault, 'refund');
        expect((await failureOf(provider.refund({ ...refund, key: 'rfd_9/1' }))).outcome).toBe('unknown');
        harness.advance(50 * 24 * HOUR_MS);
        await provider.refund({ ...refund, key: 'rfd_9/2' });
        expect((await provider.getCharge(chargeId)).refundedMinor).toBe(5_00);
        expect(harness.movedMinor('EUR')).toBe(AMOUNT.amountMinor - 5_00);
      },
    );

    it.each([...unknown, 'rate_limited'] as const)(
      '%s when a charge is read: unavailable, for reading moves nothing',
      async (fault) => {
        const { id } = await provider.createCharge(newCharge(await harness.saveMethod('pays')));
        harness.fail(fault, 'read');
        expect((await failureOf(provider.getCharge(id))).outcome).toBe('unavailable');
        expect((await provider.getCharge(id)).status).toBe('CREATED');
      },
    );

    it.each(['create', 'confirm', 'refund'] as const)(
      'too many requests at %s: unavailable, with the wait',
      async (step: Step) => {
        const saved = await harness.saveMethod('pays');
        const input = newCharge(saved);
        harness.fail('rate_limited', step);
        const call = async () => {
          const { id } = await provider.createCharge(input);
          await confirm(provider, { id, methodId: saved.methodId });
          await provider.refund({ key: 'rfd_8/1', chargeId: id, reference: 'rfd_8', amount: AMOUNT });
        };
        expect(await failureOf(call())).toMatchObject({ outcome: 'unavailable', retryAfterMs: 7000 });
        await call();
      },
    );

    it('rule 29: keeps a word that it does not know, and decides nothing from it', async () => {
      const saved = await harness.saveMethod('pays');
      const { id } = await provider.createCharge(newCharge(saved));
      harness.fail('unknown_word', 'read');
      const charge = await provider.getCharge(id);
      expect(charge).toMatchObject({ status: null, next: null });
      expect(charge.providerStatus).toMatch(/quantum/i);
      harness.fail('unknown_word', 'read');
      expect((await confirm(provider, { id, methodId: saved.methodId })).status).toBeNull();
      expect(harness.movedMinor('EUR')).toBe(0);
    });

    it('is unavailable, never unknown, where the provider cannot be reached', async () => {
      const saved = await harness.saveMethod('pays');
      await provider.createCharge(newCharge(saved));
      await harness.close();
      await failureOf(provider.createCharge(newCharge(saved))); // on a connection that was open, it may have been sent
      expect((await failureOf(provider.createCharge(newCharge(saved)))).outcome).toBe('unavailable');
    });

    it('never repeats a request by itself', async () => {
      const saved = await harness.saveMethod('pays');
      const { id } = await provider.createCharge(newCharge(saved));
      harness.fail('lose_answer', 'confirm', 5);
      const before = harness.requests.length;
      await failureOf(confirm(provider, { id, methodId: saved.methodId }));
      expect(harness.requests.length - before).toBe(2); // the look, and one attempt
    });

    it.each(unknown)('no error contains a credential or a request: %s', async (fault) => {
      const saved = await harness.saveMethod('pays');
      harness.fail(fault, 'create');
      const error = await failureOf(provider.createCharge(newCharge(saved)));
      const seen = JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: error.cause });
      for (const secret of harness.secrets) expect(seen).not.toContain(secret);
      expect(Object.keys(error).sort()).toEqual(['code', 'name', 'outcome', 'retryAfterMs']);
    });
  });
}
