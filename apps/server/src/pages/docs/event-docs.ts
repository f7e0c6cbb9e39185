import { exampleId } from '@rentapi/api/contract/ids';
import type { DescribedEvent } from '@rentapi/api/events/catalogue';
import type { DescribedContract } from '@rentapi/api/transports/describe-contract';
import { type DocPage, json, paragraphs, table } from './doc-page.ts';
import { createSlugger } from './markdown.ts';
import { type JsonSchema, schemaTable } from './schema-table.ts';

const EXAMPLE_TIME = '2026-01-31T12:00:00.000Z';

export function eventPage({ events }: DescribedContract): DocPage {
  const path = '/docs/events';
  const anchor = createSlugger();
  return {
    path,
    title: 'Events',
    summary: 'Each event type, with its fields, an example and the permission that it needs.',
    section: 'Events',
    kind: 'Event',
    found: 'by chapter',
    markdown: paragraphs(
      '# Events',
      'What happens in an organization reaches those of its members and keys that hold the permission of the event. ' +
        'Receive them [at an address of yours](/docs/guides/webhooks), or follow them over [a socket or tRPC](/docs/guides/realtime) ' +
        'or with [the SDK](/docs/sdk#events-as-they-happen). ' +
        'A subscription names event types (`api_key.created`), all of a resource (`api_key.*`), or everything (`*`). ' +
        'For generators, the [AsyncAPI document](/asyncapi.json) has all of it.',
      table(
        ['Event', 'Permission', 'What happened'],
        events.map(({ name, permission, description }) => [
          `[\`${name}\`](${path}#${anchor(name)})`,
          `\`${permission}\``,
          description,
        ]),
      ),
      ...events.map(describe),
    ),
  };
}

function describe({ name, description, permission, schema, example }: DescribedEvent): string {
  const data = schema as JsonSchema;
  return paragraphs(
    `## \`${name}\``,
    `${description} Needs \`${permission}\`.`,
    schemaTable(data, data.$defs ?? {}),
    'To a webhook:',
    json({ type: name, timestamp: EXAMPLE_TIME, data: example }),
    'On the socket the same `data` come in another envelope:',
    json({ type: 'event', id: exampleId('evt'), event: name, createdAt: EXAMPLE_TIME, data: '…' }),
  ).trimEnd();
}
