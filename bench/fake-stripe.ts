import { listenLocally } from '@rentapi/fake-payments/server';
import { createFakeStripe } from '@rentapi/fake-payments/stripe';

const CARDS = /^\/cards\/(\d{1,5})$/;

const DELAY = /^\/answers-after\/(\d{1,4})$/;
let answersAfterMs = 0;

/**
 * Stripe on this machine, as a program of its own. `POST /cards/1000` answers the ids of so many new cards, and
 * after `POST /answers-after/50` it takes so many milliseconds for each answer.
 */
const fake = await createFakeStripe({
  clock: { now: () => new Date() },
  secretKey: process.env['STRIPE_SECRET_KEY'] ?? '',
  webhookSecret: 'whsec_of_the_bench',
  serve: (listener) =>
    listenLocally((req, res) => {
      const delay = DELAY.exec(req.url ?? '')?.[1];
      if (delay !== undefined) {
        answersAfterMs = Number(delay);
        return void res.end();
      }
      const wanted = CARDS.exec(req.url ?? '')?.[1];
      if (wanted === undefined && answersAfterMs === 0) return listener(req, res);
      if (wanted === undefined) return void setTimeout(() => listener(req, res), answersAfterMs);
      const ids = Array.from({ length: Number(wanted) }, () => fake.addCard('cus_of_the_bench', 'pays'));
      res.end(JSON.stringify(ids));
    }),
});
process.stderr.write(`ready on ${fake.url}\n`);
