import { z } from 'zod';
import { Timestamp } from '../contract/common-schemas.ts';
import { exampleId, id } from '../contract/ids.ts';
import { restPath } from '../contract/meta.ts';
import { visibleEvents } from '../events/catalogue.ts';
import type { EventType } from '../events/event.ts';
import type { RawRoute } from '../wire/raw-route.ts';
import type { SocketContract } from '../wire/socket-contract.ts';
import { createAsyncApiSchemas } from './asyncapi-schemas.ts';
import { EXAMPLE_ORIGIN } from './code-samples.ts';
import { describeAccess } from './implied-errors.ts';
import { INFO, type Json } from './openapi.ts';
import { componentOf, deliveredSchema, SIGNED } from './openapi-events.ts';
import { shapeOf } from './rest-routes.ts';

type EventTypes = ReadonlyMap<string, EventType>;
type VisibleEvent = ReturnType<typeof visibleEvents>[number];

interface Contract {
  sockets: readonly { contract: SocketContract }[];
  rawRoutes: readonly RawRoute[];
  eventTypes: EventTypes;
}

/** A message in the document. */
interface Message {
  /** Its name among the components. */
  key: string;
  /** What distinguishes it from others: its `action` or its `type`; of events, the type of the event. */
  name: string;
  description: string;
  schema: z.ZodType;
  example: unknown;
  event?: VisibleEvent;
  /** Whether it has the headers of Standard Webhooks. */
  isSigned?: true;
}

const EXAMPLE_TIME = '2026-01-31T12:00:00.000Z';

/** The sockets and the webhooks of the contract as an AsyncAPI 3 document. `send` is what the server sends. */
export function buildAsyncApi({ sockets, rawRoutes, eventTypes }: Contract, version: string): Json {
  const schemas = createAsyncApiSchemas();
  const channels: Record<string, Json> = {};
  const operations: Record<string, Json> = {};
  const messages: Record<string, Json> = {};
  const refer = (channel: string, used: readonly Message[]) =>
    used.map(({ key }) => ({ $ref: `#/channels/${channel}/messages/${key}` }));

  function addChannel(name: string, channel: Json, sent: readonly Message[], received: readonly Message[] = []): void {
    for (const message of received) messages[message.key] ??= describe(message, schemas.asked(message.schema));
    for (const message of sent) messages[message.key] ??= describe(message, schemas.answered(message.schema));
    const all = [...received, ...sent].map(({ key }) => [key, { $ref: `#/components/messages/${key}` }]);
    channels[name] = { ...channel, messages: Object.fromEntries(all) };
  }

  for (const { contract } of sockets) {
    const { name, requests } = contract;
    const received = requests.map(({ message }) => messageOf(message, 'action'));
    const sent = messagesOf(contract, eventTypes);
    const route = rawRoutes.find((route) => route.name === name);
    if (!route) throw new Error(`The socket ${name} has no raw route of that name.`);
    addChannel(name, socketChannel(contract, route, schemas.asked), sent, received);
    const error = sent.filter((message) => message.name === 'error');
    const replies = new Set(requests.map(({ reply }) => reply));
    for (const [at, { reply }] of requests.entries()) {
      const message = received[at]!;
      const answers = [...(reply ? [messageOf(reply, 'type')] : []), ...error];
      operations[`${name}.${message.name}`] = {
        action: 'receive',
        channel: { $ref: `#/channels/${name}` },
        summary: message.description,
        messages: refer(name, [message]),
        reply: { channel: { $ref: `#/channels/${name}` }, messages: refer(name, answers) },
      };
    }
    operations[`${name}.sends`] = {
      action: 'send',
      channel: { $ref: `#/channels/${name}` },
      summary: 'What the server sends by itself.',
      messages: refer(
        name,
        sent.filter(({ schema }) => !replies.has(schema)),
      ),
    };
  }

  const delivered = visibleEvents(eventTypes).map(toWebhook);
  addChannel('webhooks', WEBHOOK_CHANNEL, delivered);
  operations['webhooks.deliver'] = {
    action: 'send',
    channel: { $ref: '#/channels/webhooks' },
    summary: 'What has happened, to each webhook that subscribes to it. An answer of 2xx within 15 seconds accepts it.',
    bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
    messages: refer('webhooks', delivered),
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'RentAPI',
      version,
      description: DESCRIPTION,
      license: { name: INFO.license.name, url: 'https://opensource.org/license/mit' },
      contact: INFO.contact,
      externalDocs: { description: 'Realtime', url: `${EXAMPLE_ORIGIN}/docs/guides/realtime` },
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels,
    operations,
    components: {
      messages,
      schemas: schemas.components(),
      securitySchemes: SECURITY_SCHEMES,
      messageTraits: { signed: SIGNED_TRAIT },
    },
  };
}

/** Everything that the server may send on a socket, by name. */
export function sentOn(contract: SocketContract, eventTypes: EventTypes): ReadonlyMap<string, z.ZodType> {
  return new Map(messagesOf(contract, eventTypes).map(({ name, schema }) => [name, schema]));
}

/** What it sends by itself first, then what answers a request only. */
function messagesOf({ requests, sends, carries }: SocketContract, eventTypes: EventTypes): Message[] {
  const carried = visibleEvents(eventTypes).filter(({ name }) => carries(name));
  const replies = requests.flatMap(({ reply }) => (reply && !sends.includes(reply) ? [messageOf(reply, 'type')] : []));
  const messages = [...sends.map((message) => messageOf(message, 'type')), ...carried.map(onSocket), ...replies];
  return [...new Map(messages.map((message) => [message.key, message])).values()];
}

const DESCRIPTION = `
What RentAPI sends by itself: the sockets below \`/api/v1/ws\`, and the webhooks of an organization. The REST API is in
\`/openapi.json\`; the guides \`/docs/guides/realtime\` and \`/docs/guides/webhooks\` explain both.

Take fields, values and messages that you do not know: a later version may add some.
`.trim();

const { host } = new URL(EXAMPLE_ORIGIN);

const SERVERS = {
  api: {
    host,
    protocol: 'wss',
    description:
      'Authenticate in the address, with `?ticket=` from `POST /api/v1/ws/ticket`, or in the first message, with `auth`.',
    security: [{ $ref: '#/components/securitySchemes/ticket' }],
  },
  receiver: {
    host: '{receiver}',
    protocol: 'https',
    description: 'The address of a webhook, which you have set.',
    variables: { receiver: { description: 'Host and port of its `url`.', examples: ['example.com'] } },
  },
};

const SECURITY_SCHEMES = {
  ticket: {
    type: 'httpApiKey',
    in: 'query',
    name: 'ticket',
    description: 'From `POST /api/v1/ws/ticket`; it works once, for 30 seconds.',
  },
};

const WEBHOOK_CHANNEL = {
  address: null,
  title: 'Webhooks',
  description: 'A POST to the `url` of each webhook that subscribes to the event, signed as Standard Webhooks say.',
  servers: [{ $ref: '#/servers/receiver' }],
};

const SIGNED_TRAIT = {
  headers: {
    type: 'object',
    required: SIGNED.map(({ name }) => name),
    properties: Object.fromEntries(SIGNED.map(({ name, description, schema }) => [name, { ...schema, description }])),
  },
};

function socketChannel(
  { access, description }: SocketContract,
  { meta, input }: RawRoute,
  schemaOf: (schema: z.ZodType) => Json,
): Json {
  const { path, summary } = meta.openapi;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const fields = Object.entries(shapeOf(input));
  const query = Object.fromEntries(fields.filter(([name]) => !inPath.includes(name)));
  return {
    address: restPath(path),
    title: summary,
    description: `${description}\n\n${describeAccess({ access })}`,
    servers: [{ $ref: '#/servers/api' }],
    ...(inPath.length > 0 && {
      parameters: Object.fromEntries(
        fields
          .filter(([name]) => inPath.includes(name))
          .map(([name, schema]) => [name, { description: schema.description ?? name }]),
      ),
    }),
    bindings: { ws: { method: 'GET', query: schemaOf(z.strictObject(query)), bindingVersion: '0.1.0' } },
    'x-rentapi-access': { access },
  };
}

function describe({ name, description, example, event, isSigned }: Message, payload: Json): Json {
  return {
    name,
    title: name,
    summary: description,
    ...(isSigned && { traits: [{ $ref: '#/components/messageTraits/signed' }] }),
    payload,
    examples: [{ payload: example }],
    ...(event && { 'x-rentapi-access': { access: event.permission }, 'x-rentapi-version': event.version }),
  };
}

/** A message of a slice, which is named and described by its schema. */
function messageOf(schema: z.ZodType, named: 'action' | 'type'): Message {
  const { id: key, description, example } = z.globalRegistry.get(schema) ?? {};
  const { type: kind } = Object(example);
  const name = Object(example)[named];
  if (!key || !description || typeof name !== 'string')
    throw new Error(`A message of a socket needs an id, a description and an example: ${key ?? description ?? kind}.`);
  return { key, name: name === 'event' ? String(Object(example).event) : name, description, schema, example };
}

function onSocket(event: VisibleEvent): Message {
  const { name, description, data, example } = event;
  return {
    key: `${componentOf(name)}OnSocket`,
    name,
    description,
    event,
    schema: z.object({
      type: z.literal('event'),
      id: id('evt').meta({ description: 'Resumes after this event, as `lastEventId`.' }),
      event: z.literal(name),
      createdAt: Timestamp.meta({ description: 'When it happened.' }),
      data,
    }),
    example: { type: 'event', id: exampleId('evt'), event: name, createdAt: EXAMPLE_TIME, data: example },
  };
}

function toWebhook(event: VisibleEvent): Message {
  const { name, description, example } = event;
  return {
    key: componentOf(name),
    name,
    description,
    event,
    isSigned: true,
    schema: deliveredSchema(event),
    example: { type: name, timestamp: EXAMPLE_TIME, data: example },
  };
}
