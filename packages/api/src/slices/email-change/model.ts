import { BaseModel } from '../../data/base-model.ts';

/** A link in one of the two mailboxes of a change. Stored as a hash, for one use. */
export class EmailChangeModel extends BaseModel {
  static override tableName = 'email_changes';

  declare userId: number;
  declare oldEmail: string;
  declare newEmail: string;
  /** Mailed to the new address. One of the two is set. */
  declare confirmTokenHash: Buffer | null;
  /** Mailed to the old address once the change has taken effect. */
  declare undoTokenHash: Buffer | null;
  /** When the change took effect; null for a link that confirms. */
  declare confirmedAt: Date | null;
  declare createdAt: Date;
  declare expiresAt: Date;
}
