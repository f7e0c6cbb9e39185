/** A service of another company, which sells documents. Its customers call it with keys that RentAPI made. */
import type { AddressInfo } from 'node:net';
import { RentApi } from '@rentapi/sdk';
import { expressGuard } from '@rentapi/sdk/guard';
import express, { type Request } from 'express';

// RENTAPI_BASE_URL and RENTAPI_API_KEY say where RentAPI is, and with which key the service asks it.
const client = new RentApi();

const app = express();
app.get('/health', (_, res) => {
  res.json({ status: 'ok' });
});

app.use(
  expressGuard<Request>({
    client,
    permissions: ({ method }) => (method === 'GET' ? 'documents.read' : 'documents.write'),
    cost: ({ method }) => (method === 'GET' ? 1 : 10),
  }),
);
app.get('/documents', (_, res) => {
  const { externalId, remaining } = res.locals['apiKey'];
  res.json({ customer: externalId, creditsLeft: remaining, documents: ['Terms', 'Prices'] });
});
app.post('/documents', (_, res) => {
  res.status(201).json({ customer: res.locals['apiKey'].externalId });
});

const server = app.listen(Number(process.env['PORT'] ?? 8300), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`The service is ready on http://127.0.0.1:${port}\n`);
});
process.once('SIGTERM', () => server.close());
