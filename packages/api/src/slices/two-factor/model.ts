import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { Passkey } from './schemas.ts';

/** A sign-in whose first factor is proven, and which waits for the second. */
export class SignInChallengeModel extends BaseModel {
  static override tableName = 'sign_in_challenges';

  declare userId: number;
  declare tokenHash: Buffer;
  /** Whether the refresh token is to be delivered as a cookie. */
  declare cookie: boolean;
  /** Reserved before a code is compared, so that concurrent guesses are counted. */
  declare attempts: number;
  declare createdAt: Date;
  declare expiresAt: Date;
}

/** An authenticator app. */
export class TotpFactorModel extends BaseModel {
  static override tableName = 'totp_factors';

  declare userId: number;
  declare secretSealed: Buffer;
  /** The step of the last code that was used: no code works twice. */
  declare lastStep: number;
  /** Null until a first code was right. */
  declare confirmedAt: Date | null;
  declare createdAt: Date;
}

/** A code that works once: it is deleted then. */
export class BackupCodeModel extends BaseModel {
  static override tableName = 'backup_codes';

  declare userId: number;
  declare codeHash: Buffer;
  declare createdAt: Date;
}

/** A WebAuthn credential: the authenticator has the private key, and asks its owner before it signs. */
export class PasskeyModel extends BaseModel {
  static override tableName = 'passkeys';

  declare userId: number;
  declare credentialId: Buffer;
  declare publicKey: Buffer;
  /** 0 forever where the authenticator does not count. */
  declare counter: number;
  declare transports: string[];
  declare name: string;
  declare createdAt: Date;
  declare lastUsedAt: Date | null;

  present(ids: Ids): Passkey {
    return {
      id: ids.encode('psk', this.id),
      name: this.name,
      createdAt: iso(this.createdAt),
      lastUsedAt: isoOrNull(this.lastUsedAt),
    };
  }
}

/** What a passkey is to sign, for one registration or sign-in. */
export class PasskeyChallengeModel extends BaseModel {
  static override tableName = 'passkey_challenges';

  /** Whose passkey is registered; null for a sign-in. */
  declare userId: number | null;
  /** The sign-in that waits for it as second factor. */
  declare signInChallengeId: number | null;
  declare tokenHash: Buffer;
  declare challenge: string;
  declare createdAt: Date;
  declare expiresAt: Date;
}

/** A removal of the second factor that an administrator asked for, until it takes effect or its owner objects. */
export class TwoFactorResetModel extends BaseModel {
  static override tableName = 'two_factor_resets';

  declare userId: number;
  /** Of the link with which the owner objects. */
  declare tokenHash: Buffer;
  declare effectiveAt: Date;
  declare createdAt: Date;
}

/** A device that need not show the second factor again. */
export class TrustedDeviceModel extends BaseModel {
  static override tableName = 'trusted_devices';

  declare userId: number;
  /** The session that it opened last; null once the person logged out of it. */
  declare sessionId: number | null;
  declare tokenHash: Buffer;
  declare createdAt: Date;
  declare expiresAt: Date;
}
