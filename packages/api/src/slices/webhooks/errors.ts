import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  target_not_allowed: {
    status: 400,
    title: 'Target not allowed',
    meaning:
      'The address of the webhook is not one of the public internet over https, so calling it could reach what is not yours.',
    fix: 'Use an https address of the public internet on port 443 or 8443, of a host that `OUTBOUND_ALLOWED_HOSTS` lists if there is such a list; the operator can allow others with `WEBHOOK_ALLOWED_TARGETS`.',
    retry: 'no',
  },
  header_not_allowed: {
    status: 400,
    title: 'Header not allowed',
    meaning:
      'A header of the webhook belongs to the connection or the signature, or is not one that HTTP can send, or is too long.',
    fix: 'Leave out the header that `errors` names, or correct it.',
    retry: 'no',
  },
  unknown_event_type: {
    status: 400,
    title: 'Unknown event type',
    meaning: 'A webhook can have event types, patterns such as `api_key.*`, and `*`; the text is none of these.',
    fix: 'Use types of GET /api/v1/webhooks/event-types, `<resource>.*` for all of a resource, or `*`.',
    retry: 'no',
  },
  unknown_event_version: {
    status: 400,
    title: 'Unknown event version',
    meaning: 'No event has a form of that number yet.',
    fix: 'Use a version that GET /api/v1/webhooks/event-types lists, or leave it out for the newest.',
    retry: 'no',
  },
  event_not_allowed: {
    status: 403,
    title: 'Event not allowed',
    meaning:
      'Who says which events a webhook gets, or where they are sent, must be able to read them; one of these event types needs a permission more.',
    fix: 'Subscribe only to event types whose permission you have in this organization, and change the address of a webhook only where you have those of all its event types.',
    retry: 'no',
  },
  delivery_already_succeeded: {
    status: 409,
    title: 'Delivery already succeeded',
    meaning: 'The receiver has accepted the delivery, so it is not sent again.',
    fix: 'Read the event where you received it, or send an example with the test operation.',
    retry: 'no',
  },
  webhook_disabled: {
    status: 409,
    title: 'Webhook disabled',
    meaning: 'Nothing is sent to a webhook that is disabled.',
    fix: 'Enable the webhook first, with `enabled: true`.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
