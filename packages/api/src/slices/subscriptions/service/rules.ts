import type { ProviderName } from '@rentapi/payments/payment-provider';
import type { Context } from '../../../context.ts';
import type { Rules } from '../state.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long things wait, by the settings of the server. A transfer by hand may take as long as its invoice says. */
export function rulesOf({ ports }: Pick<Context, 'ports'>, provider: ProviderName): Rules {
  const { BILLING_GRACE_DAYS, PAST_DUE_GRACE_DAYS, DUNNING_DAYS, INVOICE_DUE_DAYS } = ports.env;
  const byHandMs = provider === 'manual' ? INVOICE_DUE_DAYS * DAY_MS : 0;
  return {
    incompleteMs: 23 * HOUR_MS + byHandMs,
    graceMs: BILLING_GRACE_DAYS * DAY_MS + byHandMs,
    pastDueGraceMs: PAST_DUE_GRACE_DAYS * DAY_MS,
    dunningDays: DUNNING_DAYS,
  };
}
