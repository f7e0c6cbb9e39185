/** Fire-and-forget messages by topic: nothing is kept, and whoever is not listening has missed it. Never the truth. */
export interface PubSub {
  publish(topic: string, message: unknown): void;
  /** Calls back with each message of the topic, in order, until the returned function is called. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void;
  close(): Promise<void>;
}

/** Within this process. A publish to a topic nobody listens to is one map lookup. */
export function createMemoryPubSub(onError: (error: unknown) => void): PubSub {
  const topics = new Map<string, Set<(message: unknown) => void>>();
  return {
    publish(topic, message) {
      for (const listener of topics.get(topic) ?? []) {
        try {
          listener(message);
        } catch (error) {
          onError(error);
        }
      }
    },
    subscribe(topic, listener) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) topics.delete(topic);
      };
    },
    async close() {
      topics.clear();
    },
  };
}
