-- A plan: looked at whole, then reserved whole or written down as refused.

local function aim(target, now)
  if target.key then return load_challenge(target.key) end
  local ended
  for _, slot in ipairs(target.slots) do
    local found = load_challenge(call('GET', slot))
    if found and is_live(found, now) then return found end
    ended = ended or found
  end
  return ended
end

local function own(quotas)
  local list = {}
  for _, q in ipairs(quotas) do
    if q.own then list[#list + 1] = q end
  end
  return list
end

-- What any shelf has blocked is blocked, also while it is being written.
local function all_of(here, elsewhere)
  local known = {}
  for _, place in ipairs(here) do known[place] = true end
  for _, place in ipairs(elsewhere or {}) do
    if not known[place] then here[#here + 1] = place end
    known[place] = true
  end
  return here
end

-- When the guess of this very try was counted, where it is remembered.
local function counted(now)
  for _, key in ipairs(A.tries or {}) do
    local till = call('GET', key)
    if till and now < time(till) then return time(till) - A.life end
  end
end

return answer(function()
  room()
  local now = clock(true)
  local blocks = all_of(blocked(now), A.blocked)
  if #blocks == 0 then
    local before = issued_before(now)
    if before then return { I(now), before, blocks, {}, '', {} } end
  end
  local quotas, verdict, c, b, budget = A.quotas, { A.step }, nil, nil, ''
  local before = A.step == 'guess' and counted(now)
  if before then
    verdict = { 'guessed_before', I(before) }
  elseif A.step == 'issue' or A.step == 'guess' then
    b = load_budget(A.budget.key)
    budget = look(b, A.rules, lane_of(A.budget.lane), now)
  elseif A.step == 'attempt' or A.step == 'resend' then
    c = aim(A.target, now)
    local judge = A.step == 'attempt' and judge_attempt or judge_resend
    local outcome = c and judge(c, A.claim, now)
    verdict = c and { A.step, outcome } or { 'none' }
    if outcome == 'reserved' then
      b = load_budget(c.budget)
      budget = look(b, A.rules, lane_of(c.lane), now)
    elseif A.step == 'resend' then
      quotas = own(quotas)
    end
  end
  local refused = look_quotas(quotas, now)
  local reason = #blocks > 0 and 'blocked' or budget ~= '' and string.match(budget, '^%a+')
    or refused and 'quota_' .. refused
  if reason then
    if A.step == 'attempt' and c and c.tenant == A.claim.tenant then about(A.event, c) end
    audit(A.event, now, 'refused', reason)
    return { I(now), { 'refused' }, blocks, readings(quotas), budget, {} }
  end
  charge_quotas(quotas, now)
  if A.step == 'issue' and A.idempotency then take_key(A.idempotency, now) end
  if b and A.step == 'guess' then
    reserve(b, A.rules, lane_of(A.budget.lane), now)
    save_budget(b)
    if A.tries then call('SET', A.tries[1], I(now + A.life), 'PX', I(A.life + SLACK)) end
  elseif b and A.step == 'attempt' then
    reserve(b, A.rules, lane_of(c.lane), now)
    save_budget(b)
    attempt(c, A.claim)
  elseif b and A.step == 'resend' then
    resend(c, A.claim, now)
  end
  return { I(now), verdict, blocks, readings(quotas), budget, c and flat(c) or {} }
end)
