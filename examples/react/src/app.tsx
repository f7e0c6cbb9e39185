import { isRentApiError } from '@rentapi/contract';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiKeys } from './api-keys.tsx';
import { Events } from './events.tsx';
import { LoginForm } from './login-form.tsx';
import { Refusal } from './refusal.tsx';
import { createClient, rentapi, TRPCProvider, useTRPC } from './rentapi.ts';
import { useIsLoggedIn } from './session.ts';

export function App() {
  return useIsLoggedIn() ? <Home /> : <LoginForm />;
}

function Home() {
  const [organizationId, setOrganizationId] = useState<string>();
  return <Organization key={organizationId} organizationId={organizationId} onChange={setOrganizationId} />;
}

interface OrganizationProps {
  organizationId: string | undefined;
  onChange: (organizationId: string) => void;
}

/** Has clients of its own: what one organization answered is of no use in another. */
function Organization({ organizationId, onChange }: OrganizationProps) {
  const [trpcClient] = useState(() => createClient(organizationId));
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        <Header organizationId={organizationId} onChange={onChange} />
        <ApiKeys />
        <Events />
      </TRPCProvider>
    </QueryClientProvider>
  );
}

/** Calls without an answer are repeated; a refusal would be the same again. */
function createQueryClient() {
  const retry = (failures: number, error: Error) => failures < 2 && !isRentApiError(error);
  return new QueryClient({ defaultOptions: { queries: { retry }, mutations: { retry } } });
}

function Header({ organizationId, onChange }: OrganizationProps) {
  const trpc = useTRPC();
  const me = useQuery(trpc.users.me.get.queryOptions());
  const organizations = useQuery(trpc.orgs.list.queryOptions({ limit: 100 }));
  return (
    <header>
      <select
        aria-label="Organization"
        value={organizationId ?? me.data?.defaultOrganizationId ?? ''}
        onChange={(event) => onChange(event.target.value)}
      >
        {organizations.data?.items.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <span>{me.data?.email}</span>
      <button type="button" onClick={() => rentapi.auth.logout().catch(() => undefined)}>
        Log out
      </button>
      <Refusal error={me.error ?? organizations.error} />
    </header>
  );
}
