-- What is blocked, and the host's keys of requests.

local function blocked(now)
  local places = {}
  if #A.blocks == 0 then return places end
  for place, entry in ipairs(call('HMGET', G .. 'blocks', unpack(A.blocks))) do
    if entry then
      local till = decode(entry).expires_at
      if not till or now < time(till) then places[#places + 1] = I(place - 1) end
    end
  end
  return places
end

local function issued_before(now)
  local known = A.idempotency and hash(call('HGETALL', A.idempotency.key))
  if not known or not known.expires_at or now >= time(known.expires_at) then return nil end
  -- Its challenge cannot be verified any more.
  if is_of_another_era(known) then return nil end
  if known.fingerprint ~= A.idempotency.fingerprint then return { 'conflict' } end
  return { 'issued_before', known.challenge, known.expires_at, known.resend_at }
end

local function take_key(claim, now)
  call('DEL', claim.key)
  call('HSET', claim.key, 'era', era(), 'fingerprint', claim.fingerprint, 'challenge', claim.challenge,
    'expires_at', I(now + claim.life), 'resend_at', I(now + claim.resend_after))
  expire(claim.key, claim.life + SLACK)
end

