import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Deliveries } from './deliveries.ts';
import { type Listening, listenLocally, type Serve } from './server.ts';

export interface DevelopmentFakes {
  stripe: { secretKey: string; webhookSecret: string; apiBase: string };
  paypal: { clientId: string; clientSecret: string; webhookId: string; apiBase: string; trustedRoots: string[] };
  /** Sends events to these addresses from now on. */
  deliverTo(webhooks: { stripe: string; paypal: string }): void;
  close(): Promise<void>;
}

interface Fake extends Deliveries {
  sendEventsTo(url: string | null): void;
}

const SOON_MS = 100;
const VALID_DAYS = 3650;

const secret = (): string => randomBytes(12).toString('hex');

/** Both fakes for a developer's server. Each listens at once and is loaded by its first request: idle costs nothing. */
export async function openDevelopmentFakes(
  clock: { now(): Date },
  { retryMs = 5000 }: { retryMs?: number } = {},
): Promise<DevelopmentFakes> {
  // An id of an earlier run is never given again: what our rows say of it would be of another object.
  const run = randomBytes(4).toString('hex').toUpperCase();
  const ofStripe = { secretKey: `sk_test_${secret()}`, webhookSecret: `whsec_${secret()}` };
  const ofPayPal = { clientId: `fake-${secret()}`, clientSecret: secret(), webhookId: `WH-${secret()}` };
  const trustedRoots: string[] = [];

  const stripe = await openFake(retryMs, async (serve, onEvent) => {
    const { createFakeStripe } = await import('./stripe.ts');
    return createFakeStripe({ clock, ...ofStripe, run, serve, onEvent });
  });
  const paypal = await openFake(retryMs, async (serve, onEvent) => {
    const [{ createFakePayPal }, { createSigner }] = await Promise.all([import('./paypal.ts'), import('./signer.ts')]);
    const signer = await createSigner({ now: clock.now(), validDays: VALID_DAYS });
    trustedRoots.push(signer.root);
    return createFakePayPal({ clock, ...ofPayPal, signer, run, serve, onEvent });
  });
  return {
    stripe: { ...ofStripe, apiBase: stripe.url },
    paypal: { ...ofPayPal, apiBase: paypal.url, trustedRoots },
    deliverTo(webhooks) {
      stripe.deliverTo(webhooks.stripe);
      paypal.deliverTo(webhooks.paypal);
    },
    async close() {
      await Promise.all([stripe.close(), paypal.close()]);
    },
  };
}

async function openFake(retryMs: number, load: (serve: Serve, onEvent: () => void) => Promise<Fake>) {
  let loading: Promise<{ fake: Fake; answer: RequestListener }> | undefined;
  let webhookUrl: string | null = null;
  let timer: NodeJS.Timeout | undefined;

  const listening: Listening = await listenLocally((req, res) => {
    loading ??= loadOnce();
    void loading.then(
      ({ answer }) => answer(req, res),
      () => res.destroy(),
    );
  });

  async function loadOnce() {
    let answer: RequestListener = (_, res) => void res.destroy();
    const serve: Serve = async (listener) => {
      answer = listener;
      return listening;
    };
    const fake = await load(serve, () => sendAfter(SOON_MS));
    fake.sendEventsTo(webhookUrl);
    return { fake, answer };
  }

  /** After the answer to what has caused the event, and again until it is accepted. */
  function sendAfter(delayMs: number): void {
    timer ??= setTimeout(() => void send(), delayMs).unref();
  }

  async function send(): Promise<void> {
    timer = undefined;
    const { fake } = await loading!;
    await fake.deliver();
    if (fake.pending.length > 0) sendAfter(retryMs);
  }

  return {
    url: listening.url,
    deliverTo(url: string) {
      webhookUrl = url;
      void loading?.then(({ fake }) => fake.sendEventsTo(url));
    },
    async close() {
      clearTimeout(timer);
      await listening.close();
    },
  };
}
