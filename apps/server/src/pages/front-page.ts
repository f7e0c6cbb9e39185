import { type Html, html } from '@rentapi/platform/html';
import { codeBlock } from './docs/markdown.ts';
import { layout, type Site } from './layout.ts';

interface Front {
  publicUrl: string;
  production: boolean;
  demoAccount: { email: string; password: string } | null;
  /** Whether this client may read captured mail. */
  captured: boolean;
}

export function frontPage(site: Site, front: Front): string {
  return layout(site, {
    title: 'RentAPI',
    scripts: ['copy.js'],
    main: html`
      <section class="hero">
        <p class="chips"><span class="chip live">Running</span>${front.production ? null : html`<span class="chip">Development</span>`}</p>
        <h1>The backend behind an API that you sell.</h1>
        <p class="lead">Identity, organizations, API keys, rate limits, audit and realtime. One contract, served as REST with an
          OpenAPI document, as typed tRPC, and as an npm package.</p>
        <p class="actions"><a class="button" href="/docs">Open the API reference</a><a class="button plain" href="/docs/guides/quickstart">Quickstart</a></p>
      </section>

      <section>
        <h2>Your first call</h2>
        ${front.demoAccount ? demoCalls(front.publicUrl, front.demoAccount) : firstCall(front.publicUrl)}
      </section>

      <section>
        <h2>Where things are</h2>
        <ul class="tiles">
          ${tile('/docs', 'API reference', 'Every operation, with a client to try it.')}
          ${tile('/docs/guides', 'Guides', 'First calls, organizations, realtime and more.')}
          ${tile('/docs/sdk', 'SDK', 'The client for Node, browsers, Deno and Bun.')}
          ${tile('/docs/trpc', 'tRPC', 'Typed calls from any TypeScript program.')}
          ${tile('/docs/events', 'Events', 'What happens, with fields and examples.')}
          ${tile('/docs/permissions', 'Permissions', 'Who may do what, by role and by operation.')}
          ${tile('/docs/errors', 'Errors', 'Each error code, and how to fix it.')}
          ${tile('/openapi.json', 'OpenAPI document', 'For generators, gateways and agents.')}
          ${tile('/asyncapi.json', 'AsyncAPI document', 'Sockets and webhooks, for generators.')}
          ${tile('/llms.txt', 'llms.txt', 'An index of all pages, for programs that read.')}
          ${tile('/health', 'Health', 'Whether the server, its database and its cache work.')}
          ${front.captured ? tile('/dev/mail', 'Captured mail', 'What would have been sent, with its links.') : null}
        </ul>
      </section>`,
  });
}

function demoCalls(publicUrl: string, demo: { email: string; password: string }): Html {
  const body = shellQuoted(JSON.stringify({ email: demo.email, password: demo.password }));
  const token = `node -pe 'JSON.parse(require("fs").readFileSync(0)).accessToken'`;
  return html`
        <p>Sign in with the demo account, then ask who you are.</p>
        ${command(
          `TOKEN=$(curl -s ${publicUrl}/api/v1/auth/login \\\n  -H 'Content-Type: application/json' \\\n  -d ${body} \\\n  | ${token})`,
          `curl -s ${publicUrl}/api/v1/users/me -H "Authorization: Bearer $TOKEN"`,
        )}
        <dl class="account">
          <div><dt>Demo account</dt><dd><code>${demo.email}</code></dd></div>
          <div><dt>Password</dt><dd><code>${demo.password}</code></dd></div>
        </dl>`;
}

function firstCall(publicUrl: string): Html {
  return html`
        <p>Checking the health of the server needs no account.</p>
        ${command(`curl -s ${publicUrl}/health`)}`;
}

function command(...lines: string[]): Html {
  return codeBlock(lines.join('\n'), 'bash');
}

function tile(href: string, title: string, text: string): Html {
  return html`<li><a href="${href}"><strong>${title}</strong><span>${text}</span><code>${href}</code></a></li>`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
