import { listenLocally } from '@rentapi/fake-payments/server';
import { createFakeStripe } from '@rentapi/fake-payments/stripe';

const CARDS = /^\/cards\/(\d{1,5})$/;

/** Stripe on this machine, as a program of its own. `POST /cards/1000` answers the ids of so many new cards. */
const fake = await createFakeStripe({
  clock: { now: () => new Date() },
  secretKey: process.env['STRIPE_SECRET_KEY'] ?? '',
  webhookSecret: 'whsec_of_the_bench',
  serve: (listener) =>
    listenLocally((req, res) => {
      const wanted = CARDS.exec(req.url ?? '')?.[1];
      if (wanted === undefined) return listener(req, res);
      const ids = Array.from({ length: Number(wanted) }, () => fake.addCard('cus_of_the_bench', 'pays'));
      res.end(JSON.stringify(ids));
    }),
});
process.stderr.write(`ready on ${fake.url}\n`);
