-- The state machine of a challenge, as `otp_core::challenge` has it.

local function log_of(c)
  local log = decode(c.log)
  for _, entry in ipairs(log) do
    if type(entry) ~= 'table' or #entry ~= 3 then fail('corrupt') end
  end
  return log
end

local function find_try(log, id)
  for _, entry in ipairs(log) do
    if entry[1] == id then return entry end
  end
end

local function closed(c, now)
  if c.state == 'consumed' then return 'already_used' end
  if c.state == 'exhausted' then return 'attempts_exhausted' end
  if c.state == 'superseded' then return 'superseded' end
  if c.state == 'revoked' then return 'revoked' end
  if c.state ~= 'live' then fail('corrupt') end
  if now >= time(c.expires_at) or is_of_another_era(c) then return 'expired' end
end

local function fits(shape, c)
  local alphabet
  if c.alphabet == 'digits' then alphabet = shape.digits
  elseif c.alphabet == 'unambiguous' then alphabet = true
  else fail('corrupt') end
  local separators = not shape.separated or c.separators == 'strip'
  return alphabet and separators and I(shape.length) == c.length
end

local function known_outcome(c, claim, known, now)
  local same = false
  for _, print in ipairs(claim.prints) do
    if print == known[2] then same = true end
  end
  if not same then return 'refused:attempt_id_reused' end
  if known[3] == 'wrong' then return 'replayed:wrong' end
  if known[3] == 'pending' then
    local refusal = closed(c, now)
    return refusal and 'refused:' .. refusal or 'resumed'
  end
  if known[3] ~= 'right' then fail('corrupt') end
  if c.state == 'consumed' and now - time(c.consumed_at) <= 60000 then return 'replayed:right' end
  return 'refused:already_used'
end

local function judge_attempt(c, claim, now)
  if claim.tenant ~= c.tenant then return 'refused:unknown_challenge' end
  if claim.purpose and claim.purpose ~= c.purpose then return 'refused:wrong_purpose' end
  if c.binding ~= '' and claim.binding ~= c.binding then return 'refused:wrong_binding' end
  if not fits(claim.shape, c) then return 'refused:malformed_code' end
  if claim.id then
    local known = find_try(log_of(c), claim.id)
    if known then return known_outcome(c, claim, known, now) end
  end
  local refusal = closed(c, now)
  if refusal then return 'refused:' .. refusal end
  if count(c.attempts) >= count(c.attempt_limit) then return 'refused:attempts_exhausted' end
  return 'reserved'
end

-- Called where `judge_attempt` answered `reserved`.
local function attempt(c, claim)
  local changes = { attempts = I(count(c.attempts) + 1) }
  if claim.id then
    local log = log_of(c)
    log[#log + 1] = { claim.id, claim.prints[1], 'pending' }
    changes.log = cjson.encode(log)
  end
  put_challenge(c, changes)
end

local function judge_resend(c, claim, now)
  if claim.tenant ~= c.tenant then return 'refused:unknown_challenge' end
  if c.binding ~= '' and claim.binding ~= c.binding then return 'refused:wrong_binding' end
  local refusal = closed(c, now)
  if refusal then return 'refused:' .. refusal end
  if count(c.attempts) >= count(c.attempt_limit) then return 'refused:attempts_exhausted' end
  if count(c.sends) >= claim.send_limit then return 'none_left' end
  local next = time(c.next_send_at)
  if now < next then return 'wait:' .. I(next - now) end
  return 'reserved'
end

local function resend(c, claim, now)
  local waits, sends = claim.cooldowns, count(c.sends)
  local wait = waits[sends + 1] or waits[#waits] or 0
  put_challenge(c, { next_send_at = I(now + wait), sends = I(sends + 1) })
end

local function consume(c, digest, by, now)
  if c.state == 'consumed' then
    if by and c.consumed_by == by then return 'won_before' end
    return 'already_used'
  end
  local refusal = closed(c, now)
  if refusal then return refusal end
  if digest ~= c.digest then return 'superseded' end
  local changes = { state = 'consumed', consumed_at = I(now), consumed_by = by or '' }
  local log = log_of(c)
  local entry = by and find_try(log, by)
  if entry then
    entry[3] = 'right'
    changes.log = cjson.encode(log)
  end
  put_challenge(c, changes)
  unlist(c, now)
  return 'won'
end

-- Answers whether the try used the challenge up.
local function refuse(c, by, now)
  local log = log_of(c)
  local entry = by and find_try(log, by)
  if entry and entry[3] ~= 'pending' then return false end
  local wrong = count(c.wrong) + 1
  local changes = { wrong = I(wrong) }
  if entry then
    entry[3] = 'wrong'
    changes.log = cjson.encode(log)
  end
  put_challenge(c, changes)
  if wrong >= count(c.attempt_limit) and c.state == 'live' then
    end_challenge(c, 'exhausted', now)
    return true
  end
  return false
end
