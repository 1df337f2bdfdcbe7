// One side of a comparison: a process that does so much work whenever it is told to.
//
// The same as `src/side.rs`: it warms up, finds out how much fills a round, and answers each line.

import { createInterface } from "node:readline";

const WARM_UP = 400_000_000n;
const ROUND = 200_000_000;

/** Plays until nobody asks any more; `work(count)` does a thing so many times. */
export async function play(work) {
  const timed = async (count) => {
    const started = process.hrtime.bigint();
    await work(count);
    return Number(process.hrtime.bigint() - started);
  };
  const started = process.hrtime.bigint();
  let [count, took] = [1, 0];
  let warm = false;
  while (!warm || took < ROUND / 8) {
    warm = process.hrtime.bigint() - started >= WARM_UP;
    took = await timed(count);
    if (took < ROUND / 8) count *= 2;
  }
  const round = Math.max(1, Math.floor((count * ROUND) / Math.max(took, 1)));
  say({ round });
  for await (const _ of createInterface({ input: process.stdin })) {
    say({ count: round, nanos: await timed(round) });
  }
  process.exit(0);
}

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}
