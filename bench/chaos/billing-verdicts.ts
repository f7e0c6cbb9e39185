import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { printVerdicts, spreadOf } from '../report.ts';
import { type Scene, untilTrue } from './billing-scene.ts';

/** What holds whatever happens. */
interface Check {
  promise: string;
  atMost: number;
  unit: string;
  /** The worst that is found. */
  measure(scene: Scene): Promise<number>;
}

const CREDITED_WITHIN_S = 60;
const MAX_PRINTED = 10;

interface Totals {
  renewed: number;
  bought: number;
  payments: number;
  cash: number;
  grants: number;
}

const TOTALS = `
  select (select count(*) from subscriptions where period_index = 1 and status = 'ACTIVE' and renewal_invoice_id is null)::integer as renewed,
         (select count(distinct subject_id) from payments where purpose = 'CREDITS' and status = 'SUCCEEDED')::integer as bought,
         (select count(*) from payments where status = 'SUCCEEDED')::integer as payments,
         (select coalesce(sum(amount_minor), 0) from payments where status = 'SUCCEEDED')::integer as cash,
         (select count(*) from credit_grants)::integer as grants`;

async function totalsOf({ stage }: Scene): Promise<Totals> {
  return (await stage.database.query<Totals>(TOTALS)).rows[0]!;
}

/** Waits until all that was due or bought is paid, or too much time has passed. */
export async function settle(scene: Scene, withinMs: number): Promise<void> {
  await untilTrue(async () => {
    await scene.deliver();
    const { renewed, bought } = await totalsOf(scene);
    return renewed === scene.renewals && bought === scene.purchases.length;
  }, withinMs);
}

/** What the providers have moved, in cents. */
const chargedBy = ({ stripe, paypal }: Scene): number =>
  stripe.balance('usd') + Number(paypal.balance('USD').replace('.', ''));

const none = (promise: string, differing: (totals: Totals, scene: Scene) => number): Check => ({
  promise,
  atMost: 0,
  unit: 'of them',
  measure: async (scene) => Math.abs(differing(await totalsOf(scene), scene)),
});

/** Holds at every moment, also while no server runs. */
export const FAULTS: Check = {
  promise: 'Faults of the books',
  atMost: 0,
  unit: 'of them',
  async measure({ ports, clock }) {
    const faults = await findBillingFaults(ports.database, clock.now());
    for (const fault of faults.slice(0, MAX_PRINTED)) process.stderr.write(`${JSON.stringify(fault)}\n`);
    return faults.length;
  },
};

/** Holds soon after a server runs again. */
export const CREDITED: Check = {
  promise: 'Charged, but not credited, the longest',
  atMost: CREDITED_WITHIN_S,
  unit: 's',
  async measure(scene) {
    const beganAt = performance.now();
    const isCredited = await untilTrue(async () => {
      await scene.deliver();
      const charged = chargedBy(scene);
      const { cash, payments, grants } = await totalsOf(scene);
      return cash === charged && grants === payments;
    }, CREDITED_WITHIN_S * 1000);
    return isCredited ? (performance.now() - beganAt) / 1000 : Number.POSITIVE_INFINITY;
  },
};

const expectedOf = ({ renewals, purchases }: Scene): number => renewals + purchases.length;

/** Hold once nothing is under way any more. */
export const AT_THE_END: readonly Check[] = [
  CREDITED,
  FAULTS,
  none('Renewals that are not paid', ({ renewed }, { renewals }) => renewals - renewed),
  none('Purchases that are not paid', ({ bought }, { purchases }) => purchases.length - bought),
  none('Payments too few or too many', ({ payments }, scene) => payments - expectedOf(scene)),
  none('Grants of credits too few or too many', ({ grants }, scene) => grants - expectedOf(scene)),
  none('Cents that differ from the balances of Stripe and PayPal', ({ cash }, scene) => cash - chargedBy(scene)),
];

/** Keeps the worst of each promise, and after what it was first missed. */
export function createJudge() {
  const seen = new Map<string, Omit<Check, 'measure'> & { worst: number; missedAfter: string | null }>();
  return {
    note({ promise, atMost, unit }: Omit<Check, 'measure'>, measured: number, after: string): void {
      const { worst, missedAfter } = seen.get(promise) ?? { worst: 0, missedAfter: null };
      const isFirst = missedAfter === null && measured > atMost;
      if (isFirst) process.stderr.write(`missed after ${after}: ${promise}, ${measured}\n`);
      const first = isFirst ? after : missedAfter;
      seen.set(promise, { promise, atMost, unit, worst: Math.max(worst, measured), missedAfter: first });
    },
    /** Prints a verdict for each promise, and returns whether all were kept. */
    conclude(): boolean {
      const all = [...seen.values()];
      printVerdicts(
        all.map(({ promise, atMost, unit, worst, missedAfter }) => ({
          promise: missedAfter === null ? promise : `${promise}, first after ${missedAfter}`,
          measured: spreadOf([worst]),
          atMost,
          unit,
        })),
      );
      return all.every(({ missedAfter }) => missedAfter === null);
    },
  };
}
