import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import type { OrganizationPermission } from '../../../contract/permissions.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { change } from '../../../data/base-model.ts';
import { rowsOf } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { visibleEvents } from '../../../events/catalogue.ts';
import { isEventPattern, patternsOf } from '../../../events/patterns.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { makeDue } from '../delivery/due.ts';
import { WebhookCreated, WebhookDeleted, WebhookSecretRotated, WebhookUpdated } from '../events.ts';
import { assertSendable } from '../headers.ts';
import { WebhookModel } from '../model.ts';
import type {
  CreatedWebhook,
  CreateWebhook,
  ListWebhooks,
  RotateWebhookSecret,
  UpdateWebhook,
  Webhook,
} from '../schemas.ts';
import { newSecret } from '../signature.ts';
import { assertTarget } from '../target.ts';
import { newestEventVersion } from '../versions.ts';

export const MAX_WEBHOOKS = 100;
const COUNT_LIVE = {
  text: 'select count(*)::integer from webhooks where organization_id = $1 and deleted_at is null',
};

export async function listWebhooks(
  ctx: OrganizationContext,
  input: ListWebhooks,
): Promise<{ items: Webhook[]; nextCursor: string | null }> {
  const list = { name: 'webhooks', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(
    ctx.ports.cursors,
    list,
    input,
    rowsOf(WebhookModel.of(ctx).whereNull('deletedAt')),
  );
  return { items: rows.map((webhook) => webhook.present(ctx.ids)), nextCursor };
}

export async function createWebhook(ctx: OrganizationContext, input: CreateWebhook): Promise<CreatedWebhook> {
  const { headers = {} } = input;
  assertTarget(ctx, input.url);
  assertSendable(headers);
  const eventVersion = knownVersion(ctx, input.eventVersion) ?? newestEventVersion(ctx.ports.eventTypes);
  const secret = newSecret();
  return transaction(ctx, async (ctx) => {
    const { permissions, count } = await lockAuthority(ctx, 'webhooks:create', { counting: COUNT_LIVE });
    assertReadable(ctx, permissions, input.events);
    assertRoom(count, MAX_WEBHOOKS, `An organization has at most ${MAX_WEBHOOKS} webhooks: delete one first.`);
    const webhook = await WebhookModel.add(ctx, {
      url: input.url,
      description: input.description ?? null,
      events: [...new Set(input.events)],
      eventVersion,
      ...sealedHeaders(ctx, headers),
      secretSealed: ctx.ports.webhooks.seal(secret, ctx.organization.id),
      enabled: input.enabled ?? true,
      createdBy: ctx.actor.kind === 'user' ? ctx.actor.user.id : null,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    });
    const data = webhook.present(ctx.ids);
    await record(ctx, WebhookCreated, { target: webhook, after: webhook, data });
    return { ...presentWithEtag(ctx, webhook), secret };
  });
}

export async function getWebhook(ctx: OrganizationContext, webhookId: string): Promise<Webhook> {
  return presentWithEtag(ctx, await findWebhook(ctx, webhookId));
}

export async function updateWebhook(ctx: OrganizationContext, input: UpdateWebhook): Promise<Webhook> {
  const { webhookId, headers, enabled, ...fields } = input;
  if (input.url !== undefined) assertTarget(ctx, input.url);
  if (headers) assertSendable(headers);
  knownVersion(ctx, input.eventVersion);
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'webhooks:update');
    const before = await findWebhook(ctx, webhookId, { lock: true });
    ifMatch(ctx, before);
    const isMoved = input.url !== undefined && input.url !== before.url;
    if (input.events || isMoved)
      assertReadable(ctx, permissions, input.events ?? before.events, { kept: before.events, isMoved });
    const isEnabledAgain = enabled === true && !before.enabled;
    const after = await change(ctx, before, {
      ...fields,
      ...(input.events && { events: [...new Set(input.events)] }),
      ...(headers && sealedHeaders(ctx, headers)),
      enabled,
      ...(enabled !== undefined && { disabledReason: null }),
    });
    // It begins anew: the days of failures before do not count against it.
    if (isEnabledAgain) {
      await ctx.db('webhook_health').where(keyOf(after)).delete();
      await makeDue(ctx.db, keyOf(after), ctx.now);
    }
    if (after !== before)
      await record(ctx, WebhookUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}

/** During the overlap deliveries carry both signatures, so that receivers can change the secret at any moment of it. */
export async function rotateWebhookSecret(
  ctx: OrganizationContext,
  input: RotateWebhookSecret,
): Promise<CreatedWebhook> {
  const secret = newSecret();
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'webhooks:update');
    const before = await findWebhook(ctx, input.webhookId, { lock: true });
    ifMatch(ctx, before);
    const [current] = ctx.ports.webhooks.open(before.secretSealed, ctx.organization.id).split(' ');
    const after = await change(ctx, before, {
      secretSealed: ctx.ports.webhooks.seal(`${secret} ${current}`, ctx.organization.id),
      overlapEndsAt: new Date(ctx.now.getTime() + input.overlapSeconds * 1000),
    });
    await record(ctx, WebhookSecretRotated, { target: after, before, after, data: after.present(ctx.ids) });
    return { ...presentWithEtag(ctx, after), secret };
  });
}

/** Its deliveries cannot be read any more and are purged with their age; what waits is not sent. */
export async function deleteWebhook(ctx: OrganizationContext, webhookId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'webhooks:delete');
    const before = await findWebhook(ctx, webhookId, { lock: true });
    ifMatch(ctx, before);
    const after = await change(ctx, before, { enabled: false, deletedAt: ctx.now });
    await record(ctx, WebhookDeleted, { target: after, before, after, data: after.present(ctx.ids) });
  });
}

/** Locked for a change: a worker may disable it at the same moment. */
export async function findWebhook(
  ctx: OrganizationContext,
  webhookId: string,
  { lock = false } = {},
): Promise<WebhookModel> {
  const query = WebhookModel.of(ctx)
    .findOne({ id: ctx.ids.decode('whk', webhookId) })
    .whereNull('deletedAt');
  const webhook = await (lock ? query.forUpdate() : query);
  if (!webhook) throw new ApiError('not_found');
  return webhook;
}

const keyOf = ({ organizationId, id }: WebhookModel) => ({ organizationId, webhookId: id });

function sealedHeaders(ctx: OrganizationContext, headers: Record<string, string>) {
  return {
    headersSealed: ctx.ports.webhooks.seal(JSON.stringify(headers), ctx.organization.id),
    headerNames: Object.keys(headers).sort(),
  };
}

function knownVersion({ ports }: OrganizationContext, version: number | undefined): number | undefined {
  if (version !== undefined && version > newestEventVersion(ports.eventTypes))
    throw new ApiError('unknown_event_version');
  return version;
}

/**
 * A webhook must not show more than who says where to may read: otherwise `webhooks:create` would be every permission,
 * and `webhooks:update` too, by another address.
 */
function assertReadable(
  { ports: { eventTypes } }: OrganizationContext,
  permissions: ReadonlySet<OrganizationPermission>,
  patterns: readonly string[],
  { kept = [], isMoved = false }: { kept?: readonly string[]; isMoved?: boolean } = {},
): void {
  for (const pattern of patterns) {
    const isKept = kept.includes(pattern);
    if (!isKept && !isEventPattern(eventTypes, pattern))
      throw new ApiError('unknown_event_type', {
        detail: `\`${pattern}\` is no event type or pattern: use types of GET /api/v1/webhooks/event-types, \`<resource>.*\` or \`*\`.`,
      });
    if (isKept && !isMoved) continue;
    const hidden = visibleEvents(eventTypes).find(
      ({ name, permission }) => patternsOf(name).includes(pattern) && !permissions.has(permission),
    );
    if (hidden)
      throw new ApiError('event_not_allowed', {
        detail: `\`${pattern}\` includes \`${hidden.name}\`, which needs \`${hidden.permission}\`: you do not have it here.`,
      });
  }
}
