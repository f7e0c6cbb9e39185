import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const METERS = '/api/v1/usage/meters';

/** Four digits, which are not compared. */
let made = 1000;

interface GivenMeter {
  slug?: string;
  aggregation?: string;
  property?: string;
}

async function meter({ owner, here }: Fixture, given: GivenMeter = {}): Promise<{ id: string; slug: string }> {
  const body = { slug: randomUUID(), name: 'Proven', aggregation: 'sum', ...given };
  return (await owner.request(METERS, { method: 'POST', headers: here, body })).body;
}

/** The one that the examples name. */
async function tokens(fixture: Fixture): Promise<string> {
  const { id } = await meter(fixture, { slug: 'tokens', property: 'tokens' });
  if (id) return id;
  const { body } = await fixture.owner.request(`${METERS}?limit=100`, { headers: fixture.here });
  return body.items.find(({ slug }: { slug: string }) => slug === 'tokens').id;
}

/** That one, beside another. */
async function meters(fixture: Fixture): Promise<string> {
  await meter(fixture);
  return tokens(fixture);
}

const refused =
  (event: object, of: GivenMeter = {}): Failing =>
  async (fixture) => {
    const { slug } = await meter(fixture, of);
    return byOwner(fixture, { events: [{ transactionId: randomUUID(), meter: slug, value: 1, ...event }] });
  };

const hoursFromNow = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

const range =
  (input: object): Failing =>
  async (fixture) => {
    const { id } = await meter(fixture);
    const day = { from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z' };
    return byOwner(fixture, { meterId: id, ...day, ...input });
  };

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: { mtr: meters },
  scenarios: {
    'usage.meters.create': async (fixture) =>
      byOwner(fixture, { slug: `proven-${++made}`, name: 'Proven', aggregation: 'count' }),
    'usage.meters.archive': async (fixture) => byOwner(fixture, { meterId: (await meter(fixture)).id }),
    'usage.ingest': async (fixture) => {
      await tokens(fixture);
      const event = { transactionId: randomUUID(), meter: 'tokens', properties: { tokens: 1 } };
      return byOwner(fixture, { events: [event] });
    },
  },
  failures: {
    'usage.meters.create': {
      meter_slug_taken: async (fixture) => {
        const { slug } = await meter(fixture);
        return byOwner(fixture, { slug, name: 'Second', aggregation: 'count' });
      },
    },
    'usage.meters.values': {
      unknown_time_zone: range({ timeZone: 'Mars/Olympus' }),
      time_range_unbounded: async (fixture) => byOwner(fixture, { meterId: (await meter(fixture)).id }),
      time_range_reversed: range({ to: '2026-01-31T00:00:00Z' }),
      time_range_too_long: range({ to: '2026-03-31T00:00:00Z', interval: 'hour' }),
    },
    'usage.ingest': {
      unknown_meter: refused({ meter: 'unknown' }),
      meter_archived: async (fixture) => {
        const { id, slug } = await meter(fixture);
        await fixture.owner.request(`${METERS}/${id}`, { method: 'DELETE', headers: fixture.here });
        return byOwner(fixture, { events: [{ transactionId: randomUUID(), meter: slug, value: 1 }] });
      },
      transaction_id_reused: async (fixture) => {
        const { slug } = await meter(fixture);
        const event = { transactionId: randomUUID(), meter: slug, value: 1 };
        return byOwner(fixture, { events: [event, { ...event, value: 2 }] });
      },
      usage_in_future: refused({ timestamp: hoursFromNow(1) }),
      usage_too_late: refused({ timestamp: hoursFromNow(-25) }),
      usage_property_missing: refused({}, { property: 'tokens' }),
      usage_value_missing: refused({ value: undefined }),
      usage_value_not_a_number: refused({ properties: { tokens: 'many' } }, { property: 'tokens' }),
      usage_value_negative: refused({ value: -1 }),
      usage_value_too_large: refused({ value: 1e13 }),
    },
  },
};
