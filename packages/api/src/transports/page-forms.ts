import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Context, createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { rawRoutes } from '../slices/registry.ts';
import { appRouter } from '../slices/router.ts';
import { readForm } from '../wire/body.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';
import { serveRaw } from './raw.ts';

/** What a first factor is answered with: tokens, or a challenge for the second. */
type SignedIn = { accessToken: string } | { mfaRequired: true; challengeToken: string; methods: readonly string[] };

/** The operations behind the forms of our pages. They throw what the operations throw. */
export interface PageCalls {
  verifyEmail(input: { token: string }): Promise<void>;
  resendVerification(input: { email: string }): Promise<void>;
  requestPasswordReset(input: { email: string }): Promise<void>;
  confirmPasswordReset(input: { token: string; password: string }): Promise<void>;
  confirmEmailChange(input: { token: string }): Promise<void>;
  undoEmailChange(input: { token: string }): Promise<void>;
  keepTwoFactor(input: { token: string }): Promise<void>;
  register(input: { email: string; password: string }): Promise<void>;
  login(input: { email: string; password: string }): Promise<SignedIn>;
  finishLogin(input: { challengeToken: string; code: string }): Promise<SignedIn>;
  logout(accessToken: string): Promise<void>;
  acceptInvitation(accessToken: string, input: { token: string }): Promise<void>;
  /** Answers with the file. */
  sendExport(accessToken: string, exportId: string, res: ServerResponse): Promise<void>;
}

export interface PageForms {
  /** The fields of the form. Refuses a form that another site sent. */
  read(req: IncomingMessage): Promise<URLSearchParams>;
  calls(req: IncomingMessage): PageCalls;
}

/**
 * Forms of our own pages, which work without scripts. Each calls operations as the browser could itself, and is held to
 * the same limits. What it may do comes from its fields: a mailed token, or a password. No cookie counts here.
 */
export function createPageForms(options: { ports: Ports; clientAddress: ClientAddress }): PageForms {
  const { ports, clientAddress } = options;
  const own = new URL(ports.env.PUBLIC_URL).origin;
  const exportFile = rawRoutes.find(({ name }) => name === 'users.me.exportFile')!;
  return {
    async read(req) {
      assertOwnSite(req, own);
      return readForm(req, ports.bodies);
    },
    calls(req) {
      const contextOf = (accessToken?: string): Context =>
        createContext(ports, {
          ...readRequest(req, requestIdOf(req.headers), clientAddress(req)),
          authorization: accessToken && `Bearer ${accessToken}`,
          apiKey: undefined,
          organizationId: undefined,
          tenantId: undefined,
          ifMatch: undefined,
          ifNoneMatch: undefined,
          idempotencyKey: undefined,
        });
      const { auth } = appRouter.createCaller(contextOf());
      const by = (accessToken: string) => appRouter.createCaller(contextOf(accessToken));
      return {
        verifyEmail: async (input) => void (await auth.email.verify(input)),
        resendVerification: async (input) => void (await auth.email.resendVerification(input)),
        requestPasswordReset: async (input) => void (await auth.passwordReset.request(input)),
        confirmPasswordReset: async (input) => void (await auth.passwordReset.confirm(input)),
        confirmEmailChange: async (input) => void (await auth.emailChange.confirm(input)),
        undoEmailChange: async (input) => void (await auth.emailChange.undo(input)),
        keepTwoFactor: async (input) => void (await auth.twoFactor.objectReset(input)),
        register: async (input) => void (await auth.register(input)),
        login: (input) => auth.login(input),
        finishLogin: (input) => auth.twoFactor.login(input),
        logout: async (accessToken) => void (await by(accessToken).auth.logout()),
        acceptInvitation: async (accessToken, input) => void (await by(accessToken).orgs.invitations.accept(input)),
        sendExport: (accessToken, exportId, res) =>
          serveRaw(exportFile, contextOf(accessToken), { exportId }, { req, res }),
      };
    },
  };
}

/**
 * Another site must not send our forms from the browser of its visitor, whose limits it would use up. Our pages name no
 * referrer, for which browsers say `Origin: null`; they say in `Sec-Fetch-Site` whether a page of ours sent it.
 */
function assertOwnSite({ headers }: IncomingMessage, own: string): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const isOwn = site === undefined ? !origin || origin === 'null' || origin === own : site === 'same-origin';
  if (!isOwn)
    throw new ApiError('origin_not_allowed', { detail: 'Send this form from its own page: another site has sent it.' });
}
