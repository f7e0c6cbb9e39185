// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import { Client } from '../client.ts';
import type { RentApiOptions } from '../options.ts';
import {
  AdminResource,
  AnalyticsResource,
  ApiKeysResource,
  AuthResource,
  BillingResource,
  CacheResource,
  OauthResource,
  OrgsResource,
  PermissionsResource,
  RolesResource,
  SessionsResource,
  SystemResource,
  UsageResource,
  UsersResource,
  WebhooksResource,
  WsResource,
} from './resources.gen.ts';

export class Api extends Client {
  readonly admin: AdminResource;
  readonly analytics: AnalyticsResource;
  readonly apiKeys: ApiKeysResource;
  readonly auth: AuthResource;
  readonly billing: BillingResource;
  readonly cache: CacheResource;
  readonly oauth: OauthResource;
  readonly orgs: OrgsResource;
  readonly permissions: PermissionsResource;
  readonly roles: RolesResource;
  readonly sessions: SessionsResource;
  readonly system: SystemResource;
  readonly usage: UsageResource;
  readonly users: UsersResource;
  readonly webhooks: WebhooksResource;
  readonly ws: WsResource;

  constructor(options?: RentApiOptions) {
    super(options);
    this.admin = new AdminResource(this.transport);
    this.analytics = new AnalyticsResource(this.transport);
    this.apiKeys = new ApiKeysResource(this.transport);
    this.auth = new AuthResource(this.transport);
    this.billing = new BillingResource(this.transport);
    this.cache = new CacheResource(this.transport);
    this.oauth = new OauthResource(this.transport);
    this.orgs = new OrgsResource(this.transport);
    this.permissions = new PermissionsResource(this.transport);
    this.roles = new RolesResource(this.transport);
    this.sessions = new SessionsResource(this.transport);
    this.system = new SystemResource(this.transport);
    this.usage = new UsageResource(this.transport);
    this.users = new UsersResource(this.transport);
    this.webhooks = new WebhooksResource(this.transport);
    this.ws = new WsResource(this.transport);
  }
}
