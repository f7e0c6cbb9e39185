import type { Knex } from '@rentapi/platform/database';

/** The first place where an organization's log is not what was written. */
export interface BrokenLink {
  /** Null where entries are missing from the end. */
  entryId: number | null;
  position: number;
  action: string | null;
  what: 'content' | 'personal part' | 'end';
}

export interface ChainReport {
  /** Null for what belongs to no organization. */
  organizationId: number | null;
  entries: number;
  /** Noted elsewhere, it proves later that nothing before it was rewritten, not even by whoever owns the database. */
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

/** Follows every chain from its beginning, computing each link anew. */
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
  // What was stamped while we read lies behind the end we know.
  const complete = endHash !== null && (position > endPosition! || endHash.equals(seed));
  return report(complete ? null : { entryId: null, position, action: null, what: 'end' });
}

/** Chains with an end, and chains whose end somebody took away. */
const CHAINS = `
  /* across organizations */
  select coalesce(ends.organization_id, logs.chain) as chain, ends.position, ends.hash
  from audit_chains ends
  full join (select distinct coalesce(organization_id, 0) as chain from audit_logs where position is not null) logs
    on logs.chain = ends.organization_id
  order by 1`;

/** A personal part that was erased as a whole breaks nothing: its digest stands in the link. */
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
