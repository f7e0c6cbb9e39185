import { Api } from './generated/resources.gen.ts';
import { Realtime } from './realtime.ts';
import type { WebSocketConstructor } from './realtime-connection.ts';
import type { SessionTokens } from './tokens.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface RentApiOptions extends TransportOptions {
  /** Where the runtime has none (Node before 22): `import { WebSocket } from 'ws'`. */
  WebSocket?: WebSocketConstructor | undefined;
}

/** A client of one server, for one API key or one user, or without a credential until a login. */
export class RentApi extends Api {
  /** Events over a WebSocket, as they happen. */
  readonly realtime: Realtime;

  constructor(options: RentApiOptions) {
    assertBaseUrl(options?.baseUrl);
    const transport = new Transport(options);
    super(transport);
    this.realtime = new Realtime(transport, options.WebSocket);
  }

  /** The tokens of the user who is logged in, read from the session's store; null with an API key or without a login. */
  tokens(): Promise<SessionTokens | null> {
    return this.transport.session.tokens();
  }
}

/** `localhost:8000` looks like an address, and would fail at the first call in words of the runtime's. */
function assertBaseUrl(baseUrl: unknown): void {
  if (typeof baseUrl === 'string' && (baseUrl === '' ? isWebPage() : isHttpUrl(baseUrl))) return;
  const given =
    baseUrl === undefined
      ? 'it is missing'
      : baseUrl === ''
        ? "it is '', which means the page's own origin, and this is no web page"
        : `it is ${JSON.stringify(baseUrl)}`;
  throw new TypeError(`\`baseUrl\` must be a whole address such as https://api.example.com; ${given}.`);
}

function isWebPage(): boolean {
  return /^https?:$/.test(globalThis.location?.protocol ?? '');
}

function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text)) return false;
  try {
    new URL(text);
    return true;
  } catch {
    return false;
  }
}
