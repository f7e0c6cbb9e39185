/** Fire-and-forget messages by topic: nothing is stored, and a process that does not listen misses it. It is a hint. */
export interface PubSub {
  /** Reaches its own process at once, and others soon. Receivers get what JSON makes of the message. */
  publish(topic: string, message: unknown): void;
  /**
   * Calls back with each message of the topic, in the order in which its publisher sent them, until the returned
   * function is called.
   */
  subscribe(topic: string, listener: Listener): () => void;
  /** Calls back when the subscription is back, because messages of other processes may have been missed. */
  onGap(listener: () => void): void;
  close(): Promise<void>;
}

export type Listener = (message: unknown) => void;

/** Within this process. A publish to a topic without listeners is one map lookup. */
export function createMemoryPubSub(onError: (error: unknown) => void): PubSub {
  const topics = createTopics(onError);
  return {
    publish: topics.publish,
    subscribe: topics.add,
    onGap() {},
    close: async () => topics.clear(),
  };
}

/** The listeners in this process, by topic. */
export function createTopics(onError: (error: unknown) => void) {
  const topics = new Map<string, Set<Listener>>();

  /** One after the other; one that throws does not keep the message from the next. */
  function deliver(topic: string, text: string): void {
    const listeners = topics.get(topic);
    if (!listeners) return;
    const message: unknown = JSON.parse(text);
    for (const listener of listeners) {
      try {
        listener(message);
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    deliver,
    publish(topic: string, message: unknown): void {
      if (topics.has(topic)) deliver(topic, JSON.stringify(message));
    },
    add(topic: string, listener: Listener): () => void {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic);
      };
    },
    has: (topic: string): boolean => topics.has(topic),
    names: (): string[] => [...topics.keys()],
    clear: (): void => topics.clear(),
  };
}
