/** A service that meters what its customers use: only the published SDK, and `node:http`. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RentApi } from '@rentapi/sdk';
import { createUsageQueue } from './usage-queue.ts';

const baseUrl = process.env.RENTAPI_URL ?? 'http://localhost:8000';
const HOUR_MS = 3_600_000;

// Once, when the service is set up.
const owner = new RentApi({ baseUrl });
await owner.auth.login({ email: 'john@acme.com', password: 'User123!@#' });
const slug = `words-${randomUUID()}`;
const meter = await owner.usage.meters.create({ slug, name: 'Words', aggregation: 'sum', property: 'words' });
const { id: keyId, secret } = await owner.apiKeys.create({ name: 'Word counter', scopes: ['usage:write'] });
step(`created the meter ${meter.id}, and a key that can only send usage`);

// The service: it counts words, and notes how many each customer had counted.
const refused: string[] = [];
const usage = createUsageQueue(new RentApi({ baseUrl, apiKey: secret }), (_, why) => refused.push(why));
const service = createServer(async (req, res) => {
  const words = (await textOf(req)).split(/\s+/).filter(Boolean).length;
  const customer = req.headers['x-customer']?.toString();
  const isCounted = customer !== undefined && usage.add({ meter: slug, externalId: customer, properties: { words } });
  res.writeHead(isCounted ? 200 : 503).end(String(words));
});
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
const { port } = service.address() as AddressInfo;

const count = async (customer: string, body: string): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers: { 'x-customer': customer }, body });
  return answer.text();
};
assert.deepEqual(await Promise.all([count('ada', 'one two three'), count('eve', 'one'), count('ada', 'four five')]), [
  '3',
  '1',
  '2',
]);
usage.add({ meter: slug, externalId: 'eve', properties: { words: -1 } }); // a mistake does not keep the others back
await usage.close();
service.close();
step('served three requests, and sent their usage beside them');
assert.deepEqual(refused, ['usage_value_negative: must be at least 0']);
step(`learned which event was refused: ${refused[0]}`);

const { items } = await owner.usage.meters.values({
  meterId: meter.id,
  from: new Date(Date.now() - HOUR_MS).toISOString(),
  to: new Date(Date.now() + HOUR_MS).toISOString(),
  groupBy: 'externalId',
});
assert.deepEqual(
  items.map(({ externalId, value }) => [externalId, value]),
  [
    ['ada', 5],
    ['eve', 1],
  ],
);
step('read what to bill: 5 words of ada, 1 word of eve');

await owner.usage.meters.archive({ meterId: meter.id });
await owner.apiKeys.revoke({ keyId });
await owner.auth.logout();
step('archived the meter and revoked the key');

async function textOf(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) text += chunk;
  return text;
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
