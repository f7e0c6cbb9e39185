import { systemContext } from '../src/context.ts';
import { runDueSubscriptions } from '../src/slices/subscriptions/jobs.ts';
import { runControl, type TestApp } from './app.ts';
import { paymentsSettled } from './payments.ts';

/** What is due of subscriptions is done, and everything that follows. */
export async function sweepSubscriptions(app: TestApp): Promise<void> {
  await runDueSubscriptions.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
  await paymentsSettled(app);
}

/** The clock moves while nothing is under way, and what is due is done. */
export async function passTime(app: TestApp, ms: number): Promise<void> {
  await paymentsSettled(app);
  app.advance(ms);
  await sweepSubscriptions(app);
  await sweepSubscriptions(app); // what another had locked
}
