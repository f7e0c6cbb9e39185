import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOPICS } from '../src/slices/realtime/schemas.ts';
import { topicsOf } from '../src/slices/realtime/service/subscription.ts';
import { eventTypes } from '../src/slices/registry.ts';
import { eventually, type Person, startApp, type TestApp } from './app.ts';

/** Subscriptions of one SDK client share a socket, so the client decides as the server does which gets an event. */

interface Subscription {
  ready: Promise<void>;
  add(events: string[]): Promise<void>;
  remove(events: string[]): void;
  close(): void;
}
interface Chat {
  ready: Promise<void>;
  lastEventId: string | null | undefined;
  send(text: string): Promise<string>;
  edit(id: string, text: string): Promise<void>;
  delete(id: string): Promise<void>;
  read(messageId: string): Promise<void>;
  typing(): void;
  close(): void;
}
interface Client {
  realtime: {
    joinChat(organizationId: string, options: object): Promise<Chat>;
    subscribe(events: string[], options: object): Subscription;
  };
}
/** The SDK is written for browsers too: its types need a browser's, which nothing here has. */
const SDK: string = '../../../sdk/client/src/index.ts';
const CHANNEL: string = '../../../sdk/client/src/realtime-channel.ts';
const { RentApi }: { RentApi: new (options: object) => Client } = await import(SDK);
const { wants }: { wants: (patterns: Set<string>, event: string) => boolean } = await import(CHANNEL);

let app: TestApp;
let person: Person;
beforeAll(async () => {
  app = await startApp();
  person = await app.signUp();
});
afterAll(() => app.close());

describe('the SDK', () => {
  it('hands an event to a subscription exactly where the server would send it', () => {
    const types = [...eventTypes.values()].filter(({ audience }) => audience === 'organization');
    const names = [...types.map(({ name }) => name), 'api_call', 'notification'];
    const patterns = ['*', ...TOPICS, ...types.flatMap(({ name }) => [name, `${name.split('.')[0]}.*`])];
    const different = patterns.flatMap((pattern) =>
      names.filter((name) => topicsOf(name).includes(pattern) !== wants(new Set([pattern]), name)),
    );
    expect(names.length).toBeGreaterThan(10);
    expect(different).toEqual([]);
  });

  it('has one socket for several subscriptions, widened and narrowed while it is open', async () => {
    const client = new RentApi({ baseUrl: app.url, tokens: person.tokens });
    const seen: string[][] = [[], []];
    const onEvent = (at: number) => ({ onEvent: ({ event }: { event: string }) => void seen[at]?.push(event) });
    const keys = client.realtime.subscribe(['api_key.created'], onEvent(0));
    const all = client.realtime.subscribe(['*'], onEvent(1));
    await Promise.all([keys.ready, all.ready]);
    expect(app.sockets.stats().open).toBe(1);

    const create = () =>
      person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'k', scopes: ['read:*'] } });
    const revoke = (id: string) => person.request(`/api/v1/api-keys/${id}`, { method: 'DELETE' });
    const heard = (count: number) => eventually(() => (seen[1]!.length === count ? true : undefined), 'the events');
    const { body: first } = await create();
    await revoke(first.id);
    await heard(2);
    expect(seen[0]).toEqual(['api_key.created']);

    await keys.add(['api_key.revoked']);
    await revoke((await create()).body.id);
    await heard(4);
    keys.remove(['api_key.created']);
    await revoke((await create()).body.id);
    await heard(6);
    expect(seen[0]).toEqual(['api_key.created', 'api_key.created', 'api_key.revoked', 'api_key.revoked']);

    await expect(keys.add(['no_such.event'])).rejects.toMatchObject({ name: 'BadRequestError', code: 'invalid_input' });
    keys.close();
    all.close();
    await eventually(() => (app.sockets.stats().open === 0 ? true : undefined), 'the socket to close');
  });
});

describe('the chat of the SDK', () => {
  it('writes, changes, marks and deletes, and hands over what happens', async () => {
    const client = new RentApi({ baseUrl: app.url, tokens: person.tokens });
    const seen: { type: string; event?: string; data?: { text?: string } }[] = [];
    const onEvent = (event: (typeof seen)[number]) => void seen.push(event);
    const chat = await client.realtime.joinChat(person.organizationId, { onEvent });
    await chat.ready;
    const id = await chat.send('Hello');
    await chat.edit(id, 'Hello again');
    await chat.read(id);
    chat.typing();
    await chat.delete(id);
    const heard = (name: string) => eventually(() => seen.find(({ event }) => event === name), name);
    await heard('chat.read');
    await heard('chat.message_deleted');
    expect(seen[0]).toMatchObject({ type: 'joined' });
    expect(chat.lastEventId).toMatch(/^evt_/);
    await expect(chat.edit(id, 'too late')).rejects.toMatchObject({ code: 'not_found', status: 404 });
    await expect(chat.send('x'.repeat(4001))).rejects.toMatchObject({ code: 'invalid_input' });
    chat.close();
    await expect(chat.send('closed')).rejects.toMatchObject({ code: 'closed' });
  });

  it('connects again by itself, and brings what it has missed', async () => {
    const client = new RentApi({ baseUrl: app.url, tokens: person.tokens });
    const texts: (string | undefined)[] = [];
    const errors: boolean[] = [];
    const chat = await client.realtime.joinChat(person.organizationId, {
      onEvent: (event: { data?: { text?: string } }) => void texts.push(event.data?.text),
      onError: (_: Error, { willRetry }: { willRetry: boolean }) => void errors.push(willRetry),
    });
    await chat.ready;
    await chat.send('before');
    await eventually(() => (texts.includes('before') ? true : undefined), 'the first message');
    app.ports.feed.release(); // sockets end, as when a process stops
    const path = `/api/v1/organizations/${person.organizationId}/chat/messages`;
    await person.request(path, { method: 'POST', body: { text: 'missed' } });
    const after = await chat.send('after');
    expect(after).toMatch(/^msg_/);
    await eventually(() => (texts.includes('after') ? true : undefined), 'the last message');
    expect(texts.filter(Boolean)).toEqual(['before', 'missed', 'after']);
    expect(errors).toEqual([true]);
    chat.close();
  });

  it('is over where the caller is no member', async () => {
    const stranger = await app.signUp();
    const client = new RentApi({ baseUrl: app.url, tokens: stranger.tokens });
    const ended: boolean[] = [];
    const onError = (_: Error, { willRetry }: { willRetry: boolean }) => void ended.push(willRetry);
    const chat = await client.realtime.joinChat(person.organizationId, { onError });
    await expect(chat.ready).rejects.toMatchObject({ status: 404 });
    expect(ended).toEqual([false]);
  });
});
