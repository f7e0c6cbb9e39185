import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

const ONE_REFUSES_ALL = 'No event of the batch was written.';

export const errors = {
  meter_slug_taken: {
    status: 409,
    title: 'Meter slug taken',
    meaning:
      'Another meter of the organization has this slug. An archived one keeps its slug, so that its values stay its own.',
    fix: 'Choose another slug for the meter.',
    retry: 'no',
  },
  unknown_meter: {
    status: 400,
    title: 'Unknown meter',
    meaning: `An event names a meter that the organization does not have. ${ONE_REFUSES_ALL}`,
    fix: 'Create the meter with POST /usage/meters, or correct the slug in the events listed in `errors`.',
    retry: 'no',
  },
  meter_archived: {
    status: 409,
    title: 'Meter archived',
    meaning: `An event names a meter that is archived and takes no more events. ${ONE_REFUSES_ALL}`,
    fix: 'Send the events listed in `errors` to another meter.',
    retry: 'no',
  },
  transaction_id_reused: {
    status: 409,
    title: 'Transaction id reused',
    meaning: `An event has the transaction id of an earlier event with other content. ${ONE_REFUSES_ALL}`,
    fix: 'Give every event a transaction id of its own, and repeat an event exactly as it was sent.',
    retry: 'no',
  },
  usage_in_future: {
    status: 400,
    title: 'Event in the future',
    meaning: `The timestamp of an event is more than 5 minutes ahead of the server. ${ONE_REFUSES_ALL}`,
    fix: 'Set the clock of the program that sends the events, or leave `timestamp` out.',
    retry: 'no',
  },
  usage_too_late: {
    status: 400,
    title: 'Event too late',
    meaning: `The timestamp of an event is more than 24 hours old: its day may have been billed. ${ONE_REFUSES_ALL}`,
    fix: 'Send events within 24 hours; leave those listed in `errors` out of the batch.',
    retry: 'no',
  },
  usage_property_missing: {
    status: 400,
    title: 'Property missing',
    meaning: `An event lacks the property that its meter aggregates, or it is null. ${ONE_REFUSES_ALL}`,
    fix: "Send the meter's property in `properties` of the events listed in `errors`.",
    retry: 'no',
  },
  usage_value_missing: {
    status: 400,
    title: 'Value missing',
    meaning: `An event of a sum, max or latest meter without a property has no \`value\`. ${ONE_REFUSES_ALL}`,
    fix: 'Send `value` in the events listed in `errors`.',
    retry: 'no',
  },
  usage_value_not_a_number: {
    status: 400,
    title: 'Value is no number',
    meaning: `The property that a sum, max or latest meter aggregates is not a number in an event. ${ONE_REFUSES_ALL}`,
    fix: 'Send the property as a number, not as text, in the events listed in `errors`.',
    retry: 'no',
  },
  usage_value_negative: {
    status: 400,
    title: 'Negative value',
    meaning: `The value of an event is below zero. ${ONE_REFUSES_ALL}`,
    fix: 'Send values of 0 and above.',
    retry: 'no',
  },
  usage_value_too_large: {
    status: 400,
    title: 'Value too large',
    meaning: `The value of an event is above 1,000,000,000,000. ${ONE_REFUSES_ALL}`,
    fix: 'Send values of at most 1,000,000,000,000, or meter in a larger unit.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  meters_slug_unique: 'meter_slug_taken',
} as const satisfies UniqueConstraints<typeof errors>;
