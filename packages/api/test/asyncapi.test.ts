import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { visibleEvents } from '@rentapi/api/events/catalogue';
import { eventTypes, rawRoutes, sockets } from '@rentapi/api/slices/registry';
import { buildAsyncApi } from '@rentapi/api/transports/asyncapi';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const source = readFileSync(new URL('../../../docs/asyncapi.json', import.meta.url), 'utf8');
const document = JSON.parse(source);
const events = visibleEvents(eventTypes);

/** What is wrong with a document, for the parser of those who write the specification. */
async function problemsOf(text: string): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(text);
  const INFORMATION = 2; // that 3.1 exists
  return diagnostics.filter(({ severity }) => severity < INFORMATION).map(({ path, message }) => `${path}: ${message}`);
}

describe('the AsyncAPI document', () => {
  it('is the contract, as `npm run contract` writes it', () => {
    expect(buildAsyncApi({ sockets, rawRoutes, eventTypes }, document.info.version)).toEqual(document);
  });

  it('is valid for the parser of those who write AsyncAPI', { timeout: 120_000 }, async () => {
    expect(await problemsOf(source)).toEqual([]);
    const withoutVersion = { asyncapi: '3.0.0', info: { title: 'RentAPI' } };
    expect(await problemsOf(JSON.stringify(withoutVersion))).toEqual([
      'info: "info" property must have required property "version"',
    ]);
  });

  it.each(sockets.flatMap(({ contract }) => [...contract.requests.map(({ message }) => message), ...contract.sends]))(
    'has an example that is a message: %#',
    (schema) => {
      const example = z.globalRegistry.get(schema)?.example;
      expect(schema.parse(example)).toEqual(example);
    },
  );

  it('has every event as webhooks get it, with its version, permission, example and signature', () => {
    const { messages } = document.channels.webhooks;
    expect(Object.keys(messages)).toHaveLength(events.length);
    const delivered = Object.keys(messages).map((key) => document.components.messages[key]);
    for (const { name, version, permission, example, description } of events)
      expect(delivered.find((message) => message.name === name)).toMatchObject({
        summary: description,
        'x-rentapi-version': version,
        'x-rentapi-access': { access: permission },
        traits: [{ $ref: '#/components/messageTraits/signed' }],
        examples: [{ payload: { type: name, data: example } }],
      });
  });

  it.each(sockets.map(({ contract, path }) => ({ ...contract, path })))(
    'has everything that is said on $name',
    ({ name, path, requests, carries }) => {
      const { address, messages } = document.channels[name];
      expect(address.replace(/\{\w+\}/g, '')).toBe(path.replace(/[:{]\w+\}?/g, ''));
      const names = Object.keys(messages).map((key) => document.components.messages[key].name);
      const carried = events.filter((event) => carries(event.name)).map((event) => event.name);
      expect(names).toEqual(expect.arrayContaining(['auth', 'ping', 'ready', 'pong', 'error', ...carried]));
      const received = Object.keys(document.operations).filter(
        (key) => key.startsWith(`${name}.`) && document.operations[key].action === 'receive',
      );
      expect(received).toHaveLength(requests.length);
    },
  );

  it('describes every field that is named', () => {
    const silent: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (node === null || typeof node !== 'object') return;
      const { properties } = node as { properties?: Record<string, Record<string, unknown>> };
      for (const [name, property] of Object.entries(properties ?? {}))
        if (!property['description'] && !property['$ref'] && property['const'] === undefined)
          silent.push(`${path}.${name}`);
      for (const [name, value] of Object.entries(node)) if (name !== 'examples') visit(value, `${path}/${name}`);
    };
    visit(document.components, '');
    visit(document.channels, '');
    expect(silent).toEqual([]);
  });

  it('is open where the server sends, and closed where it receives', () => {
    const { SubscribeMessage, SubscribedMessage, ApiKeyCreatedEvent } = document.components.schemas;
    expect(SubscribeMessage.additionalProperties).toBe(false);
    for (const sent of [SubscribedMessage, ApiKeyCreatedEvent]) expect(sent).not.toHaveProperty('additionalProperties');
  });
});
