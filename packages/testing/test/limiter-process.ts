import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { connect } from './drivers.ts';

/** One of several processes that take from the same bucket, 50 calls at once, for `durationMs`. */
const [url = '', key = '', size = '', windowMs = '', durationMs = ''] = process.argv.slice(2);
const redis = await connect(url);
const limiter = createRedisLimiter(redis);
const bucket = { name: 'test', key, size: Number(size), windowMs: Number(windowMs) };

process.send!('ready');
await new Promise((resolve) => process.once('message', resolve));

const firstAskedAt = Date.now();
let firstAnsweredAt = 0;
let lastAskedAt = 0;
let allowed = 0;
await Promise.all(
  Array.from({ length: 50 }, async () => {
    while (Date.now() - firstAskedAt < Number(durationMs)) {
      lastAskedAt = Date.now();
      const decision = await limiter.take([bucket]);
      firstAnsweredAt ||= Date.now();
      if (decision.allowed) allowed++;
    }
  }),
);
process.send!({ allowed, firstAskedAt, firstAnsweredAt, lastAskedAt, lastAnsweredAt: Date.now() });
await redis.close();
process.disconnect();
