import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';

/** A sign-in on one device. Its refresh tokens and access tokens live no longer than the session. */
export class SessionModel extends BaseModel {
  static override tableName = 'sessions';

  /** The `sid` of access tokens. */
  declare publicId: string;
  declare userId: number;
  declare ip: string;
  declare userAgent: string | null;
  /** The last time the person proved who they are: the login, or POST /auth/reauthenticate. */
  declare authenticatedAt: Date;
  declare createdAt: Date;
  declare expiresAt: Date;
  declare revokedAt: Date | null;

  get facts(): ModelFacts<SessionModel> {
    return {
      kind: 'session',
      keep: ['ip', 'userAgent', 'authenticatedAt', 'createdAt', 'expiresAt', 'revokedAt'],
      refs: { userId: 'usr' },
      invalidates: ({ userId }) => `user:${userId}`,
    };
  }

  present() {
    return { sessionId: this.publicId, ip: this.ip, userAgent: this.userAgent };
  }
}

/** One link of a session's chain of refresh tokens. */
export class RefreshTokenModel extends BaseModel {
  static override tableName = 'refresh_tokens';

  declare sessionId: number;
  declare tokenHash: Buffer;
  declare createdAt: Date;
  declare expiresAt: Date;
  declare usedAt: Date | null;
  declare childId: number | null;
  /** The child token, sealed under a key made from this one, for a repeat within the grace period. */
  declare childSealed: Buffer | null;
}

/** A mailed token: stored as a hash, for one purpose, for one use. */
export class VerificationTokenModel extends BaseModel {
  static override tableName = 'verification_tokens';

  declare userId: number;
  declare purpose: 'email' | 'password_reset' | 'unlock';
  declare tokenHash: Buffer;
  /** What the registration behind the link requested, where the account has something else. */
  declare registration: RequestedNames | null;
  declare createdAt: Date;
  declare expiresAt: Date;
}

export interface RequestedNames {
  username: string | null;
  fullName: string | null;
}
