import { isDeepStrictEqual } from 'node:util';
import { eventTypes, sockets } from '@rentapi/api/slices/registry';
import { sentOn } from '@rentapi/api/transports/asyncapi';

const sent = new Map(sockets.map(({ path, contract }) => [path, sentOn(contract, eventTypes)]));

/** A message of a socket; throws for one that the socket does not declare, in part or as a whole. */
export function declaredMessage(path: string, text: string): unknown {
  const message = JSON.parse(text);
  const name: string = message.type === 'event' ? message.event : message.type;
  const declared = sent.get(path)?.get(name)?.parse(message);
  if (!isDeepStrictEqual(declared, message))
    throw new Error(`${path} sent ${text}, and declares of it ${JSON.stringify(declared)}`);
  return message;
}
