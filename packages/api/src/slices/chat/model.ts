import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Actor } from '../../pipeline/actor.ts';
import type { ChatMessage, ChatMessageNotice } from './schemas.ts';

export class MessageModel extends TenantModel {
  static override tableName = 'chat_messages';

  /** One of the two is its author. */
  declare userId: number | null;
  declare apiKeyId: number | null;
  declare text: string;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  /** Not the text: the log is kept without end. */
  get facts(): ModelFacts<MessageModel> {
    return {
      id: 'msg',
      keep: ['version', 'createdAt', 'updatedAt'],
      refs: { organizationId: 'org', userId: 'usr', apiKeyId: 'key' },
    };
  }

  isBy(actor: Actor): boolean {
    return actor.kind === 'user' ? this.userId === actor.user.id : this.apiKeyId === actor.key.id;
  }

  notice(ids: Ids): ChatMessageNotice {
    return {
      id: ids.encode('msg', this.id),
      author:
        this.userId === null
          ? { kind: 'key', id: ids.encode('key', this.apiKeyId!) } // a constraint of the table
          : { kind: 'user', id: ids.encode('usr', this.userId) },
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }

  present(ids: Ids): ChatMessage {
    const { id, author, ...times } = this.notice(ids);
    return { id, author, text: this.text, ...times };
  }
}
