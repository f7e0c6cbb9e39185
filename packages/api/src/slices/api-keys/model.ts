import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { LimitOverride } from '../../pipeline/entitlements.ts';
import type { RecordedApiKey } from './schemas.ts';
import type { KeyEnvironment } from './secret.ts';
import type { Credits, NamedLimit } from './verify-schemas.ts';

/** Credits as they were set last, in which version of the key, and when. What is left is in `api_key_credits`. */
export interface KeyCredits extends Credits {
  generation: number;
  setAt: string;
}

/** Limits by their names. */
export interface KeyLimits {
  [name: string]: Omit<NamedLimit, 'name'>;
}

export class ApiKeyModel extends TenantModel {
  static override tableName = 'api_keys';

  declare name: string;
  declare description: string | null;
  declare secretHash: Buffer;
  declare prefix: string;
  declare last4: string;
  declare environment: KeyEnvironment;
  declare scopes: string[];
  declare ipAllowList: string[];
  declare allowedOrigins: string[];
  declare rateLimitPerMinute: number | null;
  declare rateLimitPerHour: number | null;
  declare rateLimitPerDay: number | null;
  /** What staff granted this key, from `limit_overrides`: stored here too, so that a call reads one row. */
  declare limitOverride: LimitOverride | null;
  declare externalId: string | null;
  declare permissions: string[];
  declare credits: KeyCredits | null;
  declare rateLimits: KeyLimits;
  declare metadata: RecordedApiKey['metadata'];
  declare enabled: boolean;
  declare createdBy: number | null;
  declare expiresAt: Date | null;
  declare revokedAt: Date | null;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<ApiKeyModel> {
    return {
      id: 'key',
      keep: [
        'name',
        'description',
        'prefix',
        'last4',
        'environment',
        'scopes',
        'ipAllowList',
        'allowedOrigins',
        'rateLimitPerMinute',
        'rateLimitPerHour',
        'rateLimitPerDay',
        'externalId',
        'permissions',
        'credits',
        'rateLimits',
        'metadata',
        'enabled',
        'expiresAt',
        'revokedAt',
        'version',
        'createdAt',
        'updatedAt',
      ],
      refs: { organizationId: 'org', createdBy: 'usr' },
      invalidates: ({ id }) => `key:${id}`,
    };
  }

  present(ids: Ids): RecordedApiKey {
    return {
      id: ids.encode('key', this.id),
      name: this.name,
      description: this.description,
      prefix: this.prefix,
      last4: this.last4,
      environment: this.environment,
      scopes: this.scopes,
      ipAllowList: this.ipAllowList,
      allowedOrigins: this.allowedOrigins,
      rateLimitPerMinute: this.rateLimitPerMinute,
      rateLimitPerHour: this.rateLimitPerHour,
      rateLimitPerDay: this.rateLimitPerDay,
      externalId: this.externalId,
      permissions: this.permissions,
      credits: this.credits && { remaining: this.credits.remaining, refill: this.credits.refill },
      rateLimits: listLimits(this.rateLimits),
      metadata: this.metadata,
      enabled: this.enabled,
      createdBy: this.createdBy === null ? null : ids.encode('usr', this.createdBy),
      expiresAt: isoOrNull(this.expiresAt),
      revokedAt: isoOrNull(this.revokedAt),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}

/** In the order of their names. */
export function listLimits(limits: KeyLimits): NamedLimit[] {
  const byName = Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1));
  return byName.map(([name, { limit, windowS }]) => ({ name, limit, windowS }));
}

/** An earlier secret of a rotated key. */
export class OldSecretModel extends TenantModel {
  static override tableName = 'api_key_old_secrets';

  declare apiKeyId: number;
  declare secretHash: Buffer;
  declare expiresAt: Date;
  declare createdAt: Date;
}
