import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import type { LimitOverride } from '../../pipeline/entitlements.ts';
import type { Organization } from './schemas.ts';

/** An owner can restore a deleted organization for this long; until then it keeps its names. */
export const RESTORE_WINDOW_MS = 30 * 86_400_000;

/** A tenant. */
export class OrganizationModel extends BaseModel {
  static override tableName = 'organizations';

  declare name: string;
  declare slug: string | null;
  declare subdomain: string | null;
  /** The personal organization of one user, made at registration. */
  declare personal: boolean;
  declare plan: Organization['plan'];
  /** When the plan ends by the clock, and which follows; null for never. */
  declare planUntil: Date | null;
  declare planAfter: Organization['plan'] | null;
  /** What staff granted it, from `limit_overrides`: stored here too, so that a call reads one row. */
  declare limitOverride: LimitOverride | null;
  /** Set by the job that counts them, for plans that refuse further calls. */
  declare callsUsedUpUntil: Date | null;
  declare deletionProtection: boolean;
  declare requireTwoFactor: boolean;
  declare metadata: Organization['metadata'];
  declare deletedAt: Date | null;
  /** When its rows were deleted, after it could no longer be restored. */
  declare purgedAt: Date | null;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<OrganizationModel> {
    return {
      id: 'org',
      keep: [
        'name',
        'slug',
        'subdomain',
        'personal',
        'plan',
        'planUntil',
        'planAfter',
        'deletionProtection',
        'requireTwoFactor',
        'metadata',
        'deletedAt',
        'version',
        'createdAt',
        'updatedAt',
      ],
      refs: {},
      invalidates: ({ id }) => `organization:${id}`,
    };
  }

  present(ids: Ids): Organization {
    return {
      id: ids.encode('org', this.id),
      name: this.name,
      slug: this.slug,
      subdomain: this.subdomain,
      personal: this.personal,
      plan: this.plan,
      deletionProtection: this.deletionProtection,
      requireTwoFactor: this.requireTwoFactor,
      metadata: this.metadata,
      deletedAt: isoOrNull(this.deletedAt),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}
