import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Refusal } from './refusal.tsx';
import { useTRPC } from './rentapi.ts';

export function ApiKeys() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const keys = useInfiniteQuery(
    trpc.apiKeys.list.infiniteQueryOptions({ limit: 5 }, { getNextPageParam: ({ nextCursor }) => nextCursor }),
  );
  const reload = () => queryClient.invalidateQueries(trpc.apiKeys.list.pathFilter());
  const revoke = useMutation(trpc.apiKeys.revoke.mutationOptions({ onSuccess: reload }));

  return (
    <section aria-label="API keys">
      <h1>API keys</h1>
      <CreateApiKey onCreated={reload} />
      <ul>
        {keys.data?.pages
          .flatMap(({ items }) => items)
          .map(({ id, name, prefix, last4, revokedAt }) => (
            <li key={id}>
              <strong>{name}</strong>{' '}
              <code>
                {prefix}…{last4}
              </code>{' '}
              {revokedAt ? (
                'revoked'
              ) : (
                <button type="button" disabled={revoke.isPending} onClick={() => revoke.mutate({ keyId: id })}>
                  Revoke
                </button>
              )}
            </li>
          ))}
      </ul>
      {keys.hasNextPage && (
        <button type="button" disabled={keys.isFetchingNextPage} onClick={() => keys.fetchNextPage()}>
          Load more
        </button>
      )}
      <Refusal error={keys.error ?? revoke.error} />
    </section>
  );
}

function CreateApiKey({ onCreated }: { onCreated: () => void }) {
  const trpc = useTRPC();
  // One `Idempotency-Key` for one form as it is filled in: sent twice, it makes one key.
  const [form, setForm] = useState(() => filledIn(''));
  const { idempotencyKey } = form;
  const create = useMutation(
    trpc.apiKeys.create.mutationOptions({
      trpc: { context: { idempotencyKey } },
      onSuccess() {
        setForm(filledIn(''));
        onCreated();
      },
    }),
  );

  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate({ name: form.name, scopes: ['api_keys:read'] });
  }

  return (
    <form onSubmit={submit}>
      <label>
        Name <input value={form.name} onChange={(event) => setForm(filledIn(event.target.value))} />
      </label>
      <button type="submit" disabled={create.isPending}>
        Create
      </button>
      {create.data && (
        <p role="status">
          Copy the secret now, it is shown once: <code>{create.data.secret}</code>
        </p>
      )}
      <Refusal error={create.error} />
    </form>
  );
}

const filledIn = (name: string) => ({ name, idempotencyKey: crypto.randomUUID() });
