import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';

const STATS = '/api/v1/ws/stats';

let app: TestApp;
let staff: Person;

beforeAll(async () => {
  app = await startApp();
  staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
afterAll(() => app.close());

async function open(person: Person) {
  const { body } = await person.request('/api/v1/ws/ticket', { method: 'POST' });
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/ws/realtime?ticket=${body.ticket}`);
  const ready = new Promise((resolve) => socket.once('message', resolve));
  await ready;
  return socket;
}

const stats = async () => (await staff.request(STATS)).body;
const settled = (connections: number) =>
  eventually(async () => {
    const body = await stats();
    return body.connections === connections ? body : undefined;
  }, `${connections} connections`);

describe('what is connected', () => {
  it('is counted by path, process and organization, and forgotten when it has gone', async () => {
    expect(await stats()).toMatchObject({ connections: 0, subscriptions: 0, queuedBytes: 0, paths: [] });
    const [ada, bob] = [await app.signUp(), await app.signUp()];
    const sockets = [await open(ada), await open(ada), await open(bob)];
    const body = await settled(3);
    expect(body).toMatchObject({
      subscriptions: 3,
      dropped: { tooSlow: 0, tooMuch: 0 },
      paths: [{ path: '/api/v1/ws/realtime', connections: 3 }],
      organizations: [
        { organizationId: ada.organizationId, connections: 2 },
        { organizationId: bob.organizationId, connections: 1 },
      ],
    });
    expect(body.processes).toMatchObject([{ process: app.ports.reports.process, connections: 3 }]);
    for (const socket of sockets) socket.close();
    expect(await settled(0)).toMatchObject({ subscriptions: 0, organizations: [] });
  });

  it('counts those that were dropped for sending too much', async () => {
    const before = (await stats()).dropped.tooMuch;
    const socket = await open(await app.signUp());
    for (let times = 0; times < 200; times++) socket.send('{"action":"ping"}');
    const dropped = () => stats().then(({ dropped }) => (dropped.tooMuch === before + 1 ? true : undefined));
    await eventually(dropped, 'the drop');
  });
});
