import type { CardBehavior } from '@rentapi/fake-payments/stripe';
import { execute, type Statement } from '@rentapi/platform/database';
import { type Act, METHOD, PAID, type People, type Person, SUBSCRIPTION } from './people.ts';
import type { Sandbox } from './sandbox.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;
/** A setup that has failed is begun again after so many days. */
const PATIENCE_DAYS = 10;

const OPEN_DISPUTES: Statement = {
  text: `
    select external_id as id from disputes
    where organization_id = $1 and provider = 'stripe' and status = 'OPEN' order by id`,
};

interface SandboxPeopleOptions {
  world: World;
  sandbox: Sandbox;
  people: People;
  later(person: Person, ms: number, act: Act): void;
}

/**
 * People who never see a page: they save a test card first. What happens by chance elsewhere happens here to each of
 * them once in three months: a change of plan, a card that is declined, a refund and a dispute.
 */
export function createSandboxPeople({ world, sandbox, people, later }: SandboxPeopleOptions): { arrive: Act } {
  const waited = new Map<Person, number>();
  let arrived = 0;
  const find = async <Row extends object>(statement: Statement, { customer }: Person): Promise<Row[]> =>
    execute<Row>(world.ports.database, statement, [customer.id]);

  /** One for which a change is paid at once. */
  async function subscriptionOf(person: Person): Promise<{ plan: string; quantity: number } | null> {
    const [row] = await find<{ status: string; plan: string; quantity: number }>(SUBSCRIPTION, person);
    return row?.status === 'ACTIVE' ? row : null;
  }

  async function arrive(person: Person): Promise<void> {
    const [method] = await find(METHOD, person);
    if (!method) {
      const days = waited.get(person) ?? 0;
      waited.set(person, days + 1);
      if (days % PATIENCE_DAYS === 0) await people.saveMethod(person);
      return later(person, DAY_MS, arrive); // until it is listed
    }
    await people.subscribe(person);
    later(person, 4 * DAY_MS, changePlan);
    later(person, 17 * DAY_MS, arrived++ % 2 === 0 ? loseCard : changeBank);
    later(person, person.random.between(20, 40) * DAY_MS, people.reconsider);
    later(person, 50 * DAY_MS, refund);
    later(person, 53 * DAY_MS, takeDisputedCard);
  }

  async function changePlan(person: Person): Promise<void> {
    const row = await subscriptionOf(person);
    if (!row) return later(person, 3 * DAY_MS, changePlan);
    await person.customer.call('PATCH', '/subscriptions', { plan: row.plan === 'BASIC' ? 'PRO' : 'BASIC' });
  }

  /** False where there is no card yet: the act is to be done later. */
  async function changeCard(person: Person, behavior: CardBehavior, act: Act): Promise<boolean> {
    const [method] = await find<{ id: string }>(METHOD, person);
    if (method) await sandbox.behave(method.id, behavior);
    else later(person, DAY_MS, act);
    return method !== undefined;
  }

  /** The next renewal is declined; `repair` brings a card that pays. */
  async function loseCard(person: Person): Promise<void> {
    await changeCard(person, 'declines', loseCard);
  }

  /** The next renewal asks for its payer, who leaves the page; `repair` as above. */
  async function changeBank(person: Person): Promise<void> {
    await changeCard(person, 'needs_payer', changeBank);
  }

  async function refund(person: Person): Promise<void> {
    const [paid] = await find<{ id: number }>(PAID, person);
    if (!paid) return later(person, 3 * DAY_MS, refund);
    const path = `/admin/payments/${world.ports.ids.encode('pay', paid.id)}/refund`;
    const { status } = await world.callAsStaff('POST', path, { reason: 'Asked for' });
    if (status >= 400) later(person, 3 * DAY_MS, refund);
  }

  async function takeDisputedCard(person: Person): Promise<void> {
    if (await changeCard(person, 'is_disputed', takeDisputedCard)) later(person, DAY_MS, payDisputed);
  }

  /** More seats are paid at once, with the card that disputes it. */
  async function payDisputed(person: Person): Promise<void> {
    const row = await subscriptionOf(person);
    const [method] = await find<{ id: string }>(METHOD, person);
    const isReady = row && method && sandbox.behaviorOf(method.id) === 'is_disputed';
    if (!isReady) return later(person, DAY_MS, method ? payDisputed : takeDisputedCard);
    const { status } = await person.customer.call('PATCH', '/subscriptions', { quantity: row.quantity + 1 });
    if (status >= 400) return later(person, DAY_MS, payDisputed);
    await sandbox.behave(method.id, 'pays');
    later(person, person.random.between(3, 8) * DAY_MS, endDispute);
  }

  async function endDispute(person: Person): Promise<void> {
    const [dispute] = await find<{ id: string }>(OPEN_DISPUTES, person);
    if (!dispute) return later(person, DAY_MS, endDispute);
    await sandbox.closeDispute(dispute.id, person.random.chance(0.5) ? 'won' : 'lost');
  }

  return { arrive };
}
