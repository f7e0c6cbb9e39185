import type { Fault } from '@rentapi/fake-payments/server';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** Since the last time it was asked. */
export interface Counts {
  /** Deliveries of events, repeats included. */
  events: number;
  /** Events that never arrive. */
  lost: number;
  /** Requests to providers that fail in some way, not counting those of an outage. */
  faults: number;
}

/** How events arrive, when providers fail, and when no worker runs. */
export interface Chaos {
  /** Sends what providers have to send; how much there was. */
  deliver(): Promise<number>;
  passDay(): void;
  /** Whether no worker runs. */
  isAsleep(): boolean;
  /** Whether no event is held back and no provider is away. */
  isQuiet(): boolean;
  /** Everything is well from now on. */
  end(): void;
  takeCounts(): Counts;
}

const DAY_MS = 86_400_000;
const ANY = /./;
const FAULTS: readonly Fault[] = [
  'lose_request',
  'rate_limited',
  'lose_answer',
  'half_body',
  'html_502',
  'wrong_type',
  'unknown_word',
  'server_error',
];

interface ChaosOptions {
  world: World;
  /** Null where nothing goes wrong. */
  random: Random | null;
}

export function createChaos({ world, random }: ChaosOptions): Chaos {
  const providers = [world.stripe, world.paypal].map((fake) => ({
    fake,
    /** Events that arrive later. */
    late: [] as typeof fake.pending,
    awayUntil: 0,
  }));
  let asleepUntil = 0;
  let isOver = random === null;
  let counts: Counts = { events: 0, lost: 0, faults: 0 };
  const now = () => world.now().getTime();

  /** Some events get lost, and some are delayed. */
  function disturb(provider: (typeof providers)[number], random: Random): void {
    const { fake, late } = provider;
    fake.pending = fake.pending.filter((event) => {
      if (random.chance(0.05)) {
        counts.lost++;
        return false;
      }
      if (!random.chance(0.1)) return true;
      late.push(event);
      return false;
    });
  }

  function failOften(provider: (typeof providers)[number], random: Random): void {
    const { fake } = provider;
    if (provider.awayUntil > now()) return;
    fake.recover();
    if (random.chance(1 / 60)) {
      provider.awayUntil = now() + random.between(1, 3) * DAY_MS;
      fake.fail(random.pick(['lose_request', 'html_502', 'lose_answer']), ANY, Number.POSITIVE_INFINITY);
    } else if (random.chance(0.3)) {
      const times = random.between(1, 3);
      counts.faults += times;
      fake.fail(random.pick(FAULTS), ANY, times);
    }
  }

  return {
    async deliver() {
      let sent = 0;
      for (const provider of providers) {
        const { fake } = provider;
        if (provider.awayUntil > now()) continue;
        if (!isOver && random) disturb(provider, random);
        const waiting = fake.pending.length;
        if (waiting === 0) continue;
        const copies = !isOver && random?.chance(0.2) ? random.between(2, 10) : 1;
        const policy = !isOver && random ? { order: 'shuffled', copies, random: random.next } : {};
        const statuses = await fake.deliver(policy as Parameters<typeof fake.deliver>[0]);
        counts.events += statuses.length;
        sent += waiting - fake.pending.length;
      }
      return sent;
    },
    passDay() {
      for (const provider of providers) {
        provider.fake.pending.unshift(...provider.late.splice(0));
        if (!isOver && random) failOften(provider, random);
      }
      if (!isOver && random && asleepUntil <= now() && random.chance(1 / 120))
        asleepUntil = now() + random.between(1, 10) * DAY_MS;
    },
    isAsleep: () => asleepUntil > now(),
    isQuiet: () =>
      providers.every(
        ({ fake, late, awayUntil }) => fake.pending.length === 0 && late.length === 0 && awayUntil <= now(),
      ),
    end() {
      isOver = true;
      asleepUntil = 0;
      for (const provider of providers) {
        provider.awayUntil = 0;
        provider.fake.recover();
      }
    },
    takeCounts() {
      const taken = counts;
      counts = { events: 0, lost: 0, faults: 0 };
      return taken;
    },
  };
}
