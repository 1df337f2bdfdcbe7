// An authenticator's code, checked within a step of now by otplib: `totp.mjs right|wrong`.

import { generateSync, verifySync } from "otplib";

import { play } from "./side.mjs";

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const epoch = Math.floor(Date.now() / 1000);
const right = process.argv[2] === "right";
const check = (token) => verifySync({ secret, token, epoch, epochTolerance: 30 }).valid;

let code = generateSync({ secret, epoch });
for (let number = 0; !right && check(code); number++) code = String(number).padStart(6, "0");
if (check(code) !== right) throw new Error("a code was judged wrongly");

await play((count) => {
  for (let n = 0; n < count; n++) check(code);
});
