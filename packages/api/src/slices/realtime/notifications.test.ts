import { redisIsMissing } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { type AppsOnRedis, startAppsOnRedis } from '../../../test/apps-on-redis.ts';
import { declaredMessage } from '../../../test/declared-message.ts';
import { makeOrganization } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { sendNotification } from './service/notifications.ts';

type Message = { type: string; event?: string; data?: unknown };

const PATHS = ['/api/v1/ws/realtime', '/api/v1/ws/analytics', '/api/v1/ws/organizations/{orgId}'];

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

/** A socket at each path, of this person in this organization. */
async function openAll(at: TestApp, person: Person, organizationId: string) {
  return Promise.all(
    PATHS.map(async (path) => {
      const headers = { 'x-organization-id': organizationId };
      const { body } = await person.request('/api/v1/ws/ticket', { method: 'POST', headers });
      const address = `${at.url.replace('http', 'ws')}${path.replace('{orgId}', organizationId)}`;
      const socket = new WebSocket(`${address}?ticket=${body.ticket}`);
      const messages: Message[] = [];
      socket.on('message', (data) => void messages.push(declaredMessage(path, String(data)) as Message));
      await eventually(() => messages.find(({ type }) => type === 'ready'), `${path} to be ready`);
      const notified = () => messages.filter(({ event }) => event === 'notification').map(({ data }) => data);
      return { path, socket, notified };
    }),
  );
}
type Client = Awaited<ReturnType<typeof openAll>>[number];

const untilNotified = (clients: readonly Client[], data: unknown) =>
  eventually(
    () =>
      clients.every(({ notified }) => notified().some((each) => Object(each).text === Object(data).text))
        ? true
        : undefined,
    'the notification',
  );

function closeAll(clients: readonly Client[]): void {
  for (const { socket } of clients) socket.close();
}

describe('a notification', () => {
  it('reaches every socket of a user, in any organization, without a subscription, and no one else', async () => {
    const acme = await makeOrganization(app);
    const [ada, bob] = [acme.owner, await acme.join('MEMBER')];
    const [here, home, others] = [
      await openAll(app, ada, acme.id),
      await openAll(app, ada, ada.organizationId),
      await openAll(app, bob, acme.id),
    ];
    const ctx = systemContext(app.ports, 'test');
    const toAda = { title: 'For Ada', text: 'Only you' };
    sendNotification(ctx, { userId: app.ports.ids.decode('usr', ada.id) }, toAda);
    await untilNotified([...here, ...home], toAda);
    const toAll = { title: 'For Acme', text: 'All of you' };
    sendNotification(ctx, { organizationId: acme.organizationId }, toAll);
    await untilNotified([...here, ...others], toAll);
    for (const { notified } of here) expect(notified()).toEqual([toAda, toAll]);
    for (const { notified } of home) expect(notified()).toEqual([toAda]);
    for (const { notified } of others) expect(notified()).toEqual([toAll]);
    closeAll([...here, ...home, ...others]);
  });

  it('is sent when the transaction that causes it has committed, and never if it does not', async () => {
    const ada = await app.signUp();
    const clients = await openAll(app, ada, ada.organizationId);
    const userId = app.ports.ids.decode('usr', ada.id);
    const ctx = systemContext(app.ports, 'test');
    const failing = transaction(ctx, async (ctx) => {
      sendNotification(ctx, { userId }, { title: 'Undone', text: 'Undone' });
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    await transaction(ctx, async (ctx) => sendNotification(ctx, { userId }, { title: 'Done', text: 'Done' }));
    await untilNotified(clients, { text: 'Done' });
    for (const { notified } of clients) expect(notified()).toEqual([{ title: 'Done', text: 'Done' }]);
    closeAll(clients);
  });

  it('reaches a tRPC subscription to the topic `notification`', async () => {
    const ada = await app.signUp();
    const stop = new AbortController();
    const input = encodeURIComponent(JSON.stringify({ events: ['notification'] }));
    const { body } = await fetch(`${app.url}/trpc/realtime.events?input=${input}`, {
      headers: { authorization: `Bearer ${ada.tokens.accessToken}`, accept: 'text/event-stream' },
      signal: stop.signal,
    });
    let received = '';
    const reading = (async () => {
      for await (const part of body!.pipeThrough(new TextDecoderStream())) received += part;
    })().catch(() => {}); // it ends with the request
    const ctx = systemContext(app.ports, 'test');
    const sendUntilHeard = () => {
      // The stream opens after the answer has begun.
      sendNotification(ctx, { userId: app.ports.ids.decode('usr', ada.id) }, { title: 'For Ada', text: 'Over tRPC' });
      return received.includes('Over tRPC') ? true : undefined;
    };
    await eventually(sendUntilHeard, 'the notification');
    stop.abort();
    await reading;
  });

  it('is refused where it has no text, or too much', () => {
    const ctx = systemContext(app.ports, 'test');
    for (const text of ['', 'x'.repeat(4001)])
      expect(() => sendNotification(ctx, { userId: 1 }, { title: 'Wrong', text })).toThrow();
  });
});

describe.skipIf(redisIsMissing())('with two processes on one Redis', () => {
  let processes: AppsOnRedis;
  let one: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    processes = await startAppsOnRedis();
    [one, other] = processes.apps;
  });
  afterAll(() => processes?.close());

  it('a notification reaches the sockets of the other, and the connections of both are counted', async () => {
    const ada = await one.signUp();
    const staff = await one.signUp();
    await one
      .rows('users')
      .where({ id: one.ports.ids.decode('usr', staff.id) })
      .update({ role: 'ADMIN' });
    const clients = await openAll(other, ada, ada.organizationId);
    const notification = { title: 'From afar', text: 'From another process' };
    const sendUntilHeard = async () => {
      // A process subscribes to a topic in its own time.
      sendNotification(systemContext(one.ports, 'test'), { userId: one.ports.ids.decode('usr', ada.id) }, notification);
      return clients.every(({ notified }) => notified().length > 0) ? true : undefined;
    };
    await eventually(sendUntilHeard, 'the notification');
    const stats = await eventually(async () => {
      const { body } = await staff.request('/api/v1/ws/stats');
      return body.connections === PATHS.length ? body : undefined;
    }, 'the report of the other process');
    expect(stats.paths.map(({ path }: { path: string }) => path).toSorted()).toEqual(PATHS.toSorted());
    expect(stats.organizations).toEqual([{ organizationId: ada.organizationId, connections: PATHS.length }]);
    expect(stats.processes).toHaveLength(2);
    closeAll(clients);
  });
});
