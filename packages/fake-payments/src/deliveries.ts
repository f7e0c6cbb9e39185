/** An event on its way to a webhook. */
export interface Delivery {
  id: string;
  body: string;
}

export interface DeliveryPolicy {
  order?: 'as_sent' | 'reversed' | 'shuffled';
  /** How often each is sent. */
  copies?: number;
  /** For `shuffled`. */
  random?: () => number;
}

export interface Deliveries {
  /** Not yet accepted with a 2xx. */
  pending: Delivery[];
  /** Sends what is pending, and answers the statuses. What is not accepted stays pending. */
  deliver(policy?: DeliveryPolicy): Promise<number[]>;
  /** What is pending never arrives; the list of events still has it. */
  lose(): void;
}

export interface DeliveryOptions {
  target(): string | null;
  sign(body: string): Record<string, string>;
}

const TIMEOUT_MS = 30_000;

export function createDeliveries({ target, sign }: DeliveryOptions): Deliveries {
  const deliveries: Deliveries = {
    pending: [],
    async deliver({ order = 'as_sent', copies = 1, random = Math.random } = {}) {
      const url = target();
      if (url === null) return [];
      const taken = deliveries.pending.splice(0);
      const sends = taken.flatMap((delivery) => Array.from({ length: copies }, () => delivery));
      if (order === 'reversed') sends.reverse();
      if (order === 'shuffled') shuffle(sends, random);
      const statuses: number[] = [];
      const accepted = new Set<Delivery>();
      for (const delivery of sends) {
        const status = await post(url, delivery.body, sign(delivery.body));
        statuses.push(status);
        if (status >= 200 && status < 300) accepted.add(delivery);
      }
      deliveries.pending.unshift(...taken.filter((delivery) => !accepted.has(delivery)));
      return statuses;
    },
    lose() {
      deliveries.pending.length = 0;
    },
  };
  return deliveries;
}

/** 0 where there is no answer. */
async function post(url: string, body: string, headers: Record<string, string>): Promise<number> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

function shuffle(items: Delivery[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
}
