import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { type Context, systemContext, within } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { InvoiceLineModel, InvoiceModel } from './model.ts';
import { creditInvoice } from './service/credit.ts';
import { addLines, draftInvoice, type NewLine } from './service/draft.ts';
import { finaliseInvoice } from './service/finalise.ts';
import { settleInvoice, voidInvoice } from './service/settle.ts';

const LIST = '/api/v1/subscriptions/invoices';

let app: TestApp;
let ada: Person;
let org: TestOrganization;

beforeAll(async () => {
  app = await startApp({
    SELLER_NAME: 'Example Software AG',
    SELLER_ADDRESS: 'Am Markt 2; 20095 Hamburg',
    SELLER_COUNTRY: 'DE',
    SELLER_TAX_ID: 'DE987654321',
    TAX_RATES: 'DE=19,FR=20,*=0',
  });
  ada = await app.signUp();
});
beforeEach(async () => {
  org = await makeOrganization(app, ada);
});
afterAll(() => app.close());

const of = (organization = org) => within(systemContext(app.ports, 'test'), organization.organizationId);
const PLAN: NewLine = { kind: 'PLAN', description: 'PRO, monthly', unitMinor: 1900, amountMinor: 1900 };

const draft = (lines: readonly NewLine[] = [PLAN], more: object = {}) =>
  draftInvoice(of(), { reason: 'OTHER', collection: 'MANUAL', currency: 'EUR', lines, ...more });
async function final(lines?: readonly NewLine[], more?: object) {
  const { id } = await draft(lines, more);
  return finaliseInvoice(of(), id);
}
const bill = (address: { country: string } | null, taxId: string | null = null) =>
  org.as(ada)('/api/v1/subscriptions/billing-info', {
    method: 'PUT',
    body: { name: 'Acme', address: address && { line1: 'Street 1', city: 'Town', ...address }, taxId },
  });
/** Of this organization's invoices. */
async function addressOf(): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  await org.as(ada)('/api/v1/subscriptions/billing-info', { method: 'PUT', body: { email } });
  return email;
}
const find = (id: number) => InvoiceModel.of(of()).findOne({ id }).throwIfNotFound();
const get = (id: number, by = org.as(ada)) => by(`${LIST}/${app.ports.ids.encode('inv', id)}`);
const linesOf = (invoiceId: number) => InvoiceLineModel.of(of()).where({ invoiceId }).orderBy('place');

describe('a draft', () => {
  it('has no number, may change, and is one for each period of a subscription', async () => {
    const period = { reason: 'PERIOD', subscriptionId: 7, periodKey: '2026-02' };
    const first = await draft([PLAN], period);
    const again = await draft([PLAN], period);
    expect(again.id).toBe(first.id);
    await addLines(of(), first.id, [
      { kind: 'USAGE', description: 'Calls', quantity: 3, unitMinor: 2, amountMinor: 6 },
    ]);
    const { body } = await get(first.id);
    expect(body).toMatchObject({
      status: 'DRAFT',
      number: null,
      subtotal: { amountMinor: 1906 },
      due: { amountMinor: 0 },
    });
    expect(body.lines.map(({ description }: { description: string }) => description)).toEqual([
      'PRO, monthly',
      'Calls',
    ]);
  });

  it('takes no line that does not add up', async () => {
    await expect(draft([{ ...PLAN, amountMinor: 1901 }])).rejects.toThrow('are not 1901');
    await expect(draft([{ ...PLAN, amountMinor: 0.5 }])).rejects.toThrow('no whole amounts');
  });
});

describe('an invoice that is final', () => {
  it('says what both sides were then, whatever changes afterwards', async () => {
    await bill({ country: 'DE' }, 'DE123456789');
    const { id } = await final();
    await bill({ country: 'FR' });
    const { body } = await get(id);
    expect(body).toMatchObject({
      status: 'OPEN',
      taxTreatment: 'STANDARD',
      subtotal: { amountMinor: 1900, currency: 'EUR' },
      tax: { amountMinor: 361 },
      total: { amountMinor: 2261 },
      due: { amountMinor: 2261 },
      seller: { name: 'Example Software AG', address: { lines: ['Am Markt 2', '20095 Hamburg'] } },
      buyer: { name: 'Acme', address: { lines: ['Street 1', 'Town'], country: 'DE' }, taxId: 'DE123456789' },
    });
    expect(body.number).toMatch(/^INV-\d{6,}$/);
  });

  it('is refused every change by the database, of its lines too', async () => {
    const { id } = await final();
    const change = (table: string, sql: string) =>
      app.rows.raw(`${sql.startsWith('delete') ? '' : `update ${table} set `}${sql} where organization_id = ?`, [
        org.organizationId,
      ]);
    for (const sql of [
      'total_minor = 1',
      "buyer = '{}'",
      'number = number + 1000',
      "status = 'DRAFT'",
      "currency = 'USD'",
    ])
      await expect(change('invoices', sql), sql).rejects.toThrow(/is final|does not become|check constraint/);
    await expect(change('invoices', 'delete from invoices')).rejects.toThrow('is final');
    await expect(change('invoice_lines', 'amount_minor = 1')).rejects.toThrow('do not change');
    await expect(change('invoice_lines', 'delete from invoice_lines')).rejects.toThrow('do not change');
    await expect(addLines(of(), id, [PLAN])).rejects.toThrow('do not change');
    for (const table of ['invoices', 'invoice_lines', 'invoice_series'])
      await expect(app.rows.raw(`truncate ${table} cascade`)).rejects.toThrow(`${table} is kept`);
    expect((await finaliseInvoice(of(), id)).version).toBe((await find(id)).version);
  });

  it('is not found in another organization', async () => {
    const { id } = await final();
    const other = await makeOrganization(app, ada);
    expect(statusAndCode(await get(id, other.as(ada)))).toEqual([404, 'not_found']);
    expect((await other.as(ada)(LIST)).body.items).toEqual([]);
  });

  it('is listed newest first, by its status', async () => {
    const first = await final();
    const second = await draft();
    const ids = async (query: string) =>
      (await org.as(ada)(`${LIST}${query}`)).body.items.map(({ id }: { id: string }) =>
        app.ports.ids.decode('inv', id),
      );
    expect(await ids('')).toEqual([second.id, first.id]);
    expect(await ids('?status=OPEN')).toEqual([first.id]);
    expect(statusAndCode(await org.as(ada)(`${LIST}?status=LATE`))).toEqual([400, 'invalid_input']);
  });

  it('is announced, and mailed once to owners and the address for invoices', async () => {
    const email = await addressOf();
    const { id } = await final();
    await settleInvoice(of(), id, 2261);
    const mail = await app.mailTo(email);
    expect(mail.subject).toMatch(/^Invoice “INV-\d+” of “Acme”/);
    const types = await app.rows('events').where({ organizationId: org.organizationId }).orderBy('id').pluck('type');
    expect(types.filter((type: string) => /^invoice\.(finalized|paid)/.test(type))).toEqual([
      'invoice.finalized',
      'invoice.paid',
    ]);
    expect(types.filter((type: string) => type === 'invoice.mailed')).toHaveLength(4); // two notices, two addresses
  });
});

describe('tax', () => {
  it.each([
    ['of the same country', { country: 'DE' }, 'DE123456789', 'STANDARD', 361],
    ['of another member state, with a tax id', { country: 'FR' }, 'FR12345678901', 'REVERSE_CHARGE', 0],
    ['of another member state, without one', { country: 'FR' }, null, 'STANDARD', 380],
    ['of a member state without a rate', { country: 'IT' }, null, 'STANDARD', 361],
    ['of elsewhere', { country: 'US' }, '123456789', 'NONE', 0],
    ['of nowhere that is known', null, null, 'STANDARD', 361],
  ] as const)('of a buyer %s', async (_, address, taxId, taxTreatment, taxMinor) => {
    await bill(address, taxId);
    expect(await final()).toMatchObject({ taxTreatment, taxMinor });
  });

  it('rule 33: is rounded once for each rate, on the sum, and the lines agree with it', async () => {
    // 3 × 33 cents: 6.27 each would be 18 in all; 19 % of 99 is 18.81.
    const lines = Array.from({ length: 3 }, () => ({ ...PLAN, unitMinor: 33, amountMinor: 33 }));
    const { id, taxMinor, totalMinor } = await final([...lines, { ...PLAN, taxRatePpm: 70_000 }]);
    const taxes = (await linesOf(id)).map((line) => line.taxMinor);
    expect([taxMinor, taxes]).toEqual([19 + 133, [7, 6, 6, 133]]);
    expect(totalMinor).toBe(99 + 1900 + 152);
  });

  it('rule 33: the database refuses an invoice whose lines do not add up', async () => {
    const { id } = await draft();
    await app.rows('invoices').where({ id }).update({ subtotalMinor: 1800, totalMinor: 1800 });
    const makeFinal = app.rows.raw(
      `update invoices set status = 'OPEN', series = 'INV', number = 999999, tax_treatment = 'NONE', seller = '{}',
       buyer = '{}', issued_at = created_at, due_at = created_at where organization_id = ? and id = ?`,
      [org.organizationId, id],
    );
    await expect(makeFinal).rejects.toThrow('do not add up');
  });
});

describe('numbers', () => {
  it('rule 34: have no gaps and no twins, 50 at once, with drafts and rollbacks between', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, () => makeOrganization(app, ada)));
    const last = async (): Promise<number> =>
      (await app.rows('invoice_series').where({ series: 'INV' }).first())?.lastNumber ?? 0;
    const before = await last();
    const finish = async (at: number): Promise<number | null> => {
      const ctx: Context & ReturnType<typeof of> = of(others[at % others.length]);
      const lines = [PLAN];
      const { id } = await draftInvoice(ctx, { reason: 'OTHER', collection: 'AUTOMATIC', currency: 'EUR', lines });
      if (at % 5 === 4) return null; // stays a draft
      const work = transaction(ctx, async (ctx) => {
        const { number } = await finaliseInvoice(ctx, id);
        if (at % 5 === 3) throw new Error('the caller fails');
        return number;
      });
      return work.catch(() => null);
    };
    const numbers = (await Promise.all(Array.from({ length: 50 }, (_, at) => finish(at)))).filter((n) => n !== null);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, at) => before + at + 1));
    expect(await last()).toBe(before + 30);
  });

  it('rule 34: the database refuses one that is taken, where the counter was turned back', async () => {
    await final();
    const { id } = await draft();
    const turn = (by: number) => app.rows('invoice_series').where({ series: 'INV' }).increment('lastNumber', by);
    await turn(-1);
    await expect(finaliseInvoice(of(), id)).rejects.toThrow('invoices_number_unique');
    await turn(1);
    expect(await finaliseInvoice(of(), id)).toMatchObject({ status: 'OPEN' });
  });
});

describe('the currency', () => {
  it('rule 32: is decided by the first invoice; another one is a 409 that says what to do', async () => {
    await final();
    const { id } = await draft([PLAN], { currency: 'USD' });
    await expect(finaliseInvoice(of(), id)).rejects.toMatchObject({ errorCode: 'currency_fixed', status: 409 });
    expect((await org.as(ada)('/api/v1/subscriptions/billing-info')).body.currency).toBe('EUR');
  });

  it('rule 31: without a minor unit is not divided by a hundred', async () => {
    const email = await addressOf();
    const { id, totalMinor } = await final([{ ...PLAN, unitMinor: 500, amountMinor: 500 }], { currency: 'JPY' });
    const mail = await app.mailTo(email);
    expect((await get(id)).body.total).toEqual({ amountMinor: 595, currency: 'JPY' });
    expect([totalMinor, mail.text]).toEqual([595, expect.stringContaining('595 JPY are to be paid')]);
  });
});

describe('the document', () => {
  const path = (id: number) => `${LIST}/${app.ports.ids.encode('inv', id)}/download`;
  const download = (id: number, by = org.as(ada)) => by(path(id));
  /** Once it is rendered. */
  const rendered = (id: number) =>
    eventually(async () => {
      const response = await fetch(app.url + path(id), {
        headers: { authorization: `Bearer ${ada.tokens.accessToken}`, 'x-organization-id': org.id },
      });
      return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
    }, 'the document');
  const hashOf = (pdf: Buffer) => createHash('sha256').update(pdf).digest('hex');

  it('is the one whose hash the invoice and the audit log have, and is made again as it was', async () => {
    const { id } = await final();
    const pdf = await rendered(id);
    const { pdfSha256 } = await find(id);
    expect(hashOf(pdf)).toBe(pdfSha256);
    const { organizationId } = org;
    const logged = await app.rows('audit_logs').where({ organizationId, action: 'invoice.rendered' }).first('after');
    expect(logged.after.pdfSha256).toBe(pdfSha256);
    await settleInvoice(of(), id, 2261); // what is printed does not change
    await app.ports.storage.remove(`invoices/${organizationId}`);
    expect(hashOf(await rendered(id))).toBe(pdfSha256);
    const { number } = (await get(id)).body;
    expect((await download(id)).headers.get('content-disposition')).toBe(`attachment; filename="${number}.pdf"`);
  });

  it('that is not there yet is refused, and asked for', async () => {
    const { id } = await final();
    const { storage } = app.ports;
    app.ports.storage = { ...storage, get: async () => null };
    const answer = await download(id);
    app.ports.storage = storage;
    expect([...statusAndCode(answer), answer.headers.get('retry-after')]).toEqual([409, 'invoice_not_rendered', '2']);
    expect((await rendered(id)).length).toBeGreaterThan(1000);
  });

  it('of a draft is refused, and of another organization not found', async () => {
    const { id } = await draft();
    expect(statusAndCode(await download(id))).toEqual([409, 'invoice_is_draft']);
    const other = await makeOrganization(app, ada);
    expect(statusAndCode(await download(id, other.as(ada)))).toEqual([404, 'not_found']);
  });

  it('of a credit note names the invoice', async () => {
    const { id } = await final();
    await creditInvoice(of(), id, { key: 'all', note: 'Outage', of: { totalMinor: 2261 }, isRefunded: false });
    const note = await InvoiceModel.of(of()).findOne({ correctsId: id }).throwIfNotFound();
    expect((await rendered(note.id)).subarray(0, 5).toString()).toBe('%PDF-');
  });
});

describe('a payment', () => {
  it('rule 38: settles once; another one, or more than is due, counts for nothing', async () => {
    const { id } = await final();
    const results = await Promise.all(Array.from({ length: 5 }, () => settleInvoice(of(), id, 2261)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await find(id)).toMatchObject({ status: 'PAID', paidMinor: 2261 });
  });

  it('of a part leaves the rest due', async () => {
    const { id } = await final();
    expect(await settleInvoice(of(), id, 2000)).toMatchObject({ status: 'OPEN', dueMinor: 261 });
    expect(await find(id)).toMatchObject({ status: 'OPEN', dueMinor: 261 });
    expect(await settleInvoice(of(), id, 262)).toBeNull();
    expect(await settleInvoice(of(), id, 261)).toMatchObject({ status: 'PAID' });
    expect((await find(id)).status).toBe('PAID');
  });
});

describe('a credit note', () => {
  it('rule 40: names the line, once for a key, and never more than the line', async () => {
    const { id } = await final([PLAN, { ...PLAN, description: 'Seat' }]);
    await settleInvoice(of(), id, 4522);
    const [line] = await linesOf(id);
    const credit = (key: string, amountMinor: number) =>
      creditInvoice(of(), id, { key, note: 'Goodwill', of: [{ lineId: line!.id, amountMinor }], isRefunded: false });
    const notes = await Promise.all([credit('a', 1000), credit('a', 1000)]);
    expect(notes[0]!.id).toBe(notes[1]!.id);
    expect(notes[0]).toMatchObject({ kind: 'CREDIT_NOTE', series: 'INVC', totalMinor: -1190, correctsId: id });
    await credit('b', 900); // the rest, with the rest of its tax
    await expect(credit('c', 1)).rejects.toThrow();
    expect(await find(id)).toMatchObject({ status: 'PAID', creditedMinor: 2261, returnedMinor: 2261 });
  });

  it('rule 40: the database refuses a second one of the same key', async () => {
    const { id } = await final();
    await creditInvoice(of(), id, { key: 'a', note: 'Goodwill', of: { totalMinor: 100 }, isRefunded: false });
    const again = `
      insert into invoices (organization_id, kind, status, reason, collection, currency, corrects_id, correction_key,
        created_at, updated_at)
      select organization_id, kind, 'DRAFT', reason, collection, currency, corrects_id, correction_key, created_at, updated_at
      from invoices where organization_id = ? and corrects_id = ?`;
    await expect(app.rows.raw(again, [org.organizationId, id])).rejects.toThrow('invoices_correction_unique');
  });

  it('pays the next invoice from the balance, without a payment', async () => {
    const { id } = await final();
    await settleInvoice(of(), id, 2261);
    await creditInvoice(of(), id, { key: 'all', note: 'Outage', of: { totalMinor: 2261 }, isRefunded: false });
    const next = await final([{ ...PLAN, unitMinor: 1000, amountMinor: 1000 }]);
    expect(next).toMatchObject({ status: 'PAID', balanceMinor: 1190, paidMinor: 0 });
    const third = await final();
    expect(third).toMatchObject({ status: 'OPEN', balanceMinor: 1071, dueMinor: 2261 - 1071 });
  });

  it('rule 43: of an open invoice makes nothing due, so that it is overdue no more', async () => {
    const { id } = await final();
    await creditInvoice(of(), id, { key: 'all', note: 'Cancelled', of: { totalMinor: 2261 }, isRefunded: false });
    expect(await find(id)).toMatchObject({ status: 'PAID', dueMinor: 0, returnedMinor: 0 });
    expect((await org.as(ada)(`${LIST}?status=OPEN`)).body.items).toEqual([]);
  });

  it('rule 39: that is refunded lowers what was paid, not the balance', async () => {
    const { id } = await final();
    await settleInvoice(of(), id, 2261);
    await creditInvoice(of(), id, { key: 'rfd', note: 'Refund', of: { totalMinor: 1000 }, isRefunded: true });
    expect(await find(id)).toMatchObject({ paidMinor: 1261, creditedMinor: 1000, returnedMinor: 0, status: 'PAID' });
    expect((await final()).balanceMinor).toBe(0);
  });
});

describe('the books', () => {
  /** What is left on each account, without those of which nothing is. */
  async function accounts(): Promise<Record<string, number>> {
    const rows = await app.rows('journal_lines').where({ organizationId: org.organizationId });
    const sums: Record<string, number> = {};
    for (const { account, amountMinor } of rows) sums[account] = (sums[account] ?? 0) + Number(amountMinor);
    return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
  }

  it('have what is claimed, what of it is tax, and what is owed to the customer', async () => {
    const { id } = await final();
    expect(await accounts()).toEqual({ receivable: 2261, revenue: -1900, tax: -361 });
    await settleInvoice(of(), id, 2261);
    await creditInvoice(of(), id, { key: 'a', note: 'Outage', of: { totalMinor: 1190 }, isRefunded: false });
    expect(await accounts()).toEqual({ receivable: 2261, revenue: -900, tax: -171, customer_balance: -1190 });
    const next = await final();
    expect(await accounts()).toEqual({ receivable: 2261 + 1071, revenue: -2800, tax: -532 });
    await voidInvoice(of(), next.id);
    expect(await accounts()).toEqual({ receivable: 2261, revenue: -900, tax: -171, customer_balance: -1190 });
  });

  it('rule 39: have a refund of an invoice as less revenue, not as a cost', async () => {
    const { id } = await final();
    await settleInvoice(of(), id, 2261);
    await creditInvoice(of(), id, { key: 'rfd', note: 'Refund', of: { totalMinor: 2261 }, isRefunded: true });
    expect(await accounts()).toEqual({ receivable: 2261, refunds: -2261 }); // the payment and its refund post the rest
  });
});

describe('the balance', () => {
  it('gets what a change leaves below zero, and pays it out with the next invoice', async () => {
    const less = await final([PLAN, { kind: 'PRORATION', description: 'Unused', amountMinor: -2900 }]);
    expect(less).toMatchObject({ status: 'PAID', totalMinor: -1190, balanceMinor: -1190 });
    expect(await final()).toMatchObject({ balanceMinor: 1190, dueMinor: 1071 });
  });

  it('returns what it had paid of an invoice that is voided', async () => {
    await final([{ kind: 'PRORATION', description: 'Unused', amountMinor: -100 }]);
    const { id } = await final();
    await voidInvoice(of(), id);
    expect(await find(id)).toMatchObject({ status: 'VOID', dueMinor: 0 });
    expect(await final()).toMatchObject({ balanceMinor: 119 });
    await expect(settleInvoice(of(), id, 1)).resolves.toBeNull();
  });
});
