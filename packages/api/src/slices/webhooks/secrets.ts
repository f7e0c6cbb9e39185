import { createSecretBox, type Keyring, type SecretBox } from '@rentapi/platform/secrets';

/** Values of webhooks at rest: their secrets, the newest first, and headers with the receiver's credentials. */
export interface WebhookSecrets {
  seal(value: string, organizationId: number): Buffer;
  /** Throws where the SECRET_KEY that sealed it is gone. */
  open(sealed: Buffer, organizationId: number): string;
}

export const webhookContext = (organizationId: number): string => `webhook of ${organizationId}`;

export function createWebhookSecrets(keyring: Keyring): WebhookSecrets {
  const box: SecretBox = createSecretBox(keyring, 'rentapi/webhook');
  return {
    seal: (value, organizationId) => box.seal(value, webhookContext(organizationId)),
    open(sealed, organizationId) {
      const opened = box.open(sealed, webhookContext(organizationId));
      if (opened === null) throw new Error('a value of a webhook was sealed under a SECRET_KEY that is gone');
      return opened;
    },
  };
}
