import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';

/** The picture of a user, if `users.avatar_id` names it; else one that was replaced, or is still being made. */
export class AvatarModel extends BaseModel {
  static override tableName = 'avatars';

  declare userId: number;
  /** Where its files are: one for each size. */
  declare storageKey: string;
  declare createdAt: Date;

  get facts(): ModelFacts<AvatarModel> {
    return { id: 'avt', keep: ['createdAt'], refs: { userId: 'usr' } };
  }
}
