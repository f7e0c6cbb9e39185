// npm run contract: writes everything that is generated from the contract. A second run leaves no diff.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');
const run = (args, options = {}) =>
  execFileSync(process.execPath, args, { cwd: top, maxBuffer: 64 * 1024 ** 2, ...options });

// An empty environment proves that the document comes from the code alone.
const document = run(['apps/server/src/main.ts', 'openapi'], { env: {} });
writeFileSync(join(top, 'docs/openapi.json'), document);
console.log(`docs/openapi.json: ${Object.keys(JSON.parse(document).paths).length} paths`);

// Sockets and webhooks. Making a document changes the schemas that it reads, so each is made by a process of its own.
const asyncapi = run(['apps/server/src/main.ts', 'asyncapi'], { env: {} });
writeFileSync(join(top, 'docs/asyncapi.json'), asyncapi);
console.log(`docs/asyncapi.json: ${Object.keys(JSON.parse(asyncapi).components.messages).length} messages`);

// The SDK's types, methods and list of methods follow the document.
run(['sdk/client/scripts/generate.ts'], { stdio: 'inherit' });

// The router's type for tRPC clients elsewhere follows the router.
run(['sdk/contract/scripts/generate.ts'], { env: {}, stdio: 'inherit' });
