import { Client } from './client.ts';
import type { RentApiOptions } from './options.ts';
import type { Resource } from './resource.ts';
import type { Transport } from './transport.ts';

export * from './generated/resources.gen.ts';
export type { RentApiOptions };

type Groups = Record<string, new (transport: Transport) => Resource>;

/** A client with the groups of operations it was made of. */
export type ClientOf<G extends Groups> = Client & { readonly [Name in keyof G]: InstanceType<G[Name]> } & {
  /** A client that differs in these options. Without another credential it shares this one's: a login too. */
  withOptions(changes: RentApiOptions): ClientOf<G>;
};

class PartialClient<G extends Groups> extends Client {
  readonly #groups: G;

  constructor(groups: G, options: RentApiOptions) {
    super(options);
    this.#groups = groups;
    for (const [name, Group] of Object.entries(groups)) {
      if (name in this) throw new TypeError(`A group cannot be called \`${name}\`: every client has that already.`);
      Object.assign(this, { [name]: new Group(this.transport) });
    }
  }

  withOptions(changes: RentApiOptions): ClientOf<G> {
    return createClient(this.#groups, this.changedOptions(changes));
  }
}

/**
 * A client with some groups of operations only, for pages where every kilobyte counts: a bundler leaves out the others.
 *
 * @example
 * ```ts
 * const client = createClient({ users: UsersResource }, { baseUrl: 'https://api.example.com' });
 * const user = await client.users.me.get();
 * ```
 */
export function createClient<G extends Groups>(groups: G, options: RentApiOptions = {}): ClientOf<G> {
  // The guarantee: the constructor adds a field for each group.
  return new PartialClient(groups, options) as unknown as ClientOf<G>;
}
