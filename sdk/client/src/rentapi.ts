import { Api } from './generated/api.gen.ts';
import type { RentApiOptions } from './options.ts';

/** A client of one server, for one API key or one user, or without a credential until a login. */
export class RentApi extends Api {
  /** A client that differs in these options. Without another credential it shares this one's: a login too. */
  withOptions(changes: RentApiOptions): RentApi {
    return new RentApi(this.changedOptions(changes));
  }
}
