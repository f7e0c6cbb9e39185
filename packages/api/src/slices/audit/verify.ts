import type { Knex } from '@rentapi/platform/database';

/** The first entry of an organization's log that is not as it was written. */
export interface BrokenLink {
  /** Null where entries are missing from the end. */
  entryId: number | null;
  position: number;
  action: string | null;
  what: 'content' | 'personal part' | 'end';
}

export interface ChainReport {
  /** Null for entries that belong to no organization. */
  organizationId: number | null;
  entries: number;
  /** Stored elsewhere, it proves later that no earlier entry was rewritten, not even by the owner of the database. */
  end: string;
  broken: BrokenLink | null;
}

const BATCH = 5000;

interface Chain {
  chain: number;
  position: number | null;
  hash: Buffer | null;
}

interface Link {
  id: number;
  position: number;
  action: string;
  intact: boolean;
  personalIntact: boolean;
  computed: Buffer;
}

/** Follows every chain from its beginning and computes each link again. */
export async function* verifyAuditChains(database: Knex): AsyncGenerator<ChainReport> {
  const chains: { rows: Chain[] } = await database.raw(CHAINS);
  for (const chain of chains.rows) yield verifyChain(database, chain);
}

async function verifyChain(
  database: Knex,
  { chain, position: endPosition, hash: endHash }: Chain,
): Promise<ChainReport> {
  const organizationId = chain === 0 ? null : chain;
  let seed: Buffer = Buffer.alloc(0);
  let position = 0;
  let entries = 0;
  const report = (broken: BrokenLink | null): ChainReport => ({
    organizationId,
    entries,
    end: seed.toString('hex'),
    broken,
  });
  for (;;) {
    const links: { rows: Link[] } = await database.raw(linksOf(organizationId), {
      ...(organizationId !== null && { organizationId }),
      position,
      seed,
      limit: BATCH,
    });
    for (const { id, intact, personalIntact, ...link } of links.rows) {
      if (!intact || !personalIntact) {
        const { position, action } = link;
        return report({ entryId: id, position, action, what: intact ? 'personal part' : 'content' });
      }
      entries++;
      ({ position, computed: seed } = link);
    }
    if (links.rows.length < BATCH) break;
  }
  // Entries that got their position during this check lie after the end that was read first.
  const complete = endHash !== null && (position > endPosition! || endHash.equals(seed));
  return report(complete ? null : { entryId: null, position, action: null, what: 'end' });
}

/** Chains with an end, and chains whose end was deleted. */
const CHAINS = `
  /* across organizations */
  select coalesce(ends.organization_id, logs.chain) as chain, ends.position, ends.hash
  from audit_chains ends
  full join (select distinct coalesce(organization_id, 0) as chain from audit_logs where position is not null) logs
    on logs.chain = ends.organization_id
  order by 1`;

/** A personal part that was erased as a whole breaks no link, because the link covers its digest only. */
const linksOf = (organizationId: number | null) => `
  select id, position, action, computed, coalesce(chain_hash = computed, false) as intact,
         coalesce(personal_digest = personal or erased, false) as "personalIntact"
  from (
    select entry.*, audit_chain(:seed::bytea, digest) over (order by position) as computed
    from (
      select l.id, l.position, l.action, l.chain_hash, l.personal_digest,
             audit_digest(l, l.position, l.personal_digest) as digest, audit_personal_digest(l) as personal,
             num_nonnulls(l.ip, l.user_agent, l.before, l.after, l.personal_salt) = 0 as erased
      from audit_logs l
      where ${organizationId === null ? 'l.organization_id is null' : 'l.organization_id = :organizationId'} and l.position > :position::bigint
      order by l.position
      limit :limit
    ) entry
  ) link
  order by position`;
