import { createFakePayPal, type FakePayPal } from './paypal.ts';
import { createSigner } from './signer.ts';
import { createFakeStripe, type FakeStripe } from './stripe.ts';

/** Both fakes, and what their clients are set up with. */
export interface FakePair {
  stripe: FakeStripe;
  paypal: FakePayPal;
  ofStripe: { secretKey: string; webhookSecret: string };
  ofPayPal: { clientId: string; clientSecret: string; webhookId: string; trustedRoots: string[] };
  close(): Promise<void>;
}

const VALID_DAYS = 3650;

/** Both fakes, which keep their events until they are told to deliver them below this address. */
export async function openFakePair(clock: { now(): Date }, webhooks: string): Promise<FakePair> {
  const ofStripe = { secretKey: 'sk_test_simulation', webhookSecret: 'whsec_simulation' };
  const ofPayPal = { clientId: 'client', clientSecret: 'secret', webhookId: 'WH-SIMULATION' };
  const signer = await createSigner({ now: clock.now(), validDays: VALID_DAYS });
  const [stripe, paypal] = await Promise.all([
    createFakeStripe({ clock, ...ofStripe, webhookUrl: `${webhooks}/stripe/webhook` }),
    createFakePayPal({ clock, ...ofPayPal, signer, webhookUrl: `${webhooks}/paypal/webhook` }),
  ]);
  return {
    stripe,
    paypal,
    ofStripe,
    ofPayPal: { ...ofPayPal, trustedRoots: [signer.root] },
    async close() {
      await Promise.all([stripe.close(), paypal.close()]);
    },
  };
}
