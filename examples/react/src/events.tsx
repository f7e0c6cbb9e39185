import { useQueryClient } from '@tanstack/react-query';
import { useSubscription } from '@trpc/tanstack-react-query';
import { useState } from 'react';
import { Refusal } from './refusal.tsx';
import { useTRPC } from './rentapi.ts';

const MAX_SHOWN = 20;

export function Events() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [events, setEvents] = useState<{ id: string | null; event: string; createdAt: string }[]>([]);
  const subscription = useSubscription(
    trpc.realtime.events.subscriptionOptions(
      { events: ['api_key.*'] },
      {
        onData(message) {
          const event = 'event' in message ? message : message.data;
          setEvents((earlier) => [event, ...earlier].slice(0, MAX_SHOWN));
          void queryClient.invalidateQueries(trpc.apiKeys.list.pathFilter());
        },
      },
    ),
  );
  return (
    <section aria-label="Events">
      <h1>Events</h1>
      <p>{subscription.status === 'pending' ? 'Live.' : 'Connecting…'}</p>
      <ol>
        {events.map(({ id, event, createdAt }) => (
          <li key={id}>
            <code>{event}</code> <time dateTime={createdAt}>{new Date(createdAt).toLocaleTimeString()}</time>
          </li>
        ))}
      </ol>
      <Refusal error={subscription.error} />
    </section>
  );
}
