import type { Transport } from './transport.ts';

/** What the generated resources build on. */
export class Resource {
  protected readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }
}
