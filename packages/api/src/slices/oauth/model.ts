import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ProviderId } from './providers.ts';
import type { Identity } from './schemas.ts';

/** A login at another provider that opens an account. */
export class UserIdentityModel extends BaseModel {
  static override tableName = 'user_identities';

  declare userId: number;
  declare provider: ProviderId;
  declare issuer: string;
  /** The provider's own name of the person, which never changes. */
  declare subject: string;
  /** As the provider said last. */
  declare email: string | null;
  declare createdAt: Date;
  declare lastUsedAt: Date | null;

  present(): Identity {
    const { provider, email, createdAt, lastUsedAt } = this;
    return { provider, email, createdAt: iso(createdAt), lastUsedAt: isoOrNull(lastUsedAt) };
  }
}

/** What the redirect to a page carries instead of tokens: stored as a hash, for one use. */
export class OAuthCodeModel extends BaseModel {
  static override tableName = 'oauth_codes';

  declare codeHash: Buffer;
  /** Of the page that began: only it has the verifier. */
  declare codeChallenge: string;
  declare userId: number;
  declare authenticatedAt: Date | null;
  declare sessionId: number | null;
  declare usedAt: Date | null;
  /** When it came a second time. */
  declare replayedAt: Date | null;
  declare createdAt: Date;
  declare expiresAt: Date;
}
