import { event } from '../../events/event.ts';
import { ApiKey } from './schemas.ts';

export const ApiKeyCreated = event('api_key.created', {
  data: ApiKey,
  audience: 'organization',
  permission: 'api_keys:read',
});
export const ApiKeyRevoked = event('api_key.revoked', {
  data: ApiKey,
  audience: 'organization',
  permission: 'api_keys:read',
});
