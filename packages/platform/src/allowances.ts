import { type Bucket, type BucketState, costOf, createMemoryLimiter, type Decision } from './limiter.ts';
import { OldestFirst } from './oldest-first.ts';

/**
 * What a call takes together: tokens of buckets, and credits of an account. All are paid, or none but those that are
 * due. Accounts are kept elsewhere and leased to this store in blocks, so that most calls need nothing but it.
 */
export interface Expense {
  /** Paid where they all suffice and the outcome is final, even if the rest is refused: those of the caller. */
  due: readonly Bucket[];
  buckets: readonly Bucket[];
  credits: CreditCost | null;
  /** The caller's time, which decides whether a lease has ended. */
  nowMs: number;
  /** Names this call while it brings a lease: others wait for it. */
  turn: string;
}

interface CreditCost {
  /** Unique for the account, and with the `{hash tag}` of the buckets. */
  key: string;
  /** Leases of earlier generations are void. */
  generation: number;
  cost: number;
}

/** Credits that have left the account, to be spent here until a time. */
export interface Lease {
  generation: number;
  untilMs: number;
  credits: number;
  /** What is left in the account. */
  rest: number;
}

export interface Spent {
  /** `lease`: the caller must bring one, and has a moment for it. `busy`: another caller is bringing one. */
  outcome: 'spent' | 'limited' | 'exhausted' | 'lease' | 'busy';
  /** How long until the buckets would pay; 0 unless `limited`. */
  retryAfterMs: number;
  isDuePaid: boolean;
  /** Each bucket after the call, in their order: first those that are due. */
  states: BucketState[];
  /** The lease after the call; null where none counts. */
  lease: Lease | null;
  /** Whether this caller, and no other, is to bring the next lease while all go on spending this one. */
  isLow: boolean;
}

/** How much is leased at once at most, and as a share of what is left. */
export const BLOCK = { max: 100, share: 0.01 };

/** Half a block before its end a lease is low: what is in flight meanwhile need not wait for the next one. */
export const LOW = { max: BLOCK.max / 2, share: BLOCK.share / 2 };

const isLow = ({ credits, rest }: Lease): boolean => credits < Math.min(LOW.max, Math.floor(rest * LOW.share));

export interface Allowances {
  /** `granted` is added first: the lease that the outcome `lease` asked for. */
  spend(expense: Expense, granted?: Lease): Spent | Promise<Spent>;
  /** Lets the next caller bring a lease, where this one cannot. */
  pass(key: string, turn: string): void | Promise<void>;
  /** Makes leases of earlier generations void at once. */
  renew(account: { key: string; generation: number }): void | Promise<void>;
  /** The leases that count. The keys share a hash tag. */
  leases(keys: readonly string[]): (Lease | null)[] | Promise<(Lease | null)[]>;
  /** Ends the leases that end with this process. */
  close(): Promise<void>;
}

/** A caller that has died is not waited for any longer. */
export const TURN_MS = 2000;

export interface Unspent {
  key: string;
  lease: Lease;
}

interface MemoryAllowancesOptions {
  /** Never goes back. */
  nowMs?: () => number;
  maxAccounts?: number;
  /** Puts leased credits back into their accounts. */
  giveBack?: (unspent: readonly Unspent[]) => Promise<void>;
}

interface Account extends Lease {
  turn: string;
  turnEndsMs: number;
}

const MAX_ACCOUNTS = 100_000;

/** Buckets and leases in this process's memory: exact for one process. */
export function createMemoryAllowances({
  nowMs = () => performance.now(),
  maxAccounts = MAX_ACCOUNTS,
  giveBack = async () => {},
}: MemoryAllowancesOptions = {}): Allowances {
  const limiter = createMemoryLimiter({ nowMs });
  const removed: Unspent[] = [];
  const accounts = new OldestFirst<Account>(maxAccounts, (key, { generation, untilMs, credits, rest }) => {
    if (credits > 0) removed.push({ key, lease: { generation, untilMs, credits, rest } });
  });

  async function giveBackRemoved(): Promise<void> {
    if (removed.length > 0) await giveBack(removed.splice(0));
  }

  function accountOf(key: string): Account {
    const known = accounts.get(key);
    if (known) return known;
    const account = { generation: 0, untilMs: 0, credits: 0, rest: 0, turn: '', turnEndsMs: 0 };
    accounts.set(key, account);
    void giveBackRemoved();
    return account;
  }

  function take(buckets: readonly Bucket[]): Decision {
    const decision = limiter.take(buckets);
    if (decision instanceof Promise) throw new TypeError('the memory answers at once');
    return decision;
  }

  const statesOf = (buckets: readonly Bucket[]): BucketState[] =>
    buckets.map((bucket) => ({ ...take([{ ...bucket, cost: 0 }]).strictest, bucket }));

  const isLimited = (buckets: readonly Bucket[]): boolean =>
    statesOf(buckets).some(({ bucket, remaining }) => remaining < costOf(bucket));

  function pay({ cost }: CreditCost, account: Account, turn: string, isValid: boolean): Spent['outcome'] {
    if (isValid && account.credits >= cost) return 'spent';
    if (isValid && account.credits + account.rest < cost) return 'exhausted';
    return takesTurn(account, turn) ? 'lease' : 'busy';
  }

  function takesTurn(account: Account, turn: string): boolean {
    if (account.turn !== '' && account.turn !== turn && account.turnEndsMs > nowMs()) return false;
    account.turn = turn;
    account.turnEndsMs = nowMs() + TURN_MS;
    return true;
  }

  return {
    spend({ due, buckets, credits, nowMs: callerMs, turn }, granted) {
      const account = credits && accountOf(credits.key);
      if (account && granted) {
        addLease(account, granted);
        if (account.turn === turn) account.turn = '';
      }
      const isValid = account !== null && account.generation >= credits!.generation && callerMs < account.untilMs;
      const answer = (outcome: Spent['outcome'], paid: readonly Bucket[] = [], retryAfterMs = 0): Spent => {
        if (paid.length > 0) take(paid);
        const isDuePaid = outcome === 'spent' || paid === due;
        const states = statesOf([...due, ...buckets]);
        const lease = isValid ? leaseOf(account) : null;
        const asks = outcome === 'spent' && !granted && lease !== null && isLow(lease) && takesTurn(account!, turn);
        return { outcome, retryAfterMs, isDuePaid, states, lease, isLow: asks };
      };
      if (isLimited(due)) return answer('limited', [], take(due).retryAfterMs);
      if (isLimited(buckets)) return answer('limited', due, take(buckets).retryAfterMs);
      const outcome = account ? pay(credits!, account, turn, isValid) : 'spent';
      if (outcome === 'exhausted') return answer(outcome, due);
      if (outcome !== 'spent') return answer(outcome);
      if (account) account.credits -= credits!.cost;
      return answer('spent', [...due, ...buckets]);
    },
    pass(key, turn) {
      const account = accounts.get(key);
      if (account?.turn === turn) account.turn = '';
    },
    renew({ key, generation }) {
      const account = accounts.get(key);
      if (!account || account.generation >= generation) return;
      Object.assign(account, { generation, untilMs: 0, credits: 0, rest: 0 });
    },
    leases: (keys) =>
      keys.map((key) => {
        const account = accounts.get(key);
        return account ? leaseOf(account) : null;
      }),
    async close() {
      await limiter.close();
      accounts.clear();
      await giveBackRemoved();
    },
  };
}

const leaseOf = ({ generation, untilMs, credits, rest }: Account): Lease => ({ generation, untilMs, credits, rest });

/** A newer lease replaces an older one, whose credits the account has forgotten. */
function addLease(account: Account, { generation, untilMs, credits, rest }: Lease): void {
  const age = account.generation - generation || account.untilMs - untilMs;
  if (age > 0) return;
  if (age < 0) Object.assign(account, { generation, untilMs, credits, rest });
  else Object.assign(account, { credits: account.credits + credits, rest: Math.min(account.rest, rest) });
}
