// A whole sign-in by better-auth's e-mail code, from the address to a session:
// `sign-in.mjs call|http memory|sqlite`. As calls of its API, or through its handler of requests.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getMigrations } from "better-auth/db/migration";
import { emailOTP } from "better-auth/plugins";
import Sqlite from "better-sqlite3";

import { play } from "./side.mjs";

const PEOPLE = 100;
const [way, place] = process.argv.slice(2);
const codes = new Map();

function database() {
  if (place === "memory") {
    return memoryAdapter({ user: [], session: [], account: [], verification: [] });
  }
  const file = new Sqlite(join(mkdtempSync(join(tmpdir(), "peers-")), "theirs.db"));
  file.pragma("journal_mode = WAL");
  file.pragma("synchronous = FULL");
  return file;
}

const options = {
  database: database(),
  baseURL: "http://localhost",
  secret: "a secret for a comparison, of more than 32 signs",
  logger: { disabled: true },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  plugins: [
    emailOTP({
      storeOTP: "hashed",
      sendVerificationOTP: async ({ email, otp }) => void codes.set(email, otp),
    }),
  ],
};
if (place === "sqlite") await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

async function post(path, body) {
  const headers = { "content-type": "application/json", origin: "http://localhost" };
  const request = new Request(`http://localhost/api/auth${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const answer = await auth.handler(request);
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status} ${JSON.stringify(told)}`);
  return told;
}

const ways = {
  call: {
    send: (body) => auth.api.sendVerificationOTP({ body }),
    signIn: (body) => auth.api.signInEmailOTP({ body }),
  },
  http: {
    send: (body) => post("/email-otp/send-verification-otp", body),
    signIn: (body) => post("/sign-in/email-otp", body),
  },
};
const { send, signIn } = ways[way];
let at = 0;

async function whole() {
  const email = `person-${(at = (at + 1) % PEOPLE)}@example.org`;
  await send({ email, type: "sign-in" });
  const otp = codes.get(email);
  codes.delete(email);
  const { token } = await signIn({ email, otp });
  if (!token) throw new Error("no token came");
}

// Everybody has an account before anything counts.
for (let n = 0; n < PEOPLE; n++) await whole();

await play(async (count) => {
  for (let n = 0; n < count; n++) await whole();
});
