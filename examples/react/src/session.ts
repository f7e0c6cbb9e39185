import type { SessionStore } from '@rentapi/sdk';
import { useSyncExternalStore } from 'react';

const KEY = 'rentapi.session';
const listeners = new Set<() => void>();

/** The tokens of the user who is logged in, where all tabs find them. */
export const session: SessionStore = {
  load: () => JSON.parse(localStorage.getItem(KEY) ?? 'null'),
  save(tokens) {
    if (tokens) localStorage.setItem(KEY, JSON.stringify(tokens));
    else localStorage.removeItem(KEY);
    for (const listener of listeners) listener();
  },
};

/** Changes with a login and a logout in any tab. */
export function useIsLoggedIn(): boolean {
  return useSyncExternalStore(subscribe, () => localStorage.getItem(KEY) !== null);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener); // other tabs
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}
