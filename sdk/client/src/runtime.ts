import { version } from '../package.json' with { type: 'json' };

/** The version of this package. */
export const VERSION: string = version;

/** What only some runtimes have. */
interface Platform {
  process?: { env?: Record<string, string | undefined>; versions?: Record<string, string | undefined> };
  Deno?: { version: { deno: string } };
  navigator?: { userAgent?: string };
  document?: unknown;
}

// The guarantee: every member is optional, and is looked for before it is used.
const platform = (): Platform => globalThis as Platform;

/** A setting of the environment, where there is one; an empty one counts as none. */
export function readEnv(name: string): string | undefined {
  try {
    return platform().process?.env?.[name]?.trim() || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}

/** A web page. Node with a simulated `document`, as in tests, is none. */
export function isBrowser(): boolean {
  return platform().document !== undefined && !platform().process?.versions?.node;
}

/** Names this package to the server. Browsers send a `User-Agent` of their own, so it is another header there. */
export function sdkHeader(): Record<string, string> {
  const runtime = runtimeName();
  return runtime === undefined ? { 'x-rentapi-sdk': VERSION } : { 'user-agent': `rentapi-sdk/${VERSION} (${runtime})` };
}

function runtimeName(): string | undefined {
  const { Deno, process, navigator } = platform();
  const { bun, node } = process?.versions ?? {};
  const major = (text: string) => Number.parseInt(text, 10);
  if (Deno) return `deno/${major(Deno.version.deno)}`;
  if (bun) return `bun/${major(bun)}`;
  if (node) return `node/${major(node)}`;
  return navigator?.userAgent === 'Cloudflare-Workers' ? 'workerd' : undefined;
}
