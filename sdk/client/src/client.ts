import { Api } from './generated/resources.gen.ts';
import { Realtime, type WebSocketConstructor } from './realtime.ts';
import type { SessionTokens } from './session.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface RentApiOptions extends TransportOptions {
  /** Where the runtime has none (Node before 22): `import { WebSocket } from 'ws'`. */
  WebSocket?: WebSocketConstructor | undefined;
}

/** A client of one server, speaking for one API key, one person, or nobody yet. */
export class RentApi extends Api {
  /** What happens, as it happens. */
  readonly realtime: Realtime;

  constructor(options: RentApiOptions) {
    assertAbsolute(options?.baseUrl);
    const transport = new Transport(options);
    super(transport);
    this.realtime = new Realtime(transport, options.WebSocket);
  }

  /** The tokens of the person who is logged in; null with an API key or without a login. */
  get tokens(): SessionTokens | null {
    return this.transport.session.tokens;
  }
}

/** `localhost:8000` looks like an address, and would fail at the first call in words of the runtime's. */
function assertAbsolute(baseUrl: unknown): void {
  if (typeof baseUrl === 'string' && /^https?:\/\//i.test(baseUrl) && URL.canParse(baseUrl)) return;
  const given = baseUrl === undefined ? 'it is missing' : `it is ${JSON.stringify(baseUrl)}`;
  throw new TypeError(`\`baseUrl\` must be a whole address such as https://api.example.com; ${given}.`);
}
