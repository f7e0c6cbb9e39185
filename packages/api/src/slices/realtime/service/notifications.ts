import type { Context } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { afterCommit } from '../../../data/transaction.ts';
import type { LiveCaller } from '../../../pipeline/live-caller.ts';
import { Notification, type NotificationMessage } from '../schemas.ts';

/** A user, wherever they are connected, or everyone who is connected to an organization. */
export type Recipient = { userId: number } | { organizationId: number };

const topicOf = (recipient: Recipient): string =>
  'userId' in recipient
    ? `notification:user:${recipient.userId}`
    : `notification:organization:${recipient.organizationId}`;

/**
 * Sends a notification to every open socket of the recipient, once the caller's transaction has committed. It is not
 * stored: what must arrive is mailed as well.
 */
export function sendNotification(ctx: Context, recipient: Recipient, notification: Notification): void {
  const publish = () => ctx.ports.pubsub.publish(topicOf(recipient), Notification.parse(notification));
  if (ctx.db.isTransaction) afterCommit(ctx.db, publish);
  else publish();
}

/** Calls back with each notification for this caller, until the returned function is called. */
export function onNotification({ ctx }: LiveCaller, listener: (message: NotificationMessage) => void): () => void {
  const { actor, organization, ports } = ctx;
  const recipients: Recipient[] = [
    { organizationId: organization.id },
    ...(actor.kind === 'user' ? [{ userId: actor.user.id }] : []),
  ];
  const stops = recipients.map((recipient) =>
    ports.pubsub.subscribe(topicOf(recipient), (message) => {
      const { data } = Notification.safeParse(message);
      if (data) listener({ type: 'event', id: null, event: 'notification', createdAt: iso(ports.clock.now()), data });
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
