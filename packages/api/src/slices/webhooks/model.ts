import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Webhook, WebhookAttempt, WebhookDelivery } from './schemas.ts';

export class WebhookModel extends TenantModel {
  static override tableName = 'webhooks';

  declare url: string;
  declare description: string | null;
  declare events: string[];
  declare eventVersion: number;
  declare headersSealed: Buffer;
  declare headerNames: string[];
  declare secretSealed: Buffer;
  declare overlapEndsAt: Date | null;
  declare enabled: boolean;
  declare disabledReason: 'FAILING' | 'GONE' | null;
  declare createdBy: number | null;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;
  declare deletedAt: Date | null;

  get facts(): ModelFacts<WebhookModel> {
    return {
      id: 'whk',
      keep: [
        'url',
        'description',
        'events',
        'eventVersion',
        'headerNames',
        'overlapEndsAt',
        'enabled',
        'disabledReason',
        'version',
        'createdAt',
        'updatedAt',
        'deletedAt',
      ],
      refs: { organizationId: 'org', createdBy: 'usr' },
    };
  }

  present(ids: Ids): Webhook {
    return {
      id: ids.encode('whk', this.id),
      url: this.url,
      description: this.description,
      events: this.events,
      eventVersion: this.eventVersion,
      headerNames: this.headerNames,
      enabled: this.enabled,
      disabledReason: this.disabledReason,
      createdBy: this.createdBy === null ? null : ids.encode('usr', this.createdBy),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}

export class DeliveryModel extends TenantModel {
  static override tableName = 'webhook_deliveries';

  declare webhookId: number;
  declare eventId: number;
  declare eventType: string;
  /** Of a test; else null. */
  declare payload: Record<string, unknown> | null;
  declare status: WebhookDelivery['status'];
  declare attempts: number;
  declare step: number;
  declare dueAt: Date | null;
  declare statusCode: number | null;
  declare error: string | null;
  declare createdAt: Date;
  declare settledAt: Date | null;

  present(ids: Ids): WebhookDelivery {
    return {
      id: ids.encode('dlv', this.id),
      webhookId: ids.encode('whk', this.webhookId),
      eventId: ids.encode('evt', this.eventId),
      eventType: this.eventType,
      isTest: this.payload !== null,
      status: this.status,
      attempts: this.attempts,
      nextAttemptAt: isoOrNull(this.dueAt),
      statusCode: this.statusCode,
      error: this.error,
      createdAt: iso(this.createdAt),
      settledAt: isoOrNull(this.settledAt),
    };
  }
}

/** One attempt of a delivery. Its table has a partition for each day. */
export class AttemptModel extends TenantModel {
  static override tableName = 'webhook_attempts';

  declare webhookId: number;
  declare deliveryId: number;
  declare number: number;
  declare startedAt: Date;
  declare durationMs: number;
  declare succeeded: boolean;
  declare statusCode: number | null;
  declare error: string | null;
  declare requestHeaders: Record<string, string>;
  declare responseHeaders: Record<string, string> | null;
  declare responseBody: string | null;

  present(): WebhookAttempt {
    return {
      number: this.number,
      startedAt: iso(this.startedAt),
      durationMs: this.durationMs,
      succeeded: this.succeeded,
      statusCode: this.statusCode,
      error: this.error,
      requestHeaders: this.requestHeaders,
      responseHeaders: this.responseHeaders,
      responseBody: this.responseBody,
    };
  }
}
