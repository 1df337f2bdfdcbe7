// Limits by rate-limiter-flexible: `rate.mjs memory`, or `rate.mjs redis CALLERS`.

import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";

import { play } from "./side.mjs";

const [place, callers = "1"] = process.argv.slice(2);
const redis = place === "redis";
const [many, step] = redis ? [1_000, 1] : [100_000, 7_919];
const limiter = redis
  ? new RateLimiterRedis({
      storeClient: new Redis(process.env.PEERS_REDIS_URL, { enableOfflineQueue: true }),
      keyPrefix: "peers-flexible",
      points: 1_000_000,
      duration: 100,
    })
  : new RateLimiterMemory({ points: 1_000, duration: 1 });
const keys = Array.from({ length: many }, (_, n) => `user-${n}`);
let at = 0;

async function caller(count) {
  for (let n = 0; n < count; n++) {
    at = (at + step) % many;
    await limiter.consume(keys[at]);
  }
}

await play((count) => {
  const share = Math.ceil(count / Number(callers));
  const calls = [];
  for (let rest = count; rest > 0; rest -= share) calls.push(caller(Math.min(share, rest)));
  return Promise.all(calls);
});
