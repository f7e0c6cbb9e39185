import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { EventHeaders, ObjectKind, ObjectRef, ProviderEvent } from '../payment-provider.ts';
import { ForgedEventError } from '../provider-error.ts';

const TOLERANCE_S = 300;
const ObjectId = z.string().regex(/^\w{1,128}$/);

/** As much of an event as we read. */
const Event = z.object({
  id: ObjectId,
  object: z.literal('event'),
  type: z.string().regex(/^[\w.]{1,100}$/),
  created: z.int().min(0).max(253402300799),
  livemode: z.boolean(),
  data: z.object({ object: z.object({ id: z.string().optional(), object: z.string(), mode: z.string().nullish() }) }),
});

export function verifyStripeEvent(
  stripe: Stripe,
  secrets: readonly string[],
  { raw, headers, now }: { raw: Buffer; headers: EventHeaders; now: Date },
): ProviderEvent {
  const signature = headers['stripe-signature'];
  if (typeof signature !== 'string') throw new ForgedEventError('the header `Stripe-Signature` is missing');
  // The library accepts every time in the future, and such an event could be sent again for ever.
  const signedAtS = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/.exec(signature)?.[1] ?? Number.NaN);
  if (!(signedAtS <= now.getTime() / 1000 + TOLERANCE_S)) {
    throw new ForgedEventError('the header `Stripe-Signature` has no time, or one in the future');
  }
  for (const secret of secrets) {
    const signed = openSigned(stripe, { raw, signature, secret, now });
    if (signed) return parseStripeEvent(signed.value);
  }
  throw new ForgedEventError('the signature is of another secret or body, or is too old');
}

interface Signed {
  raw: Buffer;
  signature: string;
  secret: string;
  now: Date;
}

/** What was signed; null where it was not. The library throws for whatever it does not like, in several classes. */
function openSigned(stripe: Stripe, { raw, signature, secret, now }: Signed): { value: unknown } | null {
  try {
    return {
      value: stripe.webhooks.constructEvent(raw, signature, secret, TOLERANCE_S, undefined, now.getTime()),
    };
  } catch {
    return null;
  }
}

/** Signed is not yet an event: a thin one, `null` or a list is signed as well. */
export function parseStripeEvent(value: unknown): ProviderEvent {
  const { success, data: event } = Event.safeParse(value);
  if (!success) throw new ForgedEventError('this is not an event with a snapshot of an object');
  const { object, id, mode } = event.data.object;
  const subject: Record<string, string> = { object };
  if (id !== undefined) subject['id'] = id;
  if (mode) subject['mode'] = mode;
  return {
    id: event.id,
    type: event.type,
    createdAt: new Date(event.created * 1000),
    isLive: event.livemode,
    verified: true,
    subject,
  };
}

const KINDS: ReadonlyMap<string, ObjectKind> = new Map([
  ['checkout.session', 'charge'],
  ['payment_intent', 'charge'],
  ['setup_intent', 'setup'],
  ['payment_method', 'method'],
  ['refund', 'refund'],
  ['dispute', 'dispute'],
  ['customer', 'customer'],
]);

export function stripeObjectOf({ subject }: ProviderEvent): ObjectRef | null {
  const { object = '', id, mode } = subject;
  const kind = object === 'checkout.session' && mode === 'setup' ? 'setup' : KINDS.get(object);
  return kind && ObjectId.safeParse(id).success ? { kind, id: id! } : null;
}
