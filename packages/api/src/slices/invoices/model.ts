import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { Money } from '../../contract/money.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type {
  Invoice,
  InvoiceLine,
  InvoiceReason,
  InvoiceStatus,
  InvoiceSummary,
  LineKind,
  Party,
  TaxTreatment,
} from './schemas.ts';

const NUMBER_DIGITS = 6;

/** An invoice or a credit note. Once it has a number, the database refuses every change of what is printed on it. */
export class InvoiceModel extends TenantModel {
  static override tableName = 'invoices';

  declare kind: Invoice['kind'];
  declare status: InvoiceStatus;
  declare reason: InvoiceReason;
  /** Whether it is charged by itself: then its mail comes when it is paid. */
  declare collection: 'AUTOMATIC' | 'MANUAL';
  declare subscriptionId: number | null;
  declare periodKey: string | null;
  declare correctsId: number | null;
  declare correctionKey: string | null;
  declare series: string | null;
  declare number: number | null;
  declare currency: string;
  declare taxTreatment: TaxTreatment | null;
  declare subtotalMinor: number;
  declare taxMinor: number;
  declare totalMinor: number;
  /** What the customer's balance paid of it; below 0, what it added to that balance. */
  declare balanceMinor: number;
  declare paidMinor: number;
  declare creditedMinor: number;
  /** What of `creditedMinor` went to the customer's balance. */
  declare returnedMinor: number;
  /** What its payers took back through their banks. It stays paid: the dispute has entries of its own. */
  declare chargedBackMinor: number;
  declare seller: Party | null;
  declare buyer: Party | null;
  declare note: string | null;
  declare pdfSha256: string | null;
  declare issuedAt: Date | null;
  declare dueAt: Date | null;
  declare paidAt: Date | null;
  declare voidedAt: Date | null;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<InvoiceModel> {
    return {
      id: 'inv',
      keep: [
        'kind',
        'status',
        'reason',
        'series',
        'number',
        'currency',
        'subtotalMinor',
        'taxMinor',
        'totalMinor',
        'balanceMinor',
        'paidMinor',
        'creditedMinor',
        'returnedMinor',
        'chargedBackMinor',
        'pdfSha256',
        'issuedAt',
      ],
      refs: { organizationId: 'org', correctsId: 'inv' },
    };
  }

  /** What has been settled, by whatever means. */
  get settledMinor(): number {
    return this.paidMinor + this.balanceMinor + this.creditedMinor - this.returnedMinor;
  }

  get dueMinor(): number {
    return this.status === 'OPEN' || this.status === 'UNCOLLECTIBLE' ? this.totalMinor - this.settledMinor : 0;
  }

  /** As it is printed; null for a draft. */
  get label(): string | null {
    return this.number === null ? null : `${this.series}-${String(this.number).padStart(NUMBER_DIGITS, '0')}`;
  }

  money(amountMinor: number): Money {
    return { amountMinor, currency: this.currency };
  }

  summary(ids: Ids): InvoiceSummary {
    return {
      id: ids.encode('inv', this.id),
      kind: this.kind,
      number: this.label,
      status: this.status,
      reason: this.reason,
      correctsId: this.correctsId === null ? null : ids.encode('inv', this.correctsId),
      subtotal: this.money(this.subtotalMinor),
      tax: this.money(this.taxMinor),
      total: this.money(this.totalMinor),
      balance: this.money(this.balanceMinor),
      paid: this.money(this.paidMinor),
      credited: this.money(this.creditedMinor),
      due: this.money(this.dueMinor),
      issuedAt: isoOrNull(this.issuedAt),
      dueAt: isoOrNull(this.dueAt),
      paidAt: isoOrNull(this.paidAt),
      voidedAt: isoOrNull(this.voidedAt),
      createdAt: iso(this.createdAt),
    };
  }

  present(ids: Ids, lines: readonly InvoiceLineModel[]): Invoice {
    const { taxTreatment, seller, buyer, note, pdfSha256 } = this;
    return {
      ...this.summary(ids),
      taxTreatment,
      seller,
      buyer,
      note,
      lines: lines.map((line) => line.present(this.currency)),
      pdfSha256,
    };
  }
}

export class InvoiceLineModel extends TenantModel {
  static override tableName = 'invoice_lines';

  declare invoiceId: number;
  declare place: number;
  declare kind: LineKind;
  declare description: string;
  declare quantity: number;
  declare unitMinor: number | null;
  /** How many units `unitMinor` is for. */
  declare unitSize: number;
  declare amountMinor: number;
  declare periodStart: Date | null;
  declare periodEnd: Date | null;
  /** Null until the invoice is final, unless it has a rate of its own. */
  declare taxRatePpm: number | null;
  declare taxMinor: number;
  declare correctsLineId: number | null;

  present(currency: string): InvoiceLine {
    const { kind, description, quantity, unitMinor, unitSize, amountMinor, taxRatePpm, taxMinor } = this;
    return {
      kind,
      description,
      quantity,
      unitPrice: unitMinor === null ? null : { amountMinor: unitMinor, currency },
      unitSize,
      amount: { amountMinor, currency },
      taxRatePpm,
      tax: { amountMinor: taxMinor, currency },
      periodStart: isoOrNull(this.periodStart),
      periodEnd: isoOrNull(this.periodEnd),
    };
  }
}
